package import TollbookEvents
package import TollbookLog

/// The commits of an export, to be restored.
package final class ExportedCommits: CommitStream {
  package let path: String
  private var reader: ExportReader

  package init(path: String) throws(ExportProblem) {
    let opened = try ExportReader(path: path)
    reader = opened
    self.path = path
  }

  package var mode: LogMode { reader.header.mode }
  package var first: Position { reader.header.first }
  package var rootBefore: TreeHash { reader.header.frontier.root }
  package var hasBodies: Bool { reader.header.hasBodies }

  package func next() throws(RestoreProblem) -> SealedCommit? {
    do throws(ExportProblem) { return try reader.next() } catch { throw .export("\(error)") }
  }
}
