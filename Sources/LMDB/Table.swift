import CLMDB

/// A named table of one environment: an ordered map from keys (1 to 511 bytes) to values.
///
/// Made by ``Environment/openTables(_:)`` and valid, on all threads, as long as that environment.
package struct Table: Sendable, Hashable {
  /// The name under which the file keeps it.
  package let name: String
  /// LMDB's handle.
  let index: MDB_dbi

  /// The table of tables: name → root. LMDB gives it the same handle in every environment.
  static let directory = Table(name: "(tables)", index: 1)
  /// The pages that may be written again: transaction id → count, page numbers.
  static let freeList = Table(name: "(free pages)", index: 0)
}
