import CLMDB
import Glibc

/// A refusal or failure of LMDB: which call, on which table, and what went wrong.
///
/// It carries no keys and no values, so it may be logged as it is.
package struct LMDBError: Error, Hashable, Sendable {
  /// What went wrong.
  package let kind: Kind
  /// The C function that answered with the failure.
  package let operation: Operation
  /// The table that was read or written; nil for calls on the whole environment.
  package let table: String?
  /// The folder of the scratch environment that failed; nil: it was no scratch environment.
  package private(set) var scratch: String?

  /// Makes an error; for ``StorageFailure`` tests of other targets, too.
  package init(_ kind: Kind, _ operation: Operation, table: String? = nil) {
    self.kind = kind
    self.operation = operation
    self.table = table
  }

  /// The same as the trouble of a scratch environment, which says nothing about what is kept.
  package func inScratch(_ folder: String) -> LMDBError {
    var error = self
    error.scratch = folder
    return error
  }

  /// Whether the disk, the quota or the reserved map is full: the one failure that passes by itself
  /// when room is made. Reading goes on meanwhile.
  package var isOutOfSpace: Bool { kind == .mapFull || kind == .noSpace }

  /// A short bounded name for metrics and log fields, without values.
  package var label: StaticString { kind.label }
}

extension LMDBError {
  /// What can go wrong, as far as a caller might act on it.
  package enum Kind: Hashable, Sendable {
    /// The reserved map is used up (`MDB_MAP_FULL`).
    case mapFull
    /// The disk, the quota or the file size limit is used up (`ENOSPC`, `EDQUOT`, `EFBIG`).
    case noSpace
    /// The operating system refused, with its `errno`: a missing folder, no permission, a bad disk.
    case inputOutput(errno: Int32)
    /// The key is there already, or, when appending, is not greater than the last one.
    case keyExists
    /// No such key; from ``Environment/openTables(_:)``: no such table in a read-only environment.
    case notFound
    /// More read transactions at once than ``EnvironmentOptions/maximumReaders``.
    case readersFull
    /// The lock file cannot be written, since the file system is read-only: a writer would not know of this reader.
    case noReaderSlots
    /// More tables than ``EnvironmentOptions/maximumTables``.
    case tablesFull
    /// One write transaction touched more pages than LMDB can track (512 MiB).
    case transactionFull
    /// The file is damaged (`MDB_CORRUPTED`, `MDB_PAGE_NOTFOUND`).
    case corrupted
    /// An earlier failure while writing made this open environment unusable: open it anew.
    case unusable
    /// A stored value is not what its writer writes: told by whoever decodes it, not by LMDB.
    case undecodable
    /// The file is shorter than its pages: it was cut.
    case cutShort(bytes: Int, needed: Int)
    /// The address space that the process may have is too small for the map.
    case addressSpace(map: Int, limit: Int?)
    /// This process may not use a file, and why.
    case denied(reason: String)
    /// Another process has let the file grow beyond the map of this one (`MDB_MAP_RESIZED`).
    case mapOutgrown
    /// The file was written by another format of LMDB.
    case versionMismatch
    /// The file is not an LMDB file.
    case invalid
    /// An empty key, a key above 511 bytes, or a value above 4 GiB.
    case badValueSize
    /// A ``Table`` of another environment, or one opened after this transaction began.
    case badTable
    /// The transaction met a failure before and can only be given up.
    case badTransaction
    /// Another process holds what this call needs (`EBUSY`, `EAGAIN`).
    case busy
    /// This process has the environment open already, from this folder.
    case alreadyOpen(path: String)
    /// Any other code of LMDB.
    case other(code: Int32)

    /// The one translation of LMDB's return codes and `errno` values.
    init(code: Int32) {
      switch code {
      case MDB_MAP_FULL: self = .mapFull
      case ENOSPC, EDQUOT, EFBIG: self = .noSpace
      case MDB_KEYEXIST: self = .keyExists
      case MDB_NOTFOUND: self = .notFound
      case MDB_READERS_FULL: self = .readersFull
      case MDB_DBS_FULL: self = .tablesFull
      case MDB_TXN_FULL: self = .transactionFull
      case MDB_CORRUPTED, MDB_PAGE_NOTFOUND: self = .corrupted
      case MDB_PANIC: self = .unusable
      case MDB_MAP_RESIZED: self = .mapOutgrown
      case MDB_VERSION_MISMATCH: self = .versionMismatch
      case MDB_INVALID: self = .invalid
      case MDB_BAD_VALSIZE: self = .badValueSize
      case MDB_BAD_DBI: self = .badTable
      case MDB_BAD_TXN: self = .badTransaction
      case EBUSY, EAGAIN: self = .busy
      case 1...: self = .inputOutput(errno: code)
      default: self = .other(code: code)
      }
    }

    fileprivate var label: StaticString {
      switch self {
      case .mapFull: "map_full"
      case .noSpace: "no_space"
      case .inputOutput: "input_output"
      case .keyExists: "key_exists"
      case .notFound: "not_found"
      case .readersFull: "readers_full"
      case .noReaderSlots: "no_reader_slots"
      case .tablesFull: "tables_full"
      case .transactionFull: "transaction_full"
      case .corrupted: "corrupted"
      case .unusable: "unusable"
      case .undecodable: "undecodable"
      case .cutShort: "cut_short"
      case .addressSpace: "address_space"
      case .denied: "denied"
      case .mapOutgrown: "map_outgrown"
      case .versionMismatch: "version_mismatch"
      case .invalid: "invalid"
      case .badValueSize: "bad_value_size"
      case .badTable: "bad_table"
      case .badTransaction: "bad_transaction"
      case .busy: "busy"
      case .alreadyOpen: "already_open"
      case .other: "other"
      }
    }

    fileprivate var explanation: String {
      switch self {
      case .mapFull: "the reserved map is full; open the environment with a larger map size"
      case .noSpace: "no space is left on the disk or in the quota"
      case .inputOutput(let code): Self.systemMessage(code)
      case .keyExists: "the key exists already or does not follow the last one"
      case .notFound: "not found"
      case .readersFull: "all reader slots are taken"
      case .noReaderSlots:
        "the file system is read-only, so that whoever writes would not know of this reader"
      case .tablesFull: "all table slots are taken"
      case .transactionFull: "the transaction changes too many pages; write in smaller portions"
      case .corrupted: "the file is damaged; restore it from a snapshot"
      case .unusable: "an earlier failed write made the environment unusable; open it again"
      case .undecodable: "a stored value cannot be decoded; it is damaged"
      case .cutShort(let bytes, let needed):
        "the file has been cut short: it is \(bytes) bytes long, and its pages take \(needed)"
      case .addressSpace(let map, let limit): Self.addressSpaceMessage(map, limit)
      case .denied(let reason): reason
      case .mapOutgrown: "the file has grown beyond the map of this process; open it again"
      case .versionMismatch: "the file has the format of another LMDB version"
      case .invalid: "the file is not an LMDB file"
      case .badValueSize: "the key is empty or longer than 511 bytes, or the value is too large"
      case .badTable: "the table is not one of this transaction's environment"
      case .badTransaction: "the transaction failed before and must be given up"
      case .busy: "another process is using it"
      case .alreadyOpen(let path): "this process has \(path) open already"
      case .other(let code): "LMDB code \(code)"
      }
    }

    private static func addressSpaceMessage(_ map: Int, _ limit: Int?) -> String {
      let bound = limit.map { "of which the process may have \($0) bytes (ulimit -v)" }
      return "the map takes \(map) bytes of address space, "
        + (bound ?? "which the system does not give")
        + "; raise the limit, or open the environment with a smaller map size"
    }

    private static func systemMessage(_ code: Int32) -> String {
      // SAFETY: glibc answers with a constant text, or a thread-local one for unknown numbers; it
      // is copied at once.
      guard let text = unsafe strerror(code) else { return "errno \(code)" }
      return unsafe "\(String(cString: text)) (errno \(code))"
    }
  }

