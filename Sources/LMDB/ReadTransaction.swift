import Bytes
import CLMDB

/// One unchanging view of an environment, lent to a closure.
///
/// It pins the pages it may see, so that the file grows while it lasts: keep it short. It can be
/// neither copied nor kept nor carried over an `await`.
@safe package struct ReadTransaction: ~Copyable {
  let handle: OpaquePointer

  /// Takes over a transaction that was begun and ends it with this value.
  init(adopting handle: OpaquePointer) { unsafe self.handle = handle }

  deinit { unsafe mdb_txn_abort(handle) }

  /// Ends the transaction and returns LMDB's answer. The handle is gone even if that is a failure.
  consuming func commit() -> Int32 {
    let handle = unsafe handle
    discard self
    return unsafe mdb_txn_commit(handle)
  }

  /// The number of the commit this view shows; in a write transaction, of the one being made.
  package var id: Int { unsafe mdb_txn_id(handle) }
}

// MARK: - One key

extension ReadTransaction {
  /// Shows the value of a key to `body`.
  ///
  /// - Parameter body: Gets the stored bytes without a copy, valid during the call only.
  /// - Returns: What `body` returned, or nil if the key is not there.
  /// - Throws: ``LMDBError``; `badValueSize` for an empty or too long key.
  /// - Complexity: O(log n) pages.
  package borrowing func withValue<R: ~Copyable>(
    forKey key: Span<UInt8>, in table: Table, _ body: (RawSpan) -> R
  ) throws(LMDBError) -> R? {
    var value = unsafe MDB_val()
    guard unsafe try find(key, in: table, &value) else { return nil }
    // SAFETY: the value lies in the map until this transaction ends, and nobody can write through
    // it before, since that takes the transaction for itself.
    let buffer = unsafe value.buffer
    return unsafe body(buffer.bytes)
  }

  /// Copies the value of a key; nil if the key is not there.
  package borrowing func value(
    forKey key: Span<UInt8>, in table: Table
  ) throws(LMDBError) -> [UInt8]? {
    var value = unsafe MDB_val()
    return unsafe try find(key, in: table, &value) ? value.copied : nil
  }

  /// Whether the table has this key.
  package borrowing func contains(
    key: Span<UInt8>, in table: Table
  ) throws(LMDBError) -> Bool {
    var value = unsafe MDB_val()
    return unsafe try find(key, in: table, &value)
  }

  private borrowing func find(
    _ key: Span<UInt8>, in table: Table, _ value: inout MDB_val
  ) throws(LMDBError) -> Bool {
    let code = unsafe withMDBValue(of: key) { key in
      unsafe mdb_get(handle, table.index, &key, &value)
    }
    if code == MDB_NOTFOUND { return false }
    try LMDBError.check(code, .get, table: table.name)
    return true
  }
}

// MARK: - Whole tables

extension ReadTransaction {
  /// How many entries the table has, from a counter.
  package borrowing func count(in table: Table) throws(LMDBError) -> Int {
    try statistics(of: table).ms_entries
  }

  /// How many bytes the pages of the table take, from counters.
  package borrowing func bytes(in table: Table) throws(LMDBError) -> Int {
    let found = try statistics(of: table)
    let pages = found.ms_branch_pages + found.ms_leaf_pages + found.ms_overflow_pages
    return pages * Int(found.ms_psize)
  }

  /// How many bytes of the file are free for writing again.
  ///
  /// The file never shrinks: headroom is what was never used plus this.
  ///
  /// - Parameter oldest: the commit that the oldest running reader sees. What was freed by then or
  ///   later it may still read: that is not free before the reader has ended.
  /// - Complexity: O(length of the list of free pages).
  package borrowing func reusableBytes(seenSince oldest: Int = .max) throws(LMDBError) -> Int {
    var pages = 0
    // The key is the commit that freed them. Each entry begins with how many pages it lists. Both
    // are words of the machine.
    try scan(.freeList) { commit, list in
      guard commit.nativeWord(at: 0) < oldest else { return .stop }
      pages += list.nativeWord(at: 0)
      return .next
    }
    return try pages * Int(statistics(of: .freeList).ms_psize)
  }

  /// The least key; nil if the table is empty.
  package borrowing func firstKey(in table: Table) throws(LMDBError) -> [UInt8]? {
    try end(of: table, last: false)?.key
  }

  /// The greatest key; nil if the table is empty.
  package borrowing func lastKey(in table: Table) throws(LMDBError) -> [UInt8]? {
    try end(of: table, last: true)?.key
  }

  /// The entry with the greatest key; nil if the table is empty.
  package borrowing func lastEntry(
    in table: Table
  ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
    try end(of: table, last: true)
  }

  private borrowing func end(
    of table: Table, last: Bool
  ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
    var cursor = try Cursor(in: self, over: table)
    guard try cursor.moveToEnd(last: last) else { return nil }
    return cursor.read { key, value in ([UInt8](copying: key), [UInt8](copying: value)) }
  }

  private borrowing func statistics(of table: Table) throws(LMDBError) -> MDB_stat {
    var found = MDB_stat()
    let code = unsafe mdb_stat(handle, table.index, &found)
    try LMDBError.check(code, .tableStatistics, table: table.name)
    return found
  }
}
