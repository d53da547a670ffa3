import Bytes
import LMDB
import TollbookEvents

/// A fold with the handles of one set of its tables.
struct BoundFold: Sendable {
  let fold: Fold
  let tables: [Table]
  var generation: UInt8 = 0
  /// Whether it grows beside the tables that are read.
  var isBeside = false

  /// Under which its row in `views` and its parked events stand.
  var name: String { isBeside ? "\(fold.id)#\(generation)" : fold.id }

  /// Of what grows beside nobody reads before the switch.
  var cadence: Fold.Cadence { isBeside ? .eachCommit : fold.cadence }

  var asLive: BoundFold { BoundFold(fold: fold, tables: tables, generation: generation) }

  var asBeside: BoundFold {
    BoundFold(fold: fold, tables: tables, generation: generation, isBeside: true)
  }
}

/// A commit while it is put together inside one write transaction.
///
/// Invariants
///  1. Positions follow the head without a gap, in the order of the decisions.
///  2. Every record becomes a leaf of the tree, in that order.
///  3. Folds see every event once, in that order, before the commit is sealed.
struct CommitAssembly {
  private let tables: LogTables
  private let folds: [BoundFold]
  private let wall: Timestamp
  private(set) var frontier: MerkleFrontier
  private var recorded: [RecordedEvent] = []
  private(set) var bytes = 0
  /// What bodies take that were not there before.
  private(set) var bodySpace = 0
  let time: Timestamp
  private let first: Position
  private(set) var next: Position

  init(after state: LogState, wall: Timestamp, tables: LogTables, folds: [BoundFold]) {
    self.tables = tables
    self.folds = folds
    self.wall = wall
    time = max(state.time, wall)
    frontier = state.frontier
    first = state.head + 1
    next = first
  }

  var isEmpty: Bool { next == first }
  var eventCount: Int { recorded.count }

  /// Appends what one decider decided and shows it to the folds that deciders read.
  mutating func append(
    _ events: [Event], bodies: [Body], prunedBodies: [[UInt8]],
    to transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for digest in prunedBodies {
      _ = try transaction.delete(key: digest.span, in: tables.bodies)
    }
    for body in bodies {
      let row = body.row
      bytes += row.count
      if try transaction.insert(row.span, forKey: body.digest.span, in: tables.bodies) {
        bodySpace += Body.space(ofRow: row.count)
      }
    }
    let start = recorded.count
    for event in events {
      let record = Record.encode(event, time: time)
      let key = LogTables.key(next)
      try transaction.append(record.span, forKey: key.span, in: tables.events)
      for tile in frontier.append(MerkleTree.leafHash(record)) {
        try store(tile, in: &transaction)
      }
      recorded.append(RecordedEvent(position: next, time: time, wall: wall, event: event))
      bytes += record.count
      next += 1
    }
    if start < recorded.count {
      let decided = start == 0 ? recorded : Array(recorded[start...])
      try apply(decided, to: &transaction, cadence: .eachDecision)
    }
  }

  /// Shows the whole commit to the remaining folds and writes its seal. There must be events.
  mutating func seal(in transaction: inout WriteTransaction) throws(LMDBError) -> LogState {
    try apply(recorded, to: &transaction, cadence: .eachCommit)
    let last = next - 1
    let lastKey = LogTables.key(last)
    for bound in folds { try bound.setCheckpoint(last, in: tables.views, of: &transaction) }
    let row = CommitRow(
      first: first, last: last, wall: wall, time: time, treeSize: frontier.size,
      root: frontier.root)
    try transaction.append(row.bytes.span, forKey: lastKey.span, in: tables.commits)
    return LogState(head: last, time: time, frontier: frontier, root: row.root)
  }

  private func apply(
    _ events: [RecordedEvent], to transaction: inout WriteTransaction, cadence: Fold.Cadence
  ) throws(LMDBError) {
    for bound in folds where bound.cadence == cadence {
      try bound.apply(events, parked: tables.parked, to: &transaction)
    }
  }

  private func store(
    _ tile: MerkleFrontier.Tile, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    var value = tile.hash
    value.append(bigEndian: crc32c(tile.hash.span))
    try transaction.put(
      value.span, forKey: LogTables.treeKey(level: tile.level, index: tile.index).span,
      in: tables.tree)
  }
}

extension BoundFold {
  /// Applies the events and writes down those that the fold parked.
  func apply(
    _ events: [RecordedEvent], parked: Table, to transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for event in try applying(events, to: &transaction) {
      let key = LogTables.parkedKey(fold: name, position: event.position)
      try transaction.put(Array(event.reason.utf8).span, forKey: key.span, in: parked)
    }
  }

  /// Applies the events, and parks those that meet a row which cannot be decoded: appends go on, and a rebuild mends
  /// the view. A fold reads before it writes, so that what failed has changed nothing.
  private func applying(
    _ events: [RecordedEvent], to transaction: inout WriteTransaction
  ) throws(LMDBError) -> [Fold.Parked] {
    do throws(LMDBError) { return try fold.apply(events, tables, &transaction) } catch {
      guard error.kind == .undecodable, let first = events.first else { throw error }
      guard events.count > 1 else {
        return [Fold.Parked(position: first.position, reason: "\(error)")]
      }
      let middle = events.count / 2
      let before = try applying(Array(events[..<middle]), to: &transaction)
      return before + (try applying(Array(events[middle...]), to: &transaction))
    }
  }
}

/// Where the log stands after a commit.
struct LogState: Sendable {
  var head: Position
  var time: Timestamp
  var frontier: MerkleFrontier
  var root: TreeHash

  static let empty = LogState(
    head: 0, time: Timestamp(milliseconds: .min), frontier: MerkleFrontier(),
    root: MerkleTree.emptyRoot)
}
