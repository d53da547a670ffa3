package import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
package import NIOCore
package import NIOSSL
package import TollbookGateway
import TollbookLog
package import TollbookProofs

/// Everything that Tollbook says over HTTP, put together from values.
///
/// The applications are services for a `ServiceGroup`; a graceful shutdown lets requests under way end.
package struct TollbookApplication: Sendable {
  /// After which a connection is closed on which nothing is asked. A request that is being answered may take as long as
  /// it likes.
  private static let idleTimeout = TimeAmount.seconds(75)
  /// Command lines that ask at once.
  private static let controlConnections = 16

  let service: HTTPService
  private let logger: Logger

  /// - Parameters:
  ///   - systems: those whose upstreams the gateway has.
  ///   - checkpoints: nil if there is no key to sign them with.
  package init(
    gateway: Gateway, settings: HTTPSettings, systems: [HTTPSystem],
    checkpoints: CheckpointPublisher? = nil, logger: Logger
  ) {
    service = HTTPService(
      gateway: gateway, settings: settings, systems: systems, checkpoints: checkpoints)
    self.logger = logger
  }

  /// The public side.
  ///
  /// - Parameter onServerRunning: gets the listening channel, whose `localAddress` tells the port that was bound.
  package func application(
    onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
  ) -> Application<RouterResponder<TollbookContext>> {
    application(
      router().buildResponder(),
      at: .hostname(service.settings.host, port: service.settings.port),
      connections: service.settings.connectionsOfListener, onServerRunning)
  }

  /// The public side with TLS, in the place of the providers too: under their host names it has the paths that they
  /// have.
  ///
  /// - Throws: if the certificate and its key cannot be used.
  package func secureApplication(
    _ tls: TLSConfiguration,
    onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
  ) throws -> Application<ProviderHosts> {
    let responder = router(inPlaceOf: service.systems.hosts, isSecure: true).buildResponder()
    return application(
      ProviderHosts(systems: service.systems, below: responder),
      at: .hostname(service.settings.host, port: service.settings.tlsPort ?? 0),
      server: try .tls(.gatedHTTP1(idleTimeout: Self.idleTimeout), tlsConfiguration: tls),
      connections: service.settings.connectionsOfListener, onServerRunning)
  }

  /// The side for the command line of whoever owns the data directory: what writes, such as `POST /resolve`.
  ///
  /// - Parameter socket: the path of a unix domain socket, in a folder that nobody else may enter. A socket that a
  ///   former process left there is replaced.
  package func controlApplication(
    socket: String, onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
  ) -> Application<RouterResponder<TollbookContext>> {
    application(
      controlRouter.buildResponder(), at: .unixDomainSocket(path: socket),
      connections: Self.controlConnections,
      onServerRunning)
  }

  /// Looks every hour for what would have spared the cache purchases, until the task is cancelled.
  package func adviseHourly() async { await service.adviseHourly() }

  /// Does what systems do by the clock, until the task is cancelled.
  package func workOfSystems() async {
    await withTaskGroup(of: Void.self) { [service] group in
      for system in service.systems {
        if let work = system.work { group.addTask { await work(service) } }
      }
    }
  }

  private func application<Responder: HTTPResponder<TollbookContext>>(
    _ responder: Responder, at address: BindAddress,
    server: HTTPServerBuilder = .gatedHTTP1(idleTimeout: Self.idleTimeout), connections: Int,
    _ onServerRunning: @escaping @Sendable (any Channel) async -> Void
  ) -> Application<Responder> {
    Application(
      responder: responder, server: server,
      configuration: ApplicationConfiguration(
        address: address, serverName: "tollbook",
        availableConnectionsDelegate: ConnectionLimit(connections, logger: logger)),
      onServerRunning: { channel in
        await rest(channel)
        await onServerRunning(channel)
      }, logger: logger)
  }

  /// Puts the handler first: what stands behind it keeps the errors to itself.
  private func rest(_ channel: any Channel) async {
    try? await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.addHandler(AcceptRest(logger: logger), position: .first)
    }.get()
  }

  func router(
    inPlaceOf providers: [String] = [], isSecure: Bool = false
  ) -> Router<TollbookContext> {
    let router = Router(context: TollbookContext.self)
    let paths = PagePaths(isSecure: isSecure)
    let origins = CrossOrigins(service.settings, pages: paths)
    router.addMiddleware {
      CrossOriginAnswers(origins: origins)
      AnswerHeaders { service.gateway.isSimulated }
      RequestMetrics(statistics: service.requests, time: service.log.time)
      ProblemMiddleware(service: service, pages: paths)
      BrowserGuard(service.settings, inPlaceOf: providers, pages: paths, origins: origins)
      AccessKeyGuard(service: service, pages: paths)
      IdempotencyKeys(requests: service.idempotency)
      ProviderPaths()
    }
    service.addHealth(to: router)
    for system in service.systems { system.addRoutes(service, router) }
    let pages = PageRouter(
      router: router, desk: PageDesk(service: service, paths: paths))
    for system in service.systems { system.addPages(service, pages) }
    service.addPages(to: pages)
    service.addWarm(to: router)
    service.addCache(to: router)
    service.addCacheCare(to: router)
    service.addPurge(to: router)
    service.addLedger(to: router)
    service.addAudit(to: router)
    service.addJobs(to: router)
    service.addAccounts(to: router)
    service.addMe(to: router)
    service.addAccessKeys(to: router)
    service.addBudgets(to: router)
    service.addCredentials(to: router)
    service.addCorrections(to: router)
    service.addInvoices(to: router)
    service.addPredecessor(to: router)
    service.addAlerts(to: router)
    service.addEvents(to: router)
    service.addEventStream(to: router)
    service.addLog(to: router)
    service.addCheckpoints(to: router)
    service.addSnapshots(to: router)
    service.addMetrics(to: router)
    return router
  }

  var controlRouter: Router<TollbookContext> {
    let router = Router(context: TollbookContext.self)
    router.addMiddleware {
      AnswerHeaders { service.gateway.isSimulated }
      ProblemMiddleware(service: service)
    }
    service.addControl(to: router)
    service.addRebuild(to: router)
    service.addSnapshotTaking(to: router)
    service.addPurge(to: router)
    service.addAccounts(to: router)
    service.addMe(to: router)
    service.addAccessKeys(to: router)
    service.addBudgets(to: router)
    service.addCredentials(to: router)
    service.addCorrections(to: router)
    service.addInvoices(to: router)
    for system in service.systems { system.addControlRoutes(service, router) }
    service.addAlerts(to: router)
    return router
  }
}
