import CLMDB

/// The one transaction that may change an environment, lent to a closure.
///
/// Nothing of it is visible to others before its commit, and all of it after. Writing takes the
/// whole transaction, so no span read from it can be alive at that moment: copy or decode first.
package struct WriteTransaction: ~Copyable {
  /// Reads what this transaction would commit.
  package let reading: ReadTransaction
  private let environment: Environment

  init(_ reading: consuming ReadTransaction, of environment: Environment) {
    self.reading = reading
    self.environment = environment
  }

  /// Stores a value, replacing the one that is there.
  ///
  /// - Parameters:
  ///   - value: 0 bytes to 4 GiB.
  ///   - key: 1 to 511 bytes.
  ///   - table: A table of this environment.
  /// - Throws: ``LMDBError``. Out of space, the transaction can only be given up: throw it on.
  package mutating func put(
    _ value: Span<UInt8>, forKey key: Span<UInt8>, in table: Table
  ) throws(LMDBError) {
    try check(store(value, key, table, []), .put, table)
  }

  /// Stores a value behind all others, quicker than ``put(_:forKey:in:)`` and with full pages.
  ///
  /// - Parameters:
  ///   - value: 0 bytes to 4 GiB.
  ///   - key: 1 to 511 bytes, greater than every key of the table.
  ///   - table: A table of this environment.
  /// - Throws: ``LMDBError``; `keyExists` if the key is not greater.
  package mutating func append(
    _ value: Span<UInt8>, forKey key: Span<UInt8>, in table: Table
  ) throws(LMDBError) {
    try check(store(value, key, table, .append), .put, table)
  }

  /// Stores an entry behind all others that is read from another environment meanwhile.
  ///
  /// - Throws: ``LMDBError``; `keyExists` if the key is not greater.
  package mutating func append(
    _ value: RawSpan, forKey key: RawSpan, in table: Table
  ) throws(LMDBError) {
    let code = unsafe withMDBValue(of: key) { key in
      unsafe withMDBValue(of: value) { value in
        unsafe mdb_put(reading.handle, table.index, &key, &value, PutFlags.append.rawValue)
      }
    }
    try check(code, .put, table)
  }

  /// Stores a value only if the key is not there yet.
  ///
  /// - Parameters:
  ///   - value: 0 bytes to 4 GiB.
  ///   - key: 1 to 511 bytes.
  ///   - table: A table of this environment.
  /// - Returns: Whether it was stored; if not, the older value stays.
  package mutating func insert(
    _ value: Span<UInt8>, forKey key: Span<UInt8>, in table: Table
  ) throws(LMDBError) -> Bool {
    let code = store(value, key, table, .withoutOverwriting)
    if code == MDB_KEYEXIST { return false }
    try check(code, .put, table)
    return true
  }

  /// Removes an entry.
  ///
  /// - Returns: Whether it was there.
  package mutating func delete(key: Span<UInt8>, in table: Table) throws(LMDBError) -> Bool {
    let code = unsafe withMDBValue(of: key) { key in
      unsafe mdb_del(reading.handle, table.index, &key, nil)
    }
    if code == MDB_NOTFOUND { return false }
    try check(code, .delete, table)
    return true
  }

  /// Removes all entries of a table and keeps the table.
  ///
  /// - Complexity: O(pages of the table): each goes to the list of free pages.
  package mutating func clear(_ table: Table) throws(LMDBError) {
    try check(unsafe mdb_drop(reading.handle, table.index, 0), .drop, table)
  }

  /// Removes a table that is not open, with all its entries.
  mutating func deleteTable(named name: String) throws(LMDBError) {
    var index: MDB_dbi = 0
    let found = unsafe mdb_dbi_open(reading.handle, name, 0, &index)
    if found == MDB_NOTFOUND { return }
    let table = Table(name: name, index: index)
    try check(found, .openTable, table)
    try check(unsafe mdb_drop(reading.handle, index, 1), .drop, table)
  }

  consuming func commit() throws(LMDBError) {
    let environment = environment
    let code = reading.commit()
    if code != MDB_SUCCESS { throw environment.writeError(code, .commit, table: nil) }
  }

  private mutating func store(
    _ value: Span<UInt8>, _ key: Span<UInt8>, _ table: Table, _ flags: PutFlags
  ) -> Int32 {
    unsafe withMDBValue(of: key) { key in
      unsafe withMDBValue(of: value) { value in
        unsafe mdb_put(reading.handle, table.index, &key, &value, flags.rawValue)
      }
    }
  }

  private func check(
    _ code: Int32, _ operation: LMDBError.Operation, _ table: Table
  ) throws(LMDBError) {
    if code == MDB_SUCCESS { return }
    throw environment.writeError(code, operation, table: table.name)
  }
}
