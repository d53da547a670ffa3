import Bytes
import CLMDB

/// A place in one table, closed when it goes out of scope and so before its transaction ends.
@safe struct Cursor: ~Copyable {
  private let handle: OpaquePointer
  private let table: Table
  private var currentKey = unsafe MDB_val()
  private var currentValue = unsafe MDB_val()

  /// Opens a cursor that stands nowhere yet.
  init(in transaction: borrowing ReadTransaction, over table: Table) throws(LMDBError) {
    var opened: OpaquePointer?
    let code = unsafe mdb_cursor_open(transaction.handle, table.index, &opened)
    guard let opened = unsafe opened else {
      throw LMDBError(code: code, .openCursor, table: table.name)
    }
    unsafe handle = opened
    self.table = table
  }

  deinit { unsafe mdb_cursor_close(handle) }

  /// Goes to the first or the last entry; false if the table is empty.
  mutating func moveToEnd(last: Bool) throws(LMDBError) -> Bool {
    try move(last ? MDB_LAST : MDB_FIRST)
  }

  /// Goes one entry on, up or down; false if there is none.
  mutating func advance(descending: Bool) throws(LMDBError) -> Bool {
    try move(descending ? MDB_PREV : MDB_NEXT)
  }

  /// Goes to the first key that is not less than `bound`; false if there is none.
  mutating func seek(atLeast bound: Span<UInt8>) throws(LMDBError) -> Bool {
    // SAFETY: LMDB reads the bound and then lets the key point into the map instead.
    let code = unsafe withMDBValue(of: bound) { value in
      unsafe currentKey = value
      return unsafe mdb_cursor_get(handle, &currentKey, &currentValue, MDB_SET_RANGE)
    }
    return try found(code)
  }

  /// Goes to the last key that is not greater than `bound`; false if there is none.
  mutating func seek(atMost bound: Span<UInt8>) throws(LMDBError) -> Bool {
    guard try seek(atLeast: bound) else { return try moveToEnd(last: true) }
    let isThere = read { key, _ in key.elementsEqual(bound) }
    if isThere { return true }
    return try advance(descending: true)
  }

  /// Shows the entry the cursor stands on; both spans are valid during the call only.
  borrowing func read<R: ~Copyable, E: Error>(
    _ body: (_ key: RawSpan, _ value: RawSpan) throws(E) -> R
  ) throws(E) -> R {
    // SAFETY: the last move succeeded, so both point into the map, which no one can write through
    // this transaction while the cursor borrows it.
    let key = unsafe currentKey.buffer
    let value = unsafe currentValue.buffer
    return unsafe try body(key.bytes, value.bytes)
  }

  private mutating func move(_ direction: MDB_cursor_op) throws(LMDBError) -> Bool {
    try found(unsafe mdb_cursor_get(handle, &currentKey, &currentValue, direction))
  }

  private borrowing func found(_ code: Int32) throws(LMDBError) -> Bool {
    if code == MDB_NOTFOUND { return false }
    try LMDBError.check(code, .moveCursor, table: table.name)
    return true
  }
}