  /// The functions of LMDB (and one of the system) that this wrapper calls, by their C names.
  package enum Operation: String, Sendable {
    case createEnvironment = "mdb_env_create"
    case setMapSize = "mdb_env_set_mapsize"
    case setMaximumTables = "mdb_env_set_maxdbs"
    case setMaximumReaders = "mdb_env_set_maxreaders"
    case openEnvironment = "mdb_env_open"
    case environmentInformation = "mdb_env_info"
    case environmentStatistics = "mdb_env_stat"
    case sync = "mdb_env_sync"
    case checkReaders = "mdb_reader_check"
    case listReaders = "mdb_reader_list"
    case begin = "mdb_txn_begin"
    case commit = "mdb_txn_commit"
    case openTable = "mdb_dbi_open"
    case tableStatistics = "mdb_stat"
    case get = "mdb_get"
    case put = "mdb_put"
    case delete = "mdb_del"
    case drop = "mdb_drop"
    case openCursor = "mdb_cursor_open"
    case moveCursor = "mdb_cursor_get"
    case inspectFolder = "stat"
  }
}

extension LMDBError: CustomStringConvertible {
  package var description: String {
    let place = table.map { " on table \($0)" } ?? ""
    let message = "\(operation.rawValue)\(place): \(kind.explanation)"
    guard let scratch else { return message }
    return "the scratch folder \(scratch) cannot be used, and the log is untouched: \(message)"
  }
}

extension LMDBError {
  init(code: Int32, _ operation: Operation, table: String? = nil) {
    self.init(Kind(code: code), operation, table: table)
  }

  /// Throws unless `code` says success.
  static func check(
    _ code: Int32, _ operation: Operation, table: String? = nil
  ) throws(LMDBError) {
    if code != MDB_SUCCESS { throw LMDBError(code: code, operation, table: table) }
  }
}

/// An error that can carry a failure of the store below it.
///
/// A transaction fails as LMDB does or as its body does, and has one error type for both: an enum
/// with a case `storage(LMDBError)` conforms by saying so.
package protocol StorageFailure: Error {
  /// Wraps a failure of the store.
  static func storage(_ error: LMDBError) -> Self
}

extension LMDBError: StorageFailure {
  package static func storage(_ error: LMDBError) -> LMDBError { error }
}

extension StorageFailure {
  /// Does one thing with the store inside code that throws this error, and wraps its failure:
  /// `try LogError.absorbing(try txn.put(value.span, forKey: key.span, in: table))`.
  package static func absorbing<R: ~Copyable>(
    _ action: @autoclosure () throws(LMDBError) -> R
  ) throws(Self) -> R {
    do throws(LMDBError) { return try action() } catch { throw Self.storage(error) }
  }

  /// The same for several things: `try LogError.inTables { () throws(LMDBError) in … }`.
  package static func inTables<R: ~Copyable>(
    _ body: () throws(LMDBError) -> R
  ) throws(Self) -> R {
    do throws(LMDBError) { return try body() } catch { throw Self.storage(error) }
  }
}
