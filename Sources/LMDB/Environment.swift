import Bytes
import CLMDB
import Glibc
import Synchronization

/// How an environment is opened.
package struct EnvironmentOptions: Sendable, Hashable {
  /// Bytes of address space to reserve: the most the file can ever grow to. Costs nothing until
  /// used and cannot change while open. A multiple of the page size.
  package var mapSize: Int
  /// How many named tables can be open.
  package var maximumTables: Int
  /// How many read transactions can run at once, over all processes.
  package var maximumReaders: Int
  /// Refuses writing; several processes may read beside the one that writes.
  package var isReadOnly: Bool
  /// Leaves out fsync: a crash of the machine may lose commits or the whole file. Only for scratch
  /// environments, which are thrown away anyway.
  package var unsafeWithoutSync: Bool
  /// Whether a smaller map will do where the process may not have so much address space: to read a file, or for a
  /// scratch environment.
  package var mayMapLess: Bool
  /// Whether everybody who wrote to the file let it reach to its last page, as this wrapper does since format 2 of the
  /// log: see ``FileExtent``.
  package var isKeptWhole: Bool
  /// Whether reading will do without a slot where the lock file cannot be written, on a read-only file system. Only for
  /// who keeps every writer away meanwhile: one that does not know of a reader writes over what it reads.
  package var mayReadWithoutSlot: Bool

  /// Options for an environment; the defaults reserve 256 GiB and are durable.
  package init(
    mapSize: Int = 1 << 38, maximumTables: Int = 128, maximumReaders: Int = 1024,
    isReadOnly: Bool = false, unsafeWithoutSync: Bool = false, mayMapLess: Bool = false,
    isKeptWhole: Bool = true, mayReadWithoutSlot: Bool = false
  ) {
    self.mapSize = mapSize
    self.maximumTables = maximumTables
    self.maximumReaders = maximumReaders
    self.isReadOnly = isReadOnly
    self.unsafeWithoutSync = unsafeWithoutSync
    self.mayMapLess = mayMapLess
    self.isKeptWhole = isKeptWhole
    self.mayReadWithoutSlot = mayReadWithoutSlot
  }
}

/// One open LMDB folder: `data.mdb`, `lock.mdb`, and the tables in them.
///
/// Many threads may read at once and never wait; one at a time writes. A commit is durable when
/// the call that made it returns. The environment closes with its last reference. Not to be used
/// after `fork`.
@safe package final class Environment: @unchecked Sendable {
  // SAFETY: of the stored properties only `openTableNames`, `writer` and `reservedEnd` change, under
  // a lock and as atomics. LMDB allows all threads to use one environment; the two things it
  // forbids, opening tables from two threads at once and closing while in use, are kept away by
  // `openTableNames` and by every transaction borrowing `self`.

  /// The folder, as given.
  package let directory: String
  /// The options it was opened with.
  package let options: EnvironmentOptions

  let handle: OpaquePointer
  let claim: FolderClaim
  private let guardian: (any Sendable)?
  private let openTableNames = Mutex<Set<String>>([])
  /// The thread that has the write transaction, or 0.
  let writer = Atomic<UInt>(0)
  /// Up to where the blocks of the data file are its own; see ``reserve(_:behind:)``.
  let reservedEnd = Atomic(0)

  /// Opens the environment in a folder that exists, and creates its files if need be.
  ///
  /// - Parameters:
  ///   - directory: A folder on a local disk.
  ///   - options: See there.
  ///   - guardian: kept as long as the environment.
  /// - Throws: ``LMDBError``; `noReaderSlots` on a read-only file system; `alreadyOpen` if this
  ///   process has it open by whatever path, since closing one of two would drop the locks of both.
  ///   A failed opening can be tried again.
  package init(
    directory: String, options: EnvironmentOptions = EnvironmentOptions(),
    guardian: (any Sendable)? = nil
  ) throws(LMDBError) {
    self.directory = directory
    self.guardian = guardian
    claim = try FolderClaim(on: directory)
    do throws(LMDBError) {
      try LockFile.reserve(in: directory, options)
      var options = options
      unsafe handle = try Self.openMappingLess(directory, &options)
      self.options = options
    } catch {
      claim.release()
      throw error
    }
  }

  deinit {
    unsafe mdb_env_close(handle)
    claim.release()
  }

  /// Opens it, with a smaller map where that will do and no more can be had. Notes the size.
  private static func openMappingLess(
    _ directory: String, _ options: inout EnvironmentOptions
  ) throws(LMDBError) -> OpaquePointer {
    while true {
      do throws(LMDBError) {
        return unsafe try open(directory, options)
      } catch {
        guard options.mayMapLess, case .addressSpace = error.kind,
          let less = MapSize.next(below: options.mapSize, for: directory, options)
        else { throw error }
        options.mapSize = less
      }
    }
  }

  private static func open(
    _ directory: String, _ options: EnvironmentOptions
  ) throws(LMDBError) -> OpaquePointer {
    var created: OpaquePointer?
    let code = unsafe mdb_env_create(&created)
    guard let handle = unsafe created else { throw LMDBError(code: code, .createEnvironment) }
    do throws(LMDBError) {
      unsafe try configure(handle, directory, options)
    } catch {
      unsafe mdb_env_close(handle)  // LMDB wants this even if opening failed.
      throw error
    }
    return unsafe handle
  }

  @unsafe private static func configure(
    _ handle: OpaquePointer, _ directory: String, _ options: EnvironmentOptions
  ) throws(LMDBError) {
    let tables = UInt32(clamping: options.maximumTables)
    let readers = UInt32(clamping: options.maximumReaders)
    try LMDBError.check(unsafe mdb_env_set_mapsize(handle, options.mapSize), .setMapSize)
    try LMDBError.check(unsafe mdb_env_set_maxdbs(handle, tables), .setMaximumTables)
    try LMDBError.check(unsafe mdb_env_set_maxreaders(handle, readers), .setMaximumReaders)
    // Tasks move between threads, so a reader slot belongs to its transaction and not to a thread.
    var flags: EnvironmentFlags = .withoutThreadLocalReaders
    if options.isReadOnly { flags.insert(.readOnly) }
    if options.unsafeWithoutSync { flags.insert(.withoutSync) }
    let code = unsafe mdb_env_open(handle, directory, flags.rawValue, 0o600)
    if code != MDB_SUCCESS { throw MapSize.openError(code, directory, options) }
    guard unsafe options.mayReadWithoutSlot || LockFile.isUsed(by: handle) else {
      throw LMDBError(.noReaderSlots, .openEnvironment)
    }
    unsafe try FileExtent.check(handle, isKeptWhole: options.isKeptWhole)
    unsafe try openDirectoryTable(handle)
  }

  /// Makes the table of tables known to LMDB, here where nobody else can be using it.
  @unsafe private static func openDirectoryTable(_ handle: OpaquePointer) throws(LMDBError) {
    let transaction = unsafe try begin(handle, .readOnly)
    var index: MDB_dbi = 0
    try LMDBError.check(unsafe mdb_dbi_open(transaction.handle, nil, 0, &index), .openTable)
    precondition(index == Table.directory.index, "LMDB numbers its own tables 0 and 1")
  }

  @unsafe static func begin(
    _ handle: OpaquePointer, _ flags: TransactionFlags
  ) throws(LMDBError) -> ReadTransaction {
    var begun: OpaquePointer?
    let code = unsafe mdb_txn_begin(handle, nil, flags.rawValue, &begun)
    guard let begun = unsafe begun else { throw LMDBError(code: code, .begin) }
    return unsafe ReadTransaction(adopting: begun)
  }
}

