import Bytes
import Foundation
import LMDB
import Synchronization
package import TollbookEvents

/// How a rebuild takes turns with the writer.
package struct RebuildPace: Sendable {
  /// How long the writer shall be held at a time, flushes not counted.
  package var hold: Int64 = 10_000_000
  /// Events, or rows, in the first portion; later ones follow what is measured.
  package var firstPortion = 250
  package var largestPortion = 16_384
  /// Events of one transaction in the scratch environment: the larger it is, the fewer times a page is written.
  package var scratchPortion = 20_000
  /// Events that are left to be applied in portions to the tables themselves.
  package var tail: Position = 8_192
  /// Larger tables are emptied row by row.
  package var largestDrop = 64 << 20
  /// Told after each portion of work, when what it wrote is on the disk.
  package var afterPortion: @Sendable (RebuildProgress) -> Void = { _ in }

  package init() {}
}

/// Builds all views anew beside those that are read, while the log goes on.
///
/// Nearly all of the log is folded in a scratch environment, which the writer knows nothing of. The rows are copied from
/// there in key order into the tables that are not in force, and the rest of the log is applied to those, both in portions
/// between two commits, until every commit feeds them too. Then both sets are compared in one read transaction, and one
/// write transaction puts the new ones in force. Whatever happens before leaves the old ones in force, and what is left
/// over is cleared before the next rebuild and at the next start.
final class ViewRebuild: Sendable {
  private struct State {
    var report = RebuildReport()
    var portion: Int
    var progress: RebuildProgress
  }

  /// What is left to read may be so much when the last portion takes it.
  private static let attachable: Position = 500
  private static let batch = 8_192

  private let store: LogStore
  private let writer: LogWriter
  private let time: TimeSource
  private let pace: RebuildPace
  private let baseRows: BaseRows?
  private let tell: @Sendable (RebuildProgress) -> Void
  private let state: Mutex<State>
  private let cancellation = Cancellation()

  init(
    _ store: LogStore, _ writer: LogWriter, time: TimeSource, pace: RebuildPace,
    baseRows: BaseRows?, progress: @escaping @Sendable (RebuildProgress) -> Void
  ) {
    self.store = store
    self.writer = writer
    self.time = time
    self.pace = pace
    self.baseRows = baseRows
    tell = progress
    state = Mutex(
      State(
        portion: pace.firstPortion,
        progress: RebuildProgress(step: .clearing, position: 0, head: store.state.head)))
  }

