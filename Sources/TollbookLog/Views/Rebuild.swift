import LMDB
package import TollbookEvents

/// Drops every view of a log that nobody has open and builds them again from its events.
///
/// Cut short it leaves views that the next start, or the next rebuild, brings up to the head; those of a log that goes on
/// from a snapshot only another rebuild does.
package enum Rebuild {
  /// - Parameters:
  ///   - directory: owned by the caller, and not open as a log.
  ///   - baseRows: what the views begin with, where the log goes on from a snapshot. Read once to its end before
  ///     anything is dropped.
  ///   - progress: told the last position that the views contain, after each chunk.
  /// - Returns: the head.
  package static func allViews(
    of directory: DataDirectory, folds: [Fold], options: EventLog.Options = .init(),
    baseRows: BaseRows? = nil, progress: (_ position: Position, _ head: Position) -> Void
  ) throws(RebuildError) -> Position {
    let store = try self.store(of: directory, folds, options)
    let catchUp = ViewCatchUp(store.environment, store.tables, store.live)
    let base = try self.base(of: store)
    if let base { try read(base, baseRows, of: store.live) { (_, _) throws(RebuildError) in } }
    let head: Position
    do throws(LogError) {
      head = try store.checkedState().head
      try catchUp.drop()
    } catch { throw .log(error) }
    if let base {
      try read(base, baseRows, of: store.live) { (bound, portion) throws(RebuildError) in
        try store.environment.withWriteTransaction { (transaction) throws(RebuildError) in
          try RebuildError.absorbing(
            try bound.put(portion, parked: store.tables.parked, in: &transaction))
        }
      }
      try store.environment.withWriteTransaction { (transaction) throws(RebuildError) in
        for bound in store.live {
          try RebuildError.absorbing(
            try bound.setCheckpoint(base.position, in: store.tables.views, of: &transaction))
        }
      }
    }
    do throws(LogError) {
      try catchUp.run(to: head) { progress($0, head) }
      try LogError.marking { () throws(DataDirectoryError) in try directory.raiseFormat() }
    } catch { throw .log(error) }
    return head
  }

  private static func store(
    of directory: DataDirectory, _ folds: [Fold], _ options: EventLog.Options
  ) throws(RebuildError) -> LogStore {
    var settings = EnvironmentOptions()
    settings.mapSize = options.mapSize
    settings.unsafeWithoutSync = options.unsafeWithoutSync
    do throws(LogError) {
      let environment = try directory.openEnvironment(settings)
      return try LogStore(environment: environment, folds: folds + [EventIndex.fold])
    } catch { throw .log(error) }
  }

  /// What the log rests on, if its first events are not in it.
  static func base(of store: LogStore) throws(RebuildError) -> LogBase? {
    try store.environment.withReadTransaction { (transaction) throws(RebuildError) in
      do throws(LogError) { return try LogReader(store.tables).base(in: transaction) } catch {
        throw .log(error)
      }
    }
  }

  /// Shows what the folds' views begin with at the base: their own rows, or what those of an earlier version become.
  ///
  /// - Throws: `.withoutBase` if the snapshot lacks one of them, or cannot be read to its end.
  static func read(
    _ base: LogBase, _ rows: BaseRows?, of folds: [BoundFold],
    _ take: (BoundFold, BasePortion) throws(RebuildError) -> Void
  ) throws(RebuildError) {
    let folds = folds.filter { !$0.fold.isOverStoredEvents }
    guard let rows else {
      throw .withoutBase(base.position, reason: "nobody can read it here")
    }
    let views: Set<String>
    do {
      views = try rows(base) { view, portion in
        for fold in folds {
          for portion in fold.fold.carried(portion, ofView: view) ?? [] { try take(fold, portion) }
        }
      }
    } catch let error as RebuildError { throw error } catch {
      throw .withoutBase(base.position, reason: "\(error)")
    }
    for fold in folds where !fold.fold.canBegin(withViews: views) {
      throw .withoutBase(
        base.position, reason: "\(base.snapshot) has no view \(fold.fold.id)")
    }
  }
}