// MARK: - Tables

extension Environment {
  /// Opens tables by name, all in one transaction, and creates those that are missing.
  ///
  /// - Parameter names: Not empty each, without U+0000. Opening one twice is fine.
  /// - Returns: The tables in the order of the names.
  /// - Throws: ``LMDBError``; `tablesFull`; in a read-only environment, `notFound` for the first
  ///   table that is missing.
  package func openTables(_ names: [String]) throws(LMDBError) -> [Table] {
    try openTableNames.withLock { (open) throws(LMDBError) in
      let tables =
        options.isReadOnly ? try openExistingTables(names) : try createTables(names)
      open.formUnion(names)
      return tables
    }
  }

  private func createTables(_ names: [String]) throws(LMDBError) -> [Table] {
    try withWriteTransaction { (transaction) throws(LMDBError) in
      try Self.open(names, in: transaction.reading, .create)
    }
  }

  private func openExistingTables(_ names: [String]) throws(LMDBError) -> [Table] {
    let transaction = unsafe try Self.begin(handle, .readOnly)
    let tables = try Self.open(names, in: transaction, [])
    // The handles outlive the transaction only if it is committed.
    try LMDBError.check(transaction.commit(), .commit)
    return tables
  }

  private static func open(
    _ names: [String], in transaction: borrowing ReadTransaction, _ flags: TableFlags
  ) throws(LMDBError) -> [Table] {
    var tables: [Table] = []
    for name in names {
      precondition(!name.isEmpty && !name.utf8.contains(0), "a table needs a name")
      var index: MDB_dbi = 0
      let code = unsafe mdb_dbi_open(transaction.handle, name, flags.rawValue, &index)
      try LMDBError.check(code, .openTable, table: name)
      tables.append(Table(name: name, index: index))
    }
    return tables
  }

  /// The names of all tables in the file, open or not, in the order of their bytes.
  package func tableNames() throws(LMDBError) -> [String] {
    var names: [String] = []
    try withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(.directory) { (name, _) throws(LMDBError) in
        if let name = name.utf8String { names.append(name) }
        return .next
      }
    }
    return names
  }

  /// Removes tables with all their entries, in one transaction; missing ones are passed over.
  ///
  /// - Parameter names: Tables that this environment has not opened. LMDB reuses the handle of a
  ///   deleted table, so a ``Table`` still around would silently mean another one; use
  ///   ``WriteTransaction/clear(_:)`` for an open table and delete it at the next start.
  /// - Complexity: O(pages of the tables).
  package func deleteTables(_ names: [String]) throws(LMDBError) {
    try openTableNames.withLock { (open) throws(LMDBError) in
      precondition(open.isDisjoint(with: names), "an open table cannot be deleted")
      try withWriteTransaction { (transaction) throws(LMDBError) in
        for name in names { try transaction.deleteTable(named: name) }
      }
    }
  }
}