  /// Runs it on a thread of its own, which may block. One whose task is cancelled ends after the portion that it is at.
  static func run(_ rebuild: ViewRebuild) async throws(RebuildError) -> RebuildReport {
    let cancellation = rebuild.cancellation
    let running = Mutex<ViewRebuild?>(rebuild)
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let thread = Thread {
          // Let go of before anybody is told the end, so that nothing keeps the environment open.
          let outcome = running.withLock { $0.take() }.map { rebuild in
            Result { () throws(RebuildError) in try rebuild.run() }
          }
          continuation.resume(returning: outcome ?? .failure(.underWay))
        }
        thread.name = "tollbook-rebuild"
        thread.stackSize = 8 << 20
        thread.start()
      }
    } onCancel: {
      cancellation.cancel()
    }.get()
  }

  private func run() throws(RebuildError) -> RebuildReport {
    let beside = store.other
    let old = store.live
    do throws(RebuildError) {
      try clear(beside)
      let done = try build(beside)
      try fold(beside, after: done)
      enter(.comparing)
      try compare(old, beside)
      try goOn()
      enter(.switching)
      try takeOver(old, beside)
    } catch {
      store.detach()
      // If that fails too, the next start does it.
      try? clear(beside)
      throw error
    }
    enter(.dropping)
    // What cannot be cleared now is cleared at the next start: the new views are in force.
    try? clear(old.map(\.asBeside))
    return state.withLock { $0.report }
  }

  // MARK: Portions of work

  /// Asked between two portions, as long as the old views are in force.
  private func goOn() throws(RebuildError) {
    if cancellation.isCancelled { throw .cancelled }
  }

  private func enter(_ step: RebuildProgress.Step, at position: Position? = nil) {
    let head = store.state.head
    let progress = state.withLock { state in
      state.progress.step = step
      state.progress.position = position ?? state.progress.position
      state.progress.head = head
      return state.progress
    }
    tell(progress)
  }

  /// Holds the writer for one transaction.
  ///
  /// - Parameter then: called before the next commit, if this one succeeded.
  /// - Returns: what `body` returned, and how long it took without the flush.
  @discardableResult
  private func hold<R: Sendable>(
    _ body: @escaping @Sendable (inout WriteTransaction, LogState) throws(LogError) -> R,
    then: @escaping @Sendable (R) -> Void = { _ in }
  ) throws(RebuildError) -> (result: R, nanoseconds: Int64) {
    let time = time
    let environment = store.environment
    let done: (result: R, held: Int64, stopped: Int64)
    do throws(LogError) {
      done = try writer.perform { (state) throws(LogError) in
        let start = time.monotonicNanoseconds()
        let (result, held) = try environment.withWriteTransaction {
          (transaction) throws(LogError) in
          let result = try body(&transaction, state)
          return (result, time.monotonicNanoseconds() - start)
        }
        then(result)
        return (result, held, time.monotonicNanoseconds() - start)
      }
    } catch { throw .log(error) }
    let progress = state.withLock { state in
      state.report.holds += 1
      state.report.longestHold = max(state.report.longestHold, done.held)
      state.report.longestStop = max(state.report.longestStop, done.stopped)
      return state.progress
    }
    pace.afterPortion(progress)
    return (done.result, done.held)
  }

  /// How much to do next, when so much took so long.
  private func adapt(_ portion: Int, _ nanoseconds: Int64) -> Int {
    let scaled = Double(portion) * Double(pace.hold) / Double(max(1, nanoseconds))
    let wanted = min(max(scaled, Double(portion) / 4), Double(portion) * 2)
    return min(max(20, Int(wanted)), pace.largestPortion)
  }

  // MARK: Clearing

  /// Empties tables that are not in force, and removes their rows in `views`.
  private func clear(_ folds: [BoundFold]) throws(RebuildError) {
    for table in folds.flatMap(\.tables) {
      var portion = 2_000
      var isEmpty = try isEmpty(table)
      while !isEmpty {
        let rows = portion
        let largest = pace.largestDrop
        let held = try hold { (transaction, _) throws(LogError) in
          try LogError.absorbing(
            try Self.clear(table, rows: rows, largest: largest, in: &transaction))
        }
        portion = adapt(portion, held.nanoseconds)
        isEmpty = held.result
      }
    }
    let tables = store.tables
    try hold { (transaction, _) throws(LogError) in
      try LogError.inTables { () throws(LMDBError) in
        for fold in folds { try fold.forget(in: tables, of: &transaction) }
      }
    }
  }

  private func isEmpty(_ table: Table) throws(RebuildError) -> Bool {
    try store.environment.withReadTransaction { (transaction) throws(RebuildError) in
      try RebuildError.absorbing(try transaction.count(in: table)) == 0
    }
  }

  /// - Returns: whether the table is empty.
  private static func clear(
    _ table: Table, rows: Int, largest: Int, in transaction: inout WriteTransaction
  ) throws(LMDBError) -> Bool {
    if try transaction.reading.bytes(in: table) <= largest {
      try transaction.clear(table)
      return true
    }
    var keys: [[UInt8]] = []
    try transaction.reading.scan(table) { (key, _) throws(LMDBError) in
      keys.append([UInt8](copying: key))
      return keys.count < rows ? .next : .stop
    }
    for key in keys { _ = try transaction.delete(key: key.span, in: table) }
    return keys.count < rows
  }

  // MARK: Filling

  /// Folds nearly all of the log where nobody is in the way, and copies the rows.
  ///
  /// - Returns: the position that the folds' tables contain then.
  private func build(_ folds: [BoundFold]) throws(RebuildError) -> Position {
    let scratch: ScratchViews
    do throws(LogError) {
      scratch = try ScratchViews(
        of: folds.map(\.fold), at: "\(store.environment.directory)/rebuild.scratch",
        mapSize: store.environment.options.mapSize)
    } catch { throw .log(error) }
    let done = try fold(into: scratch, after: try load(folds, into: scratch))
    enter(.copying, at: done)
    for (from, bound) in zip(scratch.folds, folds) {
      for (source, table) in zip(from.tables, bound.tables) {
        try copy(source, of: scratch.environment, to: table)
      }
      try finish(bound, at: done, parked: parked(by: from, in: scratch))
    }
    return done
  }

  /// Puts in what the log rests on.
  ///
  /// - Returns: its position.
  private func load(
    _ folds: [BoundFold], into scratch: ScratchViews
  ) throws(RebuildError) -> Position {
    guard let base = try Rebuild.base(of: store) else { return 0 }
    enter(.loading, at: base.position)
    try Rebuild.read(base, baseRows, of: folds) { (bound, portion) throws(RebuildError) in
      do throws(LogError) { try scratch.put(portion, ofView: bound.fold.id) } catch {
        throw .log(error)
      }
    }
    return base.position
  }

  /// - Returns: the last position, so near to the head that the rest is little.
  private func fold(
    into scratch: ScratchViews, after base: Position
  ) throws(RebuildError) -> Position {
    var done = base
    let ahead = ReadAhead(
      store.environment, LogReader(store.tables), chunk: pace.scratchPortion, to: .max)
    defer { ahead.finish() }
    var isMore = store.state.head - done > pace.tail
    if isMore { ahead.begin(after: done) }
    while isMore {
      try goOn()
      let events = try take(ahead)
      let last = events.last?.position ?? done
      isMore = last > done && store.state.head - last > pace.tail
      if isMore { ahead.begin(after: last) }
      do throws(LogError) { try scratch.apply(events) } catch { throw .log(error) }
      done = last
      enter(.folding, at: done)
    }
    return done
  }

  /// Copies a table from its first row to its last, which a tree of pages takes best.
  private func copy(
    _ source: Table, of scratch: Environment, to table: Table
  ) throws(RebuildError) {
    var portion = pace.firstPortion
    var next: [UInt8]? = [0]
    while let start = next {
      try goOn()
      let rows = portion
      let held = try hold { (transaction, _) throws(LogError) in
        try LogError.absorbing(
          try Self.copy(rows, from: start, of: source, scratch, to: table, in: &transaction))
      }
      portion = adapt(portion, held.nanoseconds)
      next = held.result
    }
  }

  /// - Returns: the key to go on from; nil at the end.
  private static func copy(
    _ rows: Int, from start: [UInt8], of source: Table, _ scratch: Environment, to table: Table,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) -> [UInt8]? {
    var left = rows
    var next: [UInt8]?
    try scratch.withReadTransaction { (reading) throws(LMDBError) in
      try reading.scan(source, from: start.span) { (key, value) throws(LMDBError) in
        guard left > 0 else {
          next = [UInt8](copying: key)
          return .stop
        }
        try transaction.append(value, forKey: key, in: table)
        left -= 1
        return .next
      }
    }
    return next
  }

  private func parked(
    by bound: BoundFold, in scratch: ScratchViews
  ) throws(RebuildError) -> [Fold.Parked] {
    try scratch.environment.withReadTransaction { (reading) throws(RebuildError) in
      try RebuildError.absorbing(try bound.parked(in: scratch.log.parked, of: reading)).map {
        Fold.Parked(position: $0.position, reason: String(decoding: $0.reason, as: UTF8.self))
      }
    }
  }

  /// Puts in what a fold has parked, and notes what its tables contain.
  private func finish(
    _ bound: BoundFold, at position: Position, parked: [Fold.Parked]
  ) throws(RebuildError) {
    let tables = store.tables
    try hold { (transaction, _) throws(LogError) in
      try LogError.inTables { () throws(LMDBError) in
        try bound.put(.parked(parked), parked: tables.parked, in: &transaction)
        try bound.setCheckpoint(position, in: tables.views, of: &transaction)
      }
    }
  }

  /// Applies what is left of the log in portions until every commit feeds the folds.
  private func fold(_ folds: [BoundFold], after base: Position) throws(RebuildError) {
    var done = base
    let ahead = ReadAhead(
      store.environment, LogReader(store.tables), chunk: Self.batch, to: .max)
    defer { ahead.finish() }
    repeat {
      var isMore = store.state.head - done > Self.attachable
      if isMore { ahead.begin(after: done) }
      while isMore {
        var events = try take(ahead)[...]
        let last = events.last?.position ?? done
        isMore = last > done && store.state.head - last > Self.attachable
        if isMore { ahead.begin(after: last) }
        while !events.isEmpty {
          try goOn()
          let portion = events.prefix(state.withLock { $0.portion })
          done = try apply(Array(portion), to: folds)
          events = events.dropFirst(portion.count)
        }
      }
    } while try !attach(folds, after: done)
  }

  private func take(_ ahead: ReadAhead) throws(RebuildError) -> [RecordedEvent] {
    do throws(LogError) { return try ahead.take() } catch { throw .log(error) }
  }

  /// - Returns: the last position.
  private func apply(
    _ events: [RecordedEvent], to folds: [BoundFold]
  ) throws(RebuildError) -> Position {
    let tables = store.tables
    let held = try hold { (transaction, _) throws(LogError) in
      try LogError.inTables { () throws(LMDBError) in
        for bound in folds { try bound.advance(by: events, in: tables, of: &transaction) }
      }
    }
    state.withLock { $0.portion = adapt($0.portion, held.nanoseconds) }
    let position = events.last?.position ?? 0
    enter(.folding, at: position)
    return position
  }

  /// Applies the rest and lets every commit feed the folds, between the same two commits.
  ///
  /// - Returns: false if the rest is too much by now.
  private func attach(
    _ folds: [BoundFold], after done: Position
  ) throws(RebuildError) -> Bool {
    let store = store
    return try hold(
      { (transaction, state) throws(LogError) -> Bool in
        guard state.head - done <= 2 * Self.attachable else { return false }
        var rest: [RecordedEvent] = []
        try LogReader(store.tables).scan(after: done, in: transaction.reading) {
          (event) throws(LogError) in
          rest.append(event)
          return .next
        }
        try LogError.inTables { () throws(LMDBError) in
          for bound in folds {
            try bound.advance(by: rest, in: store.tables, of: &transaction)
            try bound.setCheckpoint(state.head, in: store.tables.views, of: &transaction)
          }
        }
        return true
      },
      then: { isAttached in if isAttached { store.attach(folds) } }
    ).result
  }

  // MARK: Switching

  private func compare(_ old: [BoundFold], _ new: [BoundFold]) throws(RebuildError) {
    let tables = store.tables
    let views = try store.environment.withReadTransaction {
      (transaction) throws(RebuildError) in
      var views: [RebuildReport.View] = []
      do throws(LMDBError) {
        for (old, new) in zip(old, new) {
          views.append(
            RebuildReport.View(
              view: new.fold.id, rows: try new.rows(in: transaction),
              difference: try old.firstDifference(from: new, tables, in: transaction)))
        }
      } catch { throw .log(.storage(error)) }
      return views
    }
    state.withLock { $0.report.views = views }
  }

  private func takeOver(_ old: [BoundFold], _ new: [BoundFold]) throws(RebuildError) {
    let store = store
    let head = try hold(
      { (transaction, state) throws(LogError) -> Position in
        try LogError.inTables { () throws(LMDBError) in
          for (old, new) in zip(old, new) {
            try old.giveWay(to: new, at: state.head, in: store.tables, of: &transaction)
          }
        }
        return state.head
      },
      then: { _ in store.takeOver() }
    ).result
    state.withLock { $0.report.position = head }
  }
}

