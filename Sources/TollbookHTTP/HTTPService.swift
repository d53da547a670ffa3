package import TollbookGateway
package import TollbookLog
import TollbookProofs
package import TollbookViews

/// What all routes share.
package struct HTTPService: Sendable {
  package let gateway: Gateway
  package let settings: HTTPSettings
  let requests: RequestStatistics
  package let cache: CacheView
  let ledger: LedgerView
  let metrics: MetricsView
  let rebuilding = RebuildJob()
  let evictions = EvictionsByKind()
  let advisor = CacheAdvisor()
  let accounts: AccountsView
  let keyring: Keyring
  let failedKeys = FailedKeys()
  let sessions = PageSessions()
  let formTokens = FormTokens()
  let rates = RequestRates()
  let idempotency: IdempotentRequests
  /// Those whose upstreams the gateway has.
  let systems: [HTTPSystem]
  /// Nil: there is no key to sign with.
  let checkpoints: CheckpointPublisher?

  init(
    gateway: Gateway, settings: HTTPSettings, systems: [HTTPSystem],
    checkpoints: CheckpointPublisher?
  ) {
    self.systems = systems
    self.gateway = gateway
    self.checkpoints = checkpoints
    self.settings = settings
    requests = RequestStatistics()
    cache = CacheView(gateway.log)
    ledger = LedgerView(gateway.log)
    metrics = MetricsView(gateway.log)
    accounts = AccountsView(gateway.log)
    idempotency = IdempotentRequests(gateway, mostBytes: settings.longestKeptAnswer)
    keyring = Keyring(gateway, ownKey: settings.accessKey)
  }

  package var log: EventLog { gateway.log }
}
