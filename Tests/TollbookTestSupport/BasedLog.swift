package import TollbookEvents
package import TollbookLog
import TollbookViews

extension EventLog {
  /// A log that goes on from a snapshot of a position at which a commit of this one ends: with the commits after it, and
  /// none before. Its views begin with nothing.
  package func based(on position: Position, in folder: TemporaryFolder) throws -> EventLog {
    var commits: [SealedCommit] = []
    var base: LogBase?
    try read { (transaction) throws(LogError) in
      var first: Position = 1
      while let row = try reader.commit(holding: first, in: transaction) {
        if row.last == position {
          let frontier = try reader.frontier(size: position, in: transaction)
          do throws(Damage) {
            base = try LogBase(commit: row, frontier: frontier, snapshot: "a.snapshot")
          } catch { throw .damaged(error) }
        } else if row.first > position {
          var records: [[UInt8]] = []
          for position in row.first...row.last {
            guard let record = try reader.record(at: position, in: transaction) else { continue }
            records.append(record)
          }
          commits.append(SealedCommit(row: row, records: records))
        }
        first = row.last + 1
      }
    }
    guard let base else { fatalError("no commit ends at \(position)") }
    do {
      let importer = try LogImporter(folder.own("based"), options: .scratch)
      try importer.begin(
        LogOrigin(position: head, restored: .testStart, isWithoutBodies: true, base: base))
      try importer.append(commits)
    }
    return try folder.openLog("based")
  }
}
