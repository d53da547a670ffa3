package import TollbookLog

extension Problem {
  /// What the event log could not do, for a client.
  package init(_ error: LogError) {
    switch error {
    case .queueFull: self = Problem(.busy, "\(error)").retrying(after: 1)
    case .readOnly: self = Problem(.readOnly, "\(error)").retrying(after: 30)
    case .closed: self = Problem(.stopping, "\(error)").retrying(after: 5)
    case .damaged: self = Problem(.damagedStorage, "\(error)")
    case .beforeBase: self = Problem(.gone, "\(error)")
    case .storage: self = Problem(.storageFailed, "\(error)").retrying(after: 5)
    case .viewNotInBase, .noView, .directory:
      self = Problem(.internalError, "\(error)")
    }
  }
}
