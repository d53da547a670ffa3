package import TollbookLog

extension EventLog {
  /// Reads what the views of a log were at its base, out of the snapshot that its data directory keeps: those of the
  /// version that took it.
  ///
  /// - Parameter directory: the path of the data directory.
  package static func baseRows(in directory: String) -> BaseRows {
    { base, take in
      let path = "\(directory)/snapshots/\(base.snapshot)"
      let reader = try SnapshotReader(path: path)
      guard reader.manifest.position == base.position else {
        throw SnapshotProblem.damaged(
          path, section: "the manifest", at: 0,
          problem: "it is of position \(reader.manifest.position), and the log goes on from"
            + " \(base.position)")
      }
      let views = reader.manifest.views
      while let portion = try reader.next() {
        guard case .rows(let view, let table, let rows) = portion else { continue }
        try take(views[view].id, BasePortion(rows, table: table, of: views[view]))
      }
      return Set(views.map(\.id))
    }
  }
}

extension BasePortion {
  /// The table after a view's last one stands for the events that it parked.
  fileprivate init(_ rows: [SnapshotRow], table: Int, of view: SnapshotManifest.View) {
    guard table == view.tables.count else {
      self = .rows(table: table, rows.map { ($0.key, $0.value) })
      return
    }
    self = .parked(
      rows.map { row in
        Fold.Parked(
          position: row.key.reduce(0) { $0 << 8 | UInt64($1) },
          reason: String(decoding: row.value, as: UTF8.self))
      })
  }
}
