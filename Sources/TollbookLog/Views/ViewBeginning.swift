import Bytes
import LMDB
import TollbookEvents

/// Gives views that are new to a log what they begin with, where that is not the log's first event.
///
/// The rows of an earlier version of the view, if the log has them, become what they are in this one. They are copied in
/// portions that each commit, and the view's row in `views` is written with the last: cut short, it is done anew.
///
/// Where that would not be what the events give, the view is built from them; in a log that goes on from a snapshot, from
/// what the snapshot says and the events after it.
struct ViewBeginning {
  /// Rows and bytes of one transaction.
  private static let portionRows = 20_000
  private static let portionBytes = 16 << 20

  private let environment: Environment
  private let tables: LogTables
  /// Reads the snapshot that the log goes on from; nil: nobody can here.
  private let baseRows: BaseRows?

  init(_ environment: Environment, _ tables: LogTables, baseRows: BaseRows? = nil) {
    self.environment = environment
    self.tables = tables
    self.baseRows = baseRows
  }

  /// An earlier version of a view as the log holds it.
  private struct Earlier {
    let source: Fold.Source
    /// Those in force.
    let tables: [Table]
    let row: ViewRow
  }

  /// Gives each fold without a row its beginning: the rows of the youngest version before it that the log has, or, if all
  /// events are of formats that mean nothing to it, none. Others are left to be built from the events.
  ///
  /// - Parameters:
  ///   - folds: with the tables that are read.
  ///   - format: that of the directory so far.
  ///   - head: the last position.
  /// - Returns: tables of earlier versions that were opened.
  func give(
    to folds: [BoundFold], over format: Int, at head: Position
  ) throws(LogError) -> [Table] {
    let base = try environment.withReadTransaction { (transaction) throws(LogError) in
      try LogReader(tables).base(in: transaction)
    }
    return try LogError.inTables { () throws(LMDBError) in
      var opened: [Table] = []
      for bound in folds {
        let isThere = try environment.withReadTransaction { (transaction) throws(LMDBError) in
          try ViewRow.of(bound.fold, tables.views, in: transaction) != nil
        }
        if isThere { continue }
        if let earlier = try earlier(of: bound.fold) {
          opened += earlier.tables
          if try !isExact(earlier.source) {
            guard let base else { continue }
            if try begin(bound, at: base) { continue }
            // Without the snapshot: better what an older version made of the events than no log.
          }
          try carry(earlier, into: bound)
        } else if bound.fold.sinceFormat > format {
          try clear(bound)
          try finish(bound, at: head, parked: [])
        }
      }
      return opened
    }
  }

  private func earlier(of fold: Fold) throws(LMDBError) -> Earlier? {
    guard !fold.predecessors.isEmpty else { return nil }
    let names = Set(try environment.tableNames())
    for source in fold.sources where !source.isOwn {
      let row = try environment.withReadTransaction { (transaction) throws(LMDBError) in
        try transaction.withValue(forKey: Array(source.id.utf8).span, in: tables.views) {
          ViewRow(bytes: $0)
        }
      }
      guard let row else { continue }
      let inForce = source.tables(ofGeneration: row.generation)
      guard inForce.allSatisfy(names.contains) else { continue }
      return Earlier(source: source, tables: try environment.openTables(inForce), row: row)
    }
    return nil
  }

  /// Whether what its rows become is what the events of this log give.
  private func isExact(_ source: Fold.Source) throws(LMDBError) -> Bool {
    switch source.exactness {
    case .always: true
    case .never: false
    case .underRightClocks:
      try environment.withReadTransaction { (transaction) throws(LMDBError) in
        var areRight = true
        try transaction.scan(tables.commits) { (key, value) throws(LMDBError) in
          // One that cannot be read says nothing: who builds from the events will tell of it.
          guard key.byteCount == 8,
            let row = try? CommitRow(last: key.bigEndianUInt64(at: 0), bytes: value)
          else {
            areRight = false
            return .stop
          }
          areRight = row.time == row.wall
          return areRight ? .next : .stop
        }
        return areRight
      }
    }
  }

  // MARK: From a snapshot

  /// Begins with what the snapshot says, that the log goes on from.
  ///
  /// - Returns: false if nobody can read it; then nothing of it is there.
  private func begin(_ bound: BoundFold, at base: LogBase) throws(LMDBError) -> Bool {
    guard let baseRows else { return false }
    try clear(bound)
    var failure: LMDBError?
    do {
      let views = try baseRows(base) { view, portion in
        guard let carried = bound.fold.carried(portion, ofView: view) else { return }
        do throws(LMDBError) { try put(carried, into: bound) } catch {
          failure = error
          throw error
        }
      }
      if bound.fold.canBegin(withViews: views) {
        try finish(bound, at: base.position, parked: [])
        return true
      }
    } catch let error as LMDBError where failure == nil { throw error } catch {}
    if let failure { throw failure }
    try clear(bound)
    return false
  }

  // MARK: Carrying over

  private func carry(_ earlier: Earlier, into bound: BoundFold) throws(LMDBError) {
    try clear(bound)
    for (index, table) in earlier.tables.enumerated() {
      var start: [UInt8]? = [0]
      while let from = start {
        let (rows, next) = try portion(of: table, from: from)
        try put(earlier.source.carried(.rows(table: index, rows)), into: bound)
        start = next
      }
    }
    try finish(bound, at: earlier.row.position, parked: try parked(by: earlier))
  }

  /// Rows of a table from a key on, and the key to go on from; nil at the end.
  private func portion(
    of table: Table, from start: [UInt8]
  ) throws(LMDBError) -> (rows: [(key: [UInt8], value: [UInt8])], next: [UInt8]?) {
    var rows: [(key: [UInt8], value: [UInt8])] = []
    var bytes = 0
    var next: [UInt8]?
    try environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(table, from: start.span) { (key, value) throws(LMDBError) in
        guard rows.count < Self.portionRows, bytes < Self.portionBytes else {
          next = [UInt8](copying: key)
          return .stop
        }
        rows.append(([UInt8](copying: key), [UInt8](copying: value)))
        bytes += key.byteCount + value.byteCount
        return .next
      }
    }
    return (rows, next)
  }

  private func put(_ portions: [BasePortion], into bound: BoundFold) throws(LMDBError) {
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      for portion in portions {
        try bound.put(portion, parked: tables.parked, in: &transaction)
      }
    }
  }

  private func parked(by earlier: Earlier) throws(LMDBError) -> [Fold.Parked] {
    try environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.parkedRows(of: earlier.source.id, in: tables.parked).map {
        Fold.Parked(position: $0.position, reason: String(decoding: $0.reason, as: UTF8.self))
      }
    }
  }

  // MARK: The view's row

  /// Empties what a beginning that was cut short has left.
  private func clear(_ bound: BoundFold) throws(LMDBError) {
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      for table in bound.tables { try transaction.clear(table) }
      try bound.forget(in: tables, of: &transaction)
    }
  }

  /// Puts in what the view has parked, and notes what its tables contain.
  private func finish(
    _ bound: BoundFold, at position: Position, parked: [Fold.Parked]
  ) throws(LMDBError) {
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try bound.put(.parked(parked), parked: tables.parked, in: &transaction)
      try bound.setCheckpoint(position, in: tables.views, of: &transaction)
    }
  }
}
