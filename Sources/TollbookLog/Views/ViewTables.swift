import Bytes
package import LMDB
package import TollbookEvents

/// Where a view stands: its row in `views`.
///
/// Stored as the last position that its tables contain (8 bytes) and, for the second set of tables, a 1.
package struct ViewRow: Hashable, Sendable {
  package var position: Position
  /// Which of the two sets of tables is in force. A view that is rebuilt while it is read grows in the other one.
  package var generation: UInt8

  package init(position: Position, generation: UInt8 = 0) {
    self.position = position
    self.generation = generation
  }

  package init(bytes: RawSpan) {
    position = bytes.byteCount < 8 ? 0 : bytes.bigEndianUInt64(at: 0)
    generation = bytes.byteCount > 8 && bytes.byte(at: 8) == 1 ? 1 : 0
  }

  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: position)
    if generation != 0 { bytes.append(generation) }
    return bytes
  }

  /// The row of a fold's view, nil if there is none yet.
  package static func of(
    _ fold: Fold, _ views: Table, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> ViewRow? {
    try transaction.withValue(forKey: Array(fold.id.utf8).span, in: views) { ViewRow(bytes: $0) }
  }
}

extension Fold.Source {
  /// The names of its tables in a generation.
  func tables(ofGeneration generation: UInt8) -> [String] {
    Fold.names(tables, ofGeneration: generation)
  }
}

extension Fold {
  /// How many sets of tables a view has: the one that is read, and the one in which it is built anew.
  static let generations: UInt8 = 2

  /// The names of its tables in a generation: `cache@1.entries` in the first, `cache@1.entries#1` in the second.
  package func tables(ofGeneration generation: UInt8) -> [String] {
    Self.names(tables, ofGeneration: generation)
  }

  fileprivate static func names(_ tables: [String], ofGeneration generation: UInt8) -> [String] {
    generation == 0 ? tables : tables.map { "\($0)#\(generation)" }
  }
}

/// The tables of a fold, as a reader finds them.
///
/// Which of the two sets is in force is looked up inside the reader's transaction, so that a reader never mixes what was
/// before a rebuild with what came after it.
package struct ViewTables: Sendable {
  private enum Source {
    case fixed([Table])
    /// By generation. The second is missing only where nobody has written since there are two.
    case log(generations: [[Table]], views: Table, key: [UInt8])
  }

  private let source: Source

  /// Tables that are always in force, in the fold's order: those of a scratch replay.
  package init(_ tables: [Table]) { source = .fixed(tables) }

  init(of fold: Fold, generations: [[Table]], views: Table) {
    source = .log(generations: generations, views: views, key: Array(fold.id.utf8))
  }

  /// The tables of a log's environment, which may be open only to be read, beside the owner.
  ///
  /// - Throws: `.noView` if it has no such view: a directory that another version of Tollbook kept last, and that this one
  ///   has not started on, has only that version's.
  package init(of fold: Fold, in environment: Environment) throws(LogError) {
    let names = Set(try LogError.absorbing(try environment.tableNames()))
    let sets = (0..<Fold.generations).map { fold.tables(ofGeneration: $0) }
      .prefix { $0.allSatisfy(names.contains) }
    guard !sets.isEmpty else { throw .noView(fold.id) }
    let views = try LogError.absorbing(try environment.openTables([LogTables.viewsName])[0])
    let generations = try sets.map { (set) throws(LogError) in
      try LogError.absorbing(try environment.openTables(set))
    }
    self.init(of: fold, generations: generations, views: views)
  }

  /// The tables in force in a transaction, in the fold's order. They hold for that transaction only.
  package func open(in reading: borrowing LogReading) throws(LogError) -> [Table] {
    switch source {
    case .fixed(let tables): return tables
    case .log(let generations, let views, let key):
      let row = try LogError.absorbing(
        try reading.withValue(forKey: key.span, in: views) { ViewRow(bytes: $0) })
      let generation = Int(row?.generation ?? 0)
      guard generation < generations.count else {
        // Made by the owner after this process began to read: reading anew finds it.
        throw .storage(
          LMDBError(.badTable, .openTable, table: generations[0].first?.name))
      }
      return generations[generation]
    }
  }
}
