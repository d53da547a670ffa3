import Bytes
import CLMDB

/// What a scan does after an entry.
package enum ScanStep: Sendable {
  /// Goes to the next entry, if there is one.
  case next
  /// Ends the scan.
  case stop
}

extension ReadTransaction {
  /// Shows entries of a table in the order of their keys, which compare as bytes.
  ///
  /// - Parameters:
  ///   - table: The table to read.
  ///   - bound: The least key to show, or the greatest if descending; it need not be there. With a
  ///     prefix both must hold, so a long scan can go on where an earlier one stopped.
  ///   - prefix: Shows only keys that start so, and ends by itself after the last of them.
  ///   - descending: From the greatest key down.
  ///   - body: Gets key and value without a copy, valid during the call only; says how to go on.
  /// - Throws: What `body` throws, or ``LMDBError`` wrapped as `storage`.
  package borrowing func scan<E: StorageFailure>(
    _ table: Table, from bound: Span<UInt8>? = nil, prefix: Span<UInt8>? = nil,
    descending: Bool = false, _ body: (_ key: RawSpan, _ value: RawSpan) throws(E) -> ScanStep
  ) throws(E) {
    try walk(table, from: bound, prefix: prefix, descending: descending, E.storage, body)
  }

  /// Shows entries of a table to a closure that throws ``LMDBError`` or nothing.
  package borrowing func scan(
    _ table: Table, from bound: Span<UInt8>? = nil, prefix: Span<UInt8>? = nil,
    descending: Bool = false,
    _ body: (_ key: RawSpan, _ value: RawSpan) throws(LMDBError) -> ScanStep
  ) throws(LMDBError) {
    try walk(table, from: bound, prefix: prefix, descending: descending, { $0 }, body)
  }

  /// Shows entries of a table to a closure that throws anything.
  @_disfavoredOverload
  package borrowing func scan(
    _ table: Table, from bound: Span<UInt8>? = nil, prefix: Span<UInt8>? = nil,
    descending: Bool = false,
    _ body: (_ key: RawSpan, _ value: RawSpan) throws -> ScanStep
  ) throws {
    try walk(table, from: bound, prefix: prefix, descending: descending, { $0 }, body)
  }

  private borrowing func walk<E: Error>(
    _ table: Table, from bound: Span<UInt8>?, prefix: Span<UInt8>?, descending: Bool,
    _ wrap: (LMDBError) -> E, _ body: (RawSpan, RawSpan) throws(E) -> ScanStep
  ) throws(E) {
    var cursor: Cursor
    do throws(LMDBError) { cursor = try Cursor(in: self, over: table) } catch { throw wrap(error) }
    var found: Bool
    do throws(LMDBError) {
      found = try cursor.start(bound, prefix, descending: descending)
    } catch { throw wrap(error) }
    while found {
      let step = try cursor.read { (key, value) throws(E) -> ScanStep in
        if let prefix, !key.starts(with: prefix) { return .stop }
        return try body(key, value)
      }
      if step == .stop { return }
      do throws(LMDBError) {
        found = try cursor.advance(descending: descending)
      } catch { throw wrap(error) }
    }
  }
}

extension Cursor {
  /// Goes to where a scan begins; false if there is no such entry. With a prefix it may stand on an
  /// entry outside of it, which then is where the scan ends.
  fileprivate mutating func start(
    _ bound: Span<UInt8>?, _ prefix: Span<UInt8>?, descending: Bool
  ) throws(LMDBError) -> Bool {
    guard let prefix, !prefix.isEmpty else {
      guard let bound else { return try moveToEnd(last: descending) }
      return try descending ? seek(atMost: bound) : seek(atLeast: bound)
    }
    if descending {
      if let bound, precedesOrStarts(bound, with: prefix) { return try seek(atMost: bound) }
      return try seek(lastWith: prefix)
    }
    if let bound, precedes(prefix, bound) { return try seek(atLeast: bound) }
    return try seek(atLeast: prefix)
  }

  /// Goes to the last key that starts with `prefix` or comes before those that do.
  private mutating func seek(lastWith prefix: Span<UInt8>) throws(LMDBError) -> Bool {
    guard let end = end(ofPrefix: prefix), try seek(atLeast: end.span) else {
      return try moveToEnd(last: true)
    }
    return try advance(descending: true)
  }
}

/// The least bytes greater than all that start with `prefix`; nil if nothing is greater.
private func end(ofPrefix prefix: Span<UInt8>) -> [UInt8]? {
  for index in prefix.indices.reversed() where prefix[index] < 0xff {
    return (0..<index).map { prefix[$0] } + [prefix[index] + 1]
  }
  return nil
}

private func precedes(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
  // SAFETY: the view does not outlive the call.
  unsafe left.bytes.lexicographicallyPrecedes(right)
}

/// Whether `bytes` sorts before the end of what starts with `prefix`.
private func precedesOrStarts(_ bytes: Span<UInt8>, with prefix: Span<UInt8>) -> Bool {
  // SAFETY: the view does not outlive the call.
  unsafe precedes(bytes, prefix) || bytes.bytes.starts(with: prefix)
}
