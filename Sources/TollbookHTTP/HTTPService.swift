import TollbookGateway
import TollbookHistory
import TollbookLog
import TollbookViews

/// What all routes share.
struct HTTPService: Sendable {
  let gateway: Gateway
  let settings: HTTPSettings
  let requests: RequestStatistics
  let cache: CacheView
  let ledger: LedgerView
  let metrics: MetricsView
  let audits = AuditGate()
  let rebuilding = RebuildJob()
  /// Nil: there is no key to sign with.
  let checkpoints: CheckpointPublisher?

  init(gateway: Gateway, settings: HTTPSettings, checkpoints: CheckpointPublisher?) {
    self.gateway = gateway
    self.checkpoints = checkpoints
    self.settings = settings
    requests = RequestStatistics()
    cache = CacheView(gateway.log)
    ledger = LedgerView(gateway.log)
    metrics = MetricsView(gateway.log)
  }

  var log: EventLog { gateway.log }
}
