import TollbookLog

extension ScratchReplay {
  /// Reads what the views were at a log's base, out of the snapshot that a data directory keeps. Rows of earlier versions
  /// become what they are in this one.
  ///
  /// - Parameter directory: the path of the data directory.
  package static func loadBase(from directory: String) -> BaseLoader {
    { (base, replay) throws(LogError) in
      let problem: String
      do {
        let views = try EventLog.baseRows(in: directory)(base) { view, portion in
          try replay.load(portion, ofView: view)
        }
        let missing = replay.folds.filter { !$0.canBegin(withViews: views) }.map(\.id)
        if missing.isEmpty { return }
        problem = "the snapshot has no view \(missing.joined(separator: ", "))"
      } catch let error as LogError { throw error } catch { problem = "\(error)" }
      throw .damaged(Damage(table: LogTables.originName, problem: problem))
    }
  }
}
