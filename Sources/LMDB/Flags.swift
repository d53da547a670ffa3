import CLMDB

// The same bit means different things to different functions of LMDB (0x20000 is "read-only" to one
// and "append" to another), so each family is a type of its own.

/// For `mdb_env_open`.
struct EnvironmentFlags: OptionSet {
  let rawValue: UInt32
  static let readOnly = Self(rawValue: UInt32(MDB_RDONLY))
  static let withoutThreadLocalReaders = Self(rawValue: UInt32(MDB_NOTLS))
  static let withoutSync = Self(rawValue: UInt32(MDB_NOSYNC))
}

/// For `mdb_txn_begin`.
struct TransactionFlags: OptionSet {
  let rawValue: UInt32
  static let readOnly = Self(rawValue: UInt32(MDB_RDONLY))
}

/// For `mdb_dbi_open`.
struct TableFlags: OptionSet {
  let rawValue: UInt32
  static let create = Self(rawValue: UInt32(MDB_CREATE))
}

/// For `mdb_put`.
struct PutFlags: OptionSet {
  let rawValue: UInt32
  static let append = Self(rawValue: UInt32(MDB_APPEND))
  static let withoutOverwriting = Self(rawValue: UInt32(MDB_NOOVERWRITE))
}
