import LMDB
package import TollbookEvents

/// Drops every view of a log that nobody has open and builds them again from its events.
package enum Rebuild {
  /// - Parameters:
  ///   - directory: owned by the caller, and not open as a log.
  ///   - progress: told the last position that the views contain, after each chunk.
  /// - Returns: the head.
  package static func allViews(
    of directory: DataDirectory, folds: [Fold], options: EventLog.Options = .init(),
    progress: (_ position: Position, _ head: Position) -> Void
  ) throws(LogError) -> Position {
    var settings = EnvironmentOptions()
    settings.mapSize = options.mapSize
    settings.unsafeWithoutSync = options.unsafeWithoutSync
    let environment: Environment
    do throws(LMDBError) {
      environment = try Environment(directory: directory.path, options: settings)
    } catch { throw .storage(error) }
    let store = try LogStore(environment: environment, folds: folds + [EventIndex.fold])
    let head = try store.checkedState().head
    let catchUp = ViewCatchUp(environment, store.tables, store.live)
    try catchUp.drop()
    try catchUp.run(to: head) { progress($0, head) }
    return head
  }
}
