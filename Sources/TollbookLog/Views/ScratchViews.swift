import Files
import Foundation
package import LMDB
package import TollbookEvents

/// Views that are built from events in an environment of their own that nobody else sees: in few large transactions, and
/// never flushed.
///
/// The folder's name is given up as soon as its files are open, so that nothing is left of it however the process ends.
package final class ScratchViews: Sendable {
  package let environment: Environment
  /// The scratch environment's own tables, of which only those for parked events are used.
  package let log: LogTables
  let folds: [BoundFold]
  /// Where it was made, for messages.
  private let path: String

  /// - Parameter path: a folder that is made for it, and that is nobody else's.
  package init(
    of folds: [Fold], at path: String, mapSize: Int = 1 << 38
  ) throws(LogError) {
    // One cut short between two of these lines has left its folder.
    try? FileManager.default.removeItem(atPath: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    self.path = path
    do throws(SystemError) { try SystemCalls.makeFolder(path) } catch {
      let code = error.code
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
      let kind: LMDBError.Kind =
        code == ENOSPC || code == EDQUOT
        ? .noSpace
        : FileRight.denial(of: folder, [.enter, .write]).map { .denied(reason: $0) }
          ?? .inputOutput(errno: code)
      throw .storage(LMDBError(kind, .openEnvironment).inScratch(path))
    }
    var options = EnvironmentOptions()
    options.mapSize = mapSize
    options.unsafeWithoutSync = true
    options.mayMapLess = true
    do throws(LMDBError) {
      environment = try Environment(directory: path, options: options)
      var rest = try environment.openTables(folds.flatMap(\.tables))[...]
      self.folds = folds.map { fold in
        defer { rest = rest.dropFirst(fold.tables.count) }
        return BoundFold(fold: fold, tables: Array(rest.prefix(fold.tables.count)))
      }
    } catch { throw .storage(error.inScratch(path)) }
    do throws(LogError) { log = try LogTables(of: environment) } catch {
      guard case .storage(let cause) = error else { throw error }
      throw .storage(cause.inScratch(path))
    }
  }

  /// Runs `body` on one consistent view.
  package func read<R>(
    _ body: (borrowing LogReading) throws(LogError) -> R
  ) throws(LogError) -> R {
    do throws(LogError) {
      return try environment.withReadTransaction { (transaction) throws(LogError) in
        try body(transaction)
      }
    } catch {
      guard case .storage(let cause) = error else { throw error }
      throw .storage(cause.inScratch(path))
    }
  }

  /// The tables of a fold, in its order.
  package func tables(of fold: Fold) -> [Table] {
    guard let bound = folds.first(where: { $0.fold.id == fold.id }) else {
      preconditionFailure("\(fold.id) is not built here")
    }
    return bound.tables
  }

  /// Applies events that follow those before without a gap.
  package func apply(_ events: [RecordedEvent]) throws(LogError) {
    try write { (bound, transaction) throws(LMDBError) in
      try bound.apply(events, parked: log.parked, to: &transaction)
    }
  }

  /// Puts in rows of a snapshot, or events that a view had parked by then. Those of an earlier version become what they are
  /// in this one; those of views that are not built here are left out.
  package func put(_ portion: BasePortion, ofView id: String) throws(LogError) {
    try write { (bound, transaction) throws(LMDBError) in
      for portion in bound.fold.carried(portion, ofView: id) ?? [] {
        try bound.put(portion, parked: log.parked, in: &transaction)
      }
    }
  }

  private func write(
    _ body: (BoundFold, inout WriteTransaction) throws(LMDBError) -> Void
  ) throws(LogError) {
    do throws(LMDBError) {
      try environment.withWriteTransaction { (transaction) throws(LMDBError) in
        for bound in folds { try body(bound, &transaction) }
      }
    } catch { throw .storage(error.inScratch(path)) }
  }
}
