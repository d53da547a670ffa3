import TollbookGateway

extension Problem {
  init(_ refusal: JobRefusal) {
    switch refusal {
    case .full: self = Problem(.busy, "\(refusal)").retrying(after: 2)
    case .accountFull: self = Problem(.busy, "\(refusal)").retrying(after: 30)
    case .stopping: self.init(.stopping, "\(refusal)")
    }
  }
}
