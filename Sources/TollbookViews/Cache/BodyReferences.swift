import Bytes
import LMDB
import TollbookEvents

/// How many entries name each body, and since when none does: changed in memory by a run of events, and written once at
/// its end.
struct BodyReferences {
  private struct Count: Equatable {
    var entries: UInt32
    /// Since when no entry names it; of no meaning while one does.
    var released: Timestamp

    init(entries: UInt32, released: Timestamp) {
      self.entries = entries
      self.released = released
    }

    init?(row: RawSpan) {
      var field = RowOffset()
      entries = field.word(row)
      released = Timestamp(milliseconds: field.signed(row))
      guard field.isAtEnd(row) else { return nil }
    }
  }

  /// How many entries name a body, by its row; nil if that cannot be decoded.
  static func entries(of row: RawSpan) -> Int? { Count(row: row).map { Int($0.entries) } }

  private struct Changed {
    var count: Count?
    let stored: Count?
  }

  private let counts: Table
  private let released: Table
  private var changes = TouchedRows<Changed>()

  init(counts: Table, released: Table) {
    self.counts = counts
    self.released = released
  }

  /// One more entry names it. An entry of what the upstream does not have names none.
  mutating func name(
    _ digest: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard !digest.isEmpty else { return }
    let place = try place(of: digest, in: transaction)
    let entries = changes[place].count?.entries ?? 0
    changes[place].count = Count(entries: entries + 1, released: .none)
  }

  /// One entry less names it.
  mutating func release(
    _ digest: [UInt8], at time: Timestamp, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard !digest.isEmpty else { return }
    let place = try place(of: digest, in: transaction)
    guard var count = changes[place].count, count.entries > 0 else { return }
    count.entries -= 1
    if count.entries == 0 { count.released = time }
    changes[place].count = count
  }

  /// Forgets bodies that were removed, or says why they cannot be and leaves everything as it was.
  mutating func prune(
    _ digests: [[UInt8]], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    var places: [Int] = []
    for digest in digests {
      guard !digest.isEmpty else { return "no entry ever named a body that it removes" }
      let place = try place(of: digest, in: transaction)
      guard let count = changes[place].count else {
        return "no entry ever named a body that it removes"
      }
      guard count.entries == 0 else { return "an entry names a body that it removes" }
      places.append(place)
    }
    for place in places { changes[place].count = nil }
    return nil
  }

  private mutating func place(
    of digest: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int {
    try changes.place(of: KeyBytes(digest)) { () throws(LMDBError) in
      let stored = try transaction.row(forKey: digest.span, in: counts) { Count(row: $0) }
      return Changed(count: stored, stored: stored)
    }
  }

  /// Writes what changed.
  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    let nothing: [UInt8] = []
    var row: [UInt8] = []
    try changes.inKeyOrder { (digest, change) throws(LMDBError) in
      guard change.count != change.stored else { return }
      if let old = change.stored, old.entries == 0 {
        let key = CacheKey.key(old.released, followedBy: digest.bytes)
        _ = try transaction.delete(key: key.span, in: released)
      }
      guard let new = change.count else {
        _ = try transaction.delete(key: digest.bytes.span, in: counts)
        return
      }
      row.removeAll(keepingCapacity: true)
      row.append(bigEndian: new.entries)
      row.append(field: new.released.milliseconds)
      try transaction.put(row.span, forKey: digest.bytes.span, in: counts)
      if new.entries == 0 {
        let key = CacheKey.key(new.released, followedBy: digest.bytes)
        try transaction.put(nothing.span, forKey: key.span, in: released)
      }
    }
  }
}

extension Timestamp {
  /// Stands where there is no instant.
  fileprivate static let none = Timestamp(milliseconds: 0)
}
