import LMDB
import TollbookLog

extension ScratchReplay {
  /// Reads what the views were at a log's base, out of the snapshot that a data directory keeps.
  ///
  /// - Parameter directory: the path of the data directory.
  package static func loadBase(from directory: String) -> BaseLoader {
    { (base, replay) throws(LogError) in
      let problem: String
      do {
        let views = try EventLog.baseRows(in: directory)(base) { view, portion in
          try replay.load(portion, ofView: view)
        }
        let missing = replay.folds.map(\.id).filter { !views.contains($0) }
        if missing.isEmpty { return }
        problem = "the snapshot has no view \(missing.joined(separator: ", "))"
      } catch let error as LogError { throw error } catch { problem = "\(error)" }
      throw .damaged(Damage(table: LogTables.originName, problem: problem))
    }
  }

  /// Writes rows of a view, or the events that it parked.
  private func load(_ portion: BasePortion, ofView id: String) throws(LogError) {
    // Views that are not replayed, or of another version.
    guard let fold = folds.first(where: { $0.id == id }) else { return }
    let tables = tables(of: fold)
    do throws(LMDBError) {
      try environment.withWriteTransaction { (transaction) throws(LMDBError) in
        switch portion {
        case .rows(let table, let rows):
          for row in rows {
            try transaction.put(row.value.span, forKey: row.key.span, in: tables[table])
          }
        case .parked(let events):
          for event in events {
            let key = LogTables.parkedKey(fold: id, position: event.position)
            try transaction.put(Array(event.reason.utf8).span, forKey: key.span, in: log.parked)
          }
        }
      }
    } catch { throw .storage(error) }
  }
}
