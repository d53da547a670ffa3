import Bytes
package import LMDB
package import TollbookEvents

/// A commit as it was sealed somewhere else, with the bodies that its events name and that came with it.
package struct SealedCommit: Hashable, Sendable {
  package var row: CommitRow
  /// The stored bytes of its records, in order.
  package var records: [[UInt8]]
  package var bodies: [Body]

  package init(row: CommitRow, records: [[UInt8]], bodies: [Body] = []) {
    self.row = row
    self.records = records
    self.bodies = bodies
  }
}

/// Builds a log from commits that were sealed elsewhere, and checks that they are what was sealed.
///
/// No view is kept meanwhile: the next opening of the log brings them up to the head, from the rows that were loaded or
/// from nothing. The directory must be owned by the caller and not be open as a log.
package final class LogImporter {
  package let environment: Environment
  private let tables: LogTables
  private let store: LogStore
  private var state: LogState

  /// Opens what is there, which may be nothing, and checks its end. A directory of an older format should have been opened
  /// as a log before, so that its views were carried over; from now on older versions refuse it.
  package init(
    _ directory: DataDirectory, options: EventLog.Options = .init()
  ) throws(LogError) {
    var settings = EnvironmentOptions()
    settings.mapSize = options.mapSize
    settings.unsafeWithoutSync = options.unsafeWithoutSync
    environment = try directory.openEnvironment(settings)
    store = try LogStore(environment: environment, folds: [])
    tables = store.tables
    state = try store.checkedState()
    try LogError.marking { () throws(DataDirectoryError) in
      try directory.noteBegun()
      try directory.raiseFormat()
    }
  }

  /// The last position that is there.
  package var head: Position { state.head }
  /// The root of the tree over all that is there.
  package var root: TreeHash { state.root }
  /// The commit time of the last position.
  package var time: Timestamp { state.time }

  /// Notes how the log comes to be. A base can be given only to a log that is empty: it then goes on from there. The note
  /// may be written again when more has come.
  package func begin(_ origin: LogOrigin) throws(LogError) {
    if let base = origin.base, state.head > 0 {
      let noted = try environment.withReadTransaction { (transaction) throws(LogError) in
        try LogReader(tables).base(in: transaction)
      }
      precondition(noted == base, "a log has one base")
    }
    try write { (transaction) throws(LMDBError) in
      try transaction.put(origin.bytes.span, forKey: LogOrigin.key.span, in: tables.origin)
      guard let base = origin.base, state.head == 0 else { return }
      try transaction.put(
        base.commit.bytes.span, forKey: LogTables.key(base.position).span, in: tables.commits)
    }
    state = try store.checkedState()
  }

  /// Appends commits, all of them or none.
  ///
  /// - Parameter origin: what is noted of how the log comes to be, in the same transaction. Its base must be the log's.
  /// - Throws: `.damaged` with the position if a commit does not follow the one before it, a record does not match its
  ///   checksum or its commit's time, or the records do not hash to the root that seals them.
  package func append(
    _ commits: [SealedCommit], origin: LogOrigin? = nil
  ) throws(LogError) {
    var next = state
    for commit in commits {
      do throws(Damage) { try check(commit, after: next) } catch { throw .damaged(error) }
      for record in commit.records { _ = next.frontier.append(MerkleTree.leafHash(record)) }
      guard next.frontier.root == commit.row.root else {
        throw .damaged(
          Damage(
            table: LogTables.commitsName, position: commit.row.last,
            problem: "the records of \(commit.row.first) to \(commit.row.last) do not hash to the"
              + " root of their commit"))
      }
      next.head = commit.row.last
      next.time = commit.row.time
      next.root = commit.row.root
    }
    try write { (transaction) throws(LMDBError) in
      if let origin {
        try transaction.put(origin.bytes.span, forKey: LogOrigin.key.span, in: tables.origin)
      }
      var frontier = state.frontier
      for commit in commits { try store(commit, onto: &frontier, in: &transaction) }
    }
    state = next
  }

  private func check(_ commit: SealedCommit, after state: LogState) throws(Damage) {
    let row = commit.row
    func damage(_ problem: String) -> Damage {
      Damage(table: LogTables.commitsName, position: row.last, problem: problem)
    }
    guard row.first == state.head + 1 else {
      throw damage("a commit begins at \(row.first); \(state.head + 1) comes next")
    }
    guard row.last >= row.first, row.treeSize == row.last,
      commit.records.count == Int(clamping: row.last - row.first + 1)
    else {
      throw damage("a commit of \(row.first) to \(row.last) holds \(commit.records.count) records")
    }
    guard row.time == max(state.time, row.wall) else {
      throw damage("a commit's time is neither its clock's nor that of the commit before it")
    }
    var position = row.first
    for record in commit.records {
      let time = try record.withRawSpan { (bytes) throws(Damage) in
        try Record.check(bytes, at: position)
        return Record.time(of: bytes)
      }
      guard time == row.time else {
        throw Damage(
          table: LogTables.eventsName, position: position,
          problem: "a record bears another time than its commit")
      }
      position += 1
    }
  }

  private func store(
    _ commit: SealedCommit, onto frontier: inout MerkleFrontier,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for body in commit.bodies { try put(body, in: &transaction) }
    var position = commit.row.first
    for record in commit.records {
      try transaction.append(
        record.span, forKey: LogTables.key(position).span, in: tables.events)
      for tile in frontier.append(MerkleTree.leafHash(record)) {
        var value = tile.hash
        value.append(bigEndian: crc32c(tile.hash.span))
        try transaction.put(
          value.span, forKey: LogTables.treeKey(level: tile.level, index: tile.index).span,
          in: tables.tree)
      }
      position += 1
    }
    try transaction.append(
      commit.row.bytes.span, forKey: LogTables.key(commit.row.last).span, in: tables.commits)
  }

  /// Stores bodies, whether or not an event names them yet. Their content must have been checked.
  package func add(_ bodies: [Body]) throws(LogError) {
    try write { (transaction) throws(LMDBError) in
      for body in bodies { try put(body, in: &transaction) }
    }
  }

  private func put(_ body: Body, in transaction: inout WriteTransaction) throws(LMDBError) {
    _ = try transaction.insert(body.row.span, forKey: body.digest.span, in: tables.bodies)
  }

  /// Writes rows of a view's table, `table` being its index in `fold.tables`.
  package func load(
    _ rows: [(key: [UInt8], value: [UInt8])], table: Int, of fold: Fold
  ) throws(LogError) {
    let name = fold.tables[table]
    let target = try LogError.absorbing(try environment.openTables([name])[0])
    try write { (transaction) throws(LMDBError) in
      for row in rows { try transaction.put(row.value.span, forKey: row.key.span, in: target) }
    }
  }

  /// Notes the events that a view could not apply, and that its tables contain everything up to `position`.
  package func finish(
    _ fold: Fold, at position: Position, parked: [Fold.Parked]
  ) throws(LogError) {
    try write { (transaction) throws(LMDBError) in
      for event in parked {
        let key = LogTables.parkedKey(fold: fold.id, position: event.position)
        try transaction.put(
          Array(event.reason.utf8).span, forKey: key.span, in: tables.parked)
      }
      try transaction.put(
        LogTables.key(position).span, forKey: Array(fold.id.utf8).span, in: tables.views)
    }
  }

  private func write(
    _ body: (inout WriteTransaction) throws(LMDBError) -> Void
  ) throws(LogError) {
    try LogError.inTables { () throws(LMDBError) in
      try environment.withWriteTransaction { (transaction) throws(LMDBError) in
        try body(&transaction)
      }
    }
  }
}
