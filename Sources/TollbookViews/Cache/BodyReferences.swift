import LMDB
import TollbookEvents

/// How many entries name each body, and since when none does: changed in memory by a run of events, and written once at
/// its end.
struct BodyReferences {
  private struct Count: Equatable {
    var entries: UInt32
    /// Since when no entry names it; of no meaning while one does.
    var released: Timestamp
  }

  private struct Changed {
    var count: Count?
    let stored: Count?
  }

  private let counts: Table
  private let released: Table
  private var changes: [[UInt8]: Changed] = [:]

  init(counts: Table, released: Table) {
    self.counts = counts
    self.released = released
  }

  /// One more entry names it. An entry of what the upstream does not have names none.
  mutating func name(
    _ digest: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard !digest.isEmpty else { return }
    var count = try count(of: digest, in: transaction) ?? Count(entries: 0, released: .none)
    count.entries += 1
    count.released = .none
    changes[digest]?.count = count
  }

  /// One entry less names it.
  mutating func release(
    _ digest: [UInt8], at time: Timestamp, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard !digest.isEmpty, var count = try count(of: digest, in: transaction), count.entries > 0
    else { return }
    count.entries -= 1
    if count.entries == 0 { count.released = time }
    changes[digest]?.count = count
  }

  /// Forgets bodies that were removed, or says why they cannot be and leaves everything as it was.
  mutating func prune(
    _ digests: [[UInt8]], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    for digest in digests {
      guard !digest.isEmpty, let count = try count(of: digest, in: transaction) else {
        return "no entry ever named a body that it removes"
      }
      guard count.entries == 0 else { return "an entry names a body that it removes" }
    }
    for digest in digests { changes[digest]?.count = nil }
    return nil
  }

  private mutating func count(
    of digest: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Count? {
    if let changed = changes[digest] { return changed.count }
    let stored = try transaction.withValue(forKey: digest.span, in: counts) { row in
      Count(
        entries: row.bigEndianUInt32(at: 0),
        released: Timestamp(milliseconds: Int64(bitPattern: row.bigEndianUInt64(at: 4))))
    }
    changes[digest] = Changed(count: stored, stored: stored)
    return stored
  }

  /// Writes what changed, in key order.
  func write(to transaction: inout WriteTransaction) throws(LMDBError) {
    let nothing: [UInt8] = []
    let changed = changes.filter { $0.value.count != $0.value.stored }
    for (digest, change) in changed.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      if let old = change.stored, old.entries == 0 {
        let key = CacheKey.key(old.released, followedBy: digest)
        _ = try transaction.delete(key: key.span, in: released)
      }
      guard let new = change.count else {
        _ = try transaction.delete(key: digest.span, in: counts)
        continue
      }
      var row: [UInt8] = []
      row.append(bigEndian: new.entries)
      row.append(field: new.released.milliseconds)
      try transaction.put(row.span, forKey: digest.span, in: counts)
      if new.entries == 0 {
        let key = CacheKey.key(new.released, followedBy: digest)
        try transaction.put(nothing.span, forKey: key.span, in: released)
      }
    }
  }
}

extension Timestamp {
  /// Stands where there is no instant.
  fileprivate static let none = Timestamp(milliseconds: 0)
}
