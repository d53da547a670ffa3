import Bytes
import LMDB
import TollbookEvents

/// Brings the tables of folds up to a position, in chunks that each commit with their checkpoints: after an upgrade, and
/// when views are rebuilt. Each event is read once for all folds, and the next chunk is read while one is applied.
struct ViewCatchUp {
  private static let chunk = 50_000
  private let environment: Environment
  private let tables: LogTables
  private let folds: [BoundFold]

  init(_ environment: Environment, _ tables: LogTables, _ folds: [BoundFold]) {
    self.environment = environment
    self.tables = tables
    self.folds = folds
  }

  /// Applies to each fold everything after its checkpoint up to `head`.
  func run(
    to head: Position, progress: (Position) -> Void = { _ in }
  ) throws(LogError) {
    let checkpoints = try self.checkpoints()
    for (bound, checkpoint) in zip(folds, checkpoints) where checkpoint > head {
      throw .damaged(
        Damage(
          table: LogTables.viewsName, position: checkpoint,
          problem: "\(bound.fold.id) contains events that the log does not have"))
    }
    guard var done = checkpoints.min(), done < head else { return }
    let reader = ReadAhead(environment, LogReader(tables), chunk: Self.chunk, to: head)
    reader.begin(after: done)
    defer { reader.finish() }
    while done < head {
      let events = try reader.take()
      guard let last = events.last?.position else { throw .damaged(.missingEvent(at: done + 1)) }
      if last < head { reader.begin(after: last) }
      try LogError.inTables { () throws(LMDBError) in
        try environment.withWriteTransaction { (transaction) throws(LMDBError) in
          for (bound, checkpoint) in zip(folds, checkpoints) where checkpoint < last {
            let new = checkpoint <= done ? events : events.filter { $0.position > checkpoint }
            try bound.apply(new, parked: tables.parked, to: &transaction)
            try bound.setCheckpoint(last, in: tables.views, of: &transaction)
          }
        }
      }
      done = last
      progress(done)
    }
  }

  /// Empties the folds' tables, so that `run` builds them from the first event.
  func drop() throws(LogError) {
    try LogError.inTables { () throws(LMDBError) in
      try environment.withWriteTransaction { (transaction) throws(LMDBError) in
        for bound in folds { try drop(bound, in: &transaction) }
      }
    }
  }

  /// Removes what nobody reads any more: tables of a rebuild that was cut short, and of versions that newer ones have
  /// taken the place of.
  ///
  /// - Parameters:
  ///   - beside: the tables in which nothing grows now.
  ///   - carried: the tables of older versions that were opened to carry their rows over. An open table cannot be
  ///     removed; these are emptied, and removed at the next start.
  func removeLeftovers(beside: [BoundFold], carried: [Table] = []) throws(LogError) {
    do throws(LMDBError) {
      let unfinished = try environment.withReadTransaction { (transaction) throws(LMDBError) in
        var found: [Table] = []
        for table in beside.flatMap(\.tables) + carried where try transaction.count(in: table) > 0 {
          found.append(table)
        }
        return found
      }
      let names = try environment.tableNames()
      let superseded = names.filter { name in
        !carried.contains { $0.name == name }
          && folds.contains { Fold.isOlder(name, than: $0.fold) }
      }
      let rows = try environment.withReadTransaction { (transaction) throws(LMDBError) in
        try leftRows(in: transaction)
      }
      guard !(unfinished.isEmpty && superseded.isEmpty && rows.isEmpty) else { return }
      try environment.withWriteTransaction { (transaction) throws(LMDBError) in
        for table in unfinished { try transaction.clear(table) }
        for (table, key) in rows { _ = try transaction.delete(key: key.span, in: table) }
      }
      if !superseded.isEmpty { try environment.deleteTables(superseded) }
    } catch {
      // They take space, and no more than that.
      if error.isOutOfSpace { return }
      throw .storage(error)
    }
  }