extension BoundFold {
  /// Applies events and notes the last one.
  fileprivate func advance(
    by events: [RecordedEvent], in log: LogTables, of transaction: inout WriteTransaction
  ) throws(LMDBError) {
    guard let last = events.last?.position else { return }
    try apply(events, parked: log.parked, to: &transaction)
    try setCheckpoint(last, in: log.views, of: &transaction)
  }

  fileprivate func rows(
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> UInt64 {
    var rows: UInt64 = 0
    for table in tables { rows += UInt64(try transaction.count(in: table)) }
    return rows
  }

  fileprivate func firstDifference(
    from other: BoundFold, _ log: LogTables, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> RebuildReport.Difference? {
    for (index, name) in fold.tables.enumerated() {
      let key = try transaction.firstDifference(
        between: tables[index], and: other.tables[index])
      if let key { return RebuildReport.Difference(table: name, key: key) }
    }
    let mine = try parked(in: log.parked, of: transaction)
    let others = try other.parked(in: log.parked, of: transaction)
    for index in 0..<max(mine.count, others.count) {
      let left = index < mine.count ? mine[index] : nil
      let right = index < others.count ? others[index] : nil
      guard left?.position != right?.position || left?.reason != right?.reason else { continue }
      let position = min(left?.position ?? .max, right?.position ?? .max)
      return RebuildReport.Difference(
        table: LogTables.parkedName,
        key: LogTables.parkedKey(fold: fold.id, position: position))
    }
    return nil
  }

  /// Puts the tables of another in force in place of these.
  fileprivate func giveWay(
    to new: BoundFold, at position: Position, in log: LogTables,
    of transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let parked = try new.parked(in: log.parked, of: transaction.reading)
    try forget(in: log, of: &transaction)
    try new.forget(in: log, of: &transaction)
    for event in parked {
      let key = LogTables.parkedKey(fold: fold.id, position: event.position)
      try transaction.put(event.reason.span, forKey: key.span, in: log.parked)
    }
    try new.asLive.setCheckpoint(position, in: log.views, of: &transaction)
  }
}