  /// Rows of `views` and `parked` that belong to no view that is read.
  private func leftRows(
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [(table: Table, key: [UInt8])] {
    var found: [(table: Table, key: [UInt8])] = []
    for table in [tables.views, tables.parked] {
      try transaction.scan(table) { (key, _) throws(LMDBError) in
        let key = [UInt8](copying: key)
        let name = String(decoding: key.prefix { $0 != 0 }, as: UTF8.self)
        let isLeft = folds.contains {
          Fold.isOlder(name, than: $0.fold) || name.hasPrefix("\($0.fold.id)#")
        }
        if isLeft { found.append((table, key)) }
        return .next
      }
    }
    return found
  }

  private func drop(
    _ bound: BoundFold, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for table in bound.tables { try transaction.clear(table) }
    try bound.forget(in: tables, of: &transaction)
    // Which tables are in force is said by the row, so that it stays.
    if bound.generation != 0 {
      try bound.setCheckpoint(0, in: tables.views, of: &transaction)
    }
  }

  private func checkpoints() throws(LogError) -> [Position] {
    try environment.withReadTransaction { (transaction) throws(LogError) in
      let base = try LogReader(tables).base(in: transaction)?.position ?? 0
      var found: [Position] = []
      for bound in folds {
        let row = try LogError.absorbing(
          try transaction.withValue(forKey: Array(bound.name.utf8).span, in: tables.views) {
            ViewRow(bytes: $0)
          })
        if row == nil, base > 0, !bound.fold.isOverStoredEvents {
          throw .viewNotInBase(bound.fold.id, base)
        }
        let begin = bound.fold.isOverStoredEvents ? base : 0
        found.append(max(row?.position ?? 0, begin))
      }
      return found
    }
  }
}

extension Fold {
  /// Whether a name (`cache@1`, `cache@1.entries`, `cache@1.entries#1`) belongs to an older version of this fold.
  static func isOlder(_ name: String, than fold: Fold) -> Bool {
    let parts = fold.id.split(separator: "@")
    guard parts.count == 2, let version = Int(parts[1]), name.hasPrefix("\(parts[0])@") else {
      return false
    }
    let digits = name.dropFirst(parts[0].count + 1).prefix(while: \.isNumber)
    return Int(digits).map { $0 < version } ?? false
  }
}

extension BoundFold {
  /// Notes up to which position the tables contain the log.
  func setCheckpoint(
    _ position: Position, in views: Table, of transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let row = ViewRow(position: position, generation: generation).bytes
    try transaction.put(row.span, forKey: Array(name.utf8).span, in: views)
  }

  /// Puts in rows of a snapshot.
  func put(
    _ portion: BasePortion, parked: Table, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    switch portion {
    case .rows(let table, let rows):
      for row in rows {
        try transaction.put(row.value.span, forKey: row.key.span, in: tables[table])
      }
    case .parked(let events):
      for event in events {
        let key = LogTables.parkedKey(fold: name, position: event.position)
        try transaction.put(Array(event.reason.utf8).span, forKey: key.span, in: parked)
      }
    }
  }

  /// Removes its row and the events that it parked.
  func forget(
    in log: LogTables, of transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for event in try parked(in: log.parked, of: transaction.reading) {
      _ = try transaction.delete(key: event.key.span, in: log.parked)
    }
    _ = try transaction.delete(key: Array(name.utf8).span, in: log.views)
  }

  /// The events that it parked.
  func parked(
    in table: Table, of transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [ParkedRow] {
    try transaction.parkedRows(of: name, in: table)
  }
}

/// An event that a view has parked, as it stands in the table.
typealias ParkedRow = (key: [UInt8], position: Position, reason: [UInt8])

extension ReadTransaction {
  /// The events that were parked under the name of a view.
  borrowing func parkedRows(
    of name: String, in table: Table
  ) throws(LMDBError) -> [ParkedRow] {
    var found: [ParkedRow] = []
    let prefix = Array(name.utf8) + [0]
    try scan(table, prefix: prefix.span) { (key, value) throws(LMDBError) in
      guard key.byteCount == prefix.count + 8 else { return .next }
      found.append(
        ([UInt8](copying: key), key.bigEndianUInt64(at: prefix.count), [UInt8](copying: value)))
      return .next
    }
    return found
  }
}
