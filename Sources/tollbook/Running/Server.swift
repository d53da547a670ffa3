import AsyncHTTPClient
import Files
import Foundation
import Hummingbird
import Keepa
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TollbookArchive
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookProofs
import TollbookSimulators
import TollbookUpstreams
import TollbookViews

/// One Tollbook: its log, its upstream and its gateway, opened in that order, served, and closed in the reverse one.
struct Server: Sendable {
  /// A Tollbook that answers.
  struct Running: Sendable {
    let log: EventLog
    let gateway: Gateway
    /// Such as `http://127.0.0.1:8000`.
    let url: String
    /// Where it listens with TLS, if it does.
    let secureURL: String?
    /// Begins the end: no new requests, the ones under way are answered.
    let stop: @Sendable () async -> Void
  }

  /// After the calls that are out have had their time, an end may take so long.
  private static let lastSeconds: Double = 30

  let settings: Settings
  let logger: Logger
  /// A simulator of Keepa in a process of its own, for simulated data; nil: one is started.
  var simulator: BaseURL?
  /// The same of Gemini; nil: Gemini is not simulated, and nothing is bought from it.
  var geminiSimulator: BaseURL?
  /// The same of Binance; nil: one is started.
  var binanceSimulator: BaseURL?
  /// The same of eBay; nil: one is started.
  var ebaySimulator: BaseURL?
  /// What ends it.
  var signals = EndSignals.services
  /// How long an end may take.
  var makeLimit: @Sendable (_ seconds: Double) -> EndLimit = { EndLimit(seconds: $0) }

  /// Serves until it is told to stop.
  ///
  /// - Parameter whenReady: told once, when requests are answered.
  func run(whenReady: @escaping @Sendable (Running) async -> Void) async throws {
    // It holds the keys of upstreams.
    SystemCalls.forbidDumps()
    try OpenFiles.check()
    _ = try settings.scoring()
    _ = try settings.geminiModels()
    // Before anything is touched: somebody who starts it twice by mistake shall find all as it was.
    try await PortInUse.check(host: settings.http.host, port: settings.http.port)
    let certificate = try await certificate()
    let directory = try DataDirectory.own(settings.dataDirectory, mode: settings.mode)
    let log = try EventLog(
      directory, folds: allFolds, time: .system, options: settings.log,
      baseRows: EventLog.baseRows(in: directory.path), fail: endProcess)
    defer { log.close() }
    let accounts = AccountsView(log)
    try checkAddress(
      hasKeys: log.read { (reading) throws(LogError) in try accounts.hasAccessKeys(in: reading) })
    guard settings.isSimulated else {
      return try await serve(log, certificate, simulators: nil, whenReady)
    }
    try await withSimulators(continuing: log) { places in
      try await serve(log, certificate, simulators: places, whenReady)
    }
  }

  /// Has the simulators run that no process of their own was named for.
  private func withSimulators(
    continuing log: EventLog, _ body: @escaping @Sendable (SimulatorPlaces) async throws -> Void
  ) async throws {
    let withEbay = { @Sendable (keepa: BaseURL, binance: BaseURL) async throws in
      let places = { @Sendable (ebay: BaseURL) in
        SimulatorPlaces(keepa: keepa, gemini: geminiSimulator, binance: binance, ebay: ebay)
      }
      if let ebaySimulator { return try await body(places(ebaySimulator)) }
      try await EbaySimulator(ebayConfiguration).serving { try await body(places(Self.base($0))) }
    }
    let withBinance = { @Sendable (keepa: BaseURL) async throws in
      if let binanceSimulator { return try await withEbay(keepa, binanceSimulator) }
      try await BinanceSimulator().serving { try await withEbay(keepa, Self.base($0)) }
    }
    if let simulator { return try await withBinance(simulator) }
    try await simulator(continuing: log).serving { try await withBinance(Self.base($0)) }
  }

  /// The simulated eBay sends users back to here, by the name that a browser of this machine uses.
  private var ebayConfiguration: EbaySimulatorConfiguration {
    var configuration = EbaySimulatorConfiguration()
    let port = settings.http.port
    // Of a port that is chosen later nobody can be told: the page of the consent shows the code.
    if port != 0 {
      configuration.applications = [
        EbayApplication(acceptURL: "http://localhost:\(port)/ebay/callback")
      ]
    }
    return configuration
  }

  private static func base(_ address: String) throws -> BaseURL {
    guard let base = BaseURL(address) else { throw Refused("\(address) is no address.") }
    return base
  }

  /// Refuses an address that others reach as long as nobody has to show a key.
  private func checkAddress(hasKeys: Bool) throws(Refused) {
    if let problem = settings.http.problem(hasIssuedKeys: hasKeys) { throw Refused("\(problem).") }
  }

  /// What is shown to clients that come with TLS; nil: none may. Looks too whether all else is ready for them.
  private func certificate() async throws -> CertificateFiles.Loaded? {
    guard let port = settings.http.tlsPort else { return nil }
    let files = CertificateFiles(folder: settings.tlsDirectory)
    let now = Date(TimeSource.system.now())
    let loaded = try files.load(at: now)
    try await PortInUse.check(host: settings.http.host, port: port, flag: "--tls-port")
    // Without a key nothing is asked of Keepa.
    if !settings.isSimulated, settings.keepaKey != nil {
      try OwnAddress(settings.http).check(settings.keepaBase, by: settings.keepaConnectTo)
    }
    if let warning = loaded.warning(at: now, in: files) { logger.warning("\(warning)") }
    return loaded
  }

  /// A simulator whose balance goes on where the ledger left off, as Keepa's would.
  private func simulator(continuing log: EventLog) throws -> KeepaSimulator {
    var configuration = KeepaSimulatorConfiguration()
    // Some more, so that several credentials can be tried.
    configuration.keys = Set((0..<10).map(KeepaSimulator.sampleKey))
    let ledger = LedgerView(log)
    let key = MeterKey(
      owner: CredentialOrder.id(of: KeepaSimulator.sampleKey, for: KeepaUpstream.name),
      unit: KeepaUpstream.unit)
    let meter = try log.read { (transaction) throws(LogError) in
      try ledger.meter(key, in: transaction)
    }
    if meter.reading != nil {
      configuration.balance = Int(KeepaUpstream.bucket().available(on: meter, at: log.time.now()))
    }
    return KeepaSimulator(configuration)
  }

  /// - Parameter simulators: where they are; nil: upstreams are real.
  private func serve(
    _ log: EventLog, _ certificate: CertificateFiles.Loaded?, simulators: SimulatorPlaces?,
    _ whenReady: @escaping @Sendable (Running) async -> Void
  ) async throws {
    let master = try settings.masterKey()
    let systems = try Systems.all.map { try $0.open(settings, simulators) }
    let http = zip(Systems.http, systems).map { $1.http ?? $0 }
    let gateway = Gateway(
      log: log, upstreams: systems.map(\.upstream), settings: settings.gateway,
      random: Chance.fraction, master: master)
    let checkpoints = checkpoints(of: log)
    let limit = makeLimit(Double(gateway.longestCall) / 1_000 + Self.lastSeconds)
    defer { limit.lift() }
    let outcome: Result<Void, any Error>
    do {
      try await gateway.start(version: Tollbook.version)
      let lost = gateway.lostCredentials
      if !lost.isEmpty {
        logger.warning(
          "secrets cannot be read: they are gone, or sealed with another master key",
          metadata: ["credentials": "\(lost.joined(separator: ", "))"])
      }
      outcome = .success(
        try await services(gateway, http, checkpoints, limit, certificate, whenReady))
    } catch { outcome = .failure(error) }
    await gateway.stop()
    if let checkpoints { publish(checkpoints) }
    for system in systems { await system.close() }
    logger.info("stopped", metadata: ["position": "\(log.head)"])
    try outcome.get()
  }

  /// Answers requests, and keeps house, until told to stop.
  private func services(
    _ gateway: Gateway, _ systems: [HTTPSystem], _ checkpoints: CheckpointPublisher?,
    _ limit: EndLimit, _ certificate: CertificateFiles.Loaded?,
    _ whenReady: @escaping @Sendable (Running) async -> Void
  ) async throws {
    let group = Mutex<ServiceGroup?>(nil)
    let http = settings.http
    let tollbook = TollbookApplication(
      gateway: gateway, settings: http, systems: systems, checkpoints: checkpoints,
      logger: requestLogger)
    let listening = Listening(count: certificate == nil ? 1 : 2)
    let came = { @Sendable (channel: any Channel, isSecure: Bool) async in
      let scheme = isSecure ? "https" : "http"
      let port = channel.localAddress?.port ?? (isSecure ? http.tlsPort ?? 0 : http.port)
      let url = "\(scheme)://\(Self.name(ofHost: http.host)):\(port)"
      guard let urls = listening.add(url, isSecure: isSecure) else { return }
      logger.info("serving", metadata: startMetadata(gateway, urls))
      await whenReady(
        Running(
          log: gateway.log, gateway: gateway, url: urls.plain, secureURL: urls.secure,
          stop: { await group.withLock(\.self)?.triggerGracefulShutdown() }))
    }
    let application = tollbook.application { await came($0, false) }
    var services: [any Service] = [Housekeeping(gateway: gateway, logger: logger)]
    if let checkpoints {
      services.append(
        CheckpointKeeping(checkpoints: checkpoints, jobs: gateway.jobs, logger: logger))
    }
    services.append(
      SnapshotKeeping(
        keeper: SnapshotKeeper(log: gateway.log, policy: settings.snapshots),
        jobs: gateway.jobs, logger: logger))
    services.append(Advising(tollbook: tollbook))
    services.append(Working(tollbook: tollbook))
    let socket = try ControlSocket(of: gateway.log.directory)
    services.append(tollbook.controlApplication(socket: socket.path))
    if let certificate {
      services.append(
        try tollbook.secureApplication(certificate.configuration) { await came($0, true) })
    }
    services.append(application)
    // The last one is told first.
    services.append(Ending(gateway: gateway, limit: limit))
    var configuration = ServiceGroupConfiguration(
      services: services.map {
        .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup)
      }, gracefulShutdownSignals: signals,
      logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() })
    // What waits is answered at once then; a call that is out ends within its own time.
    configuration.maximumGracefulShutdownDuration = .milliseconds(
      gateway.longestCall + 5_000)
    let running = ServiceGroup(configuration: configuration)
    group.withLock { $0 = running }
    defer { try? FileManager.default.removeItem(atPath: socket.path) }
    do { try await running.run() } catch is CancellationError {}
  }

  private func startMetadata(
    _ gateway: Gateway, _ urls: Listening.Addresses
  ) -> Logger.Metadata {
    var metadata: Logger.Metadata = [
      "url": "\(urls.plain)", "data_dir": "\(settings.dataDirectory)",
      "mode": "\(settings.mode.rawValue)", "position": "\(gateway.log.head)",
      "version": "\(Tollbook.version)",
    ]
    if let secure = urls.secure { metadata["tls_url"] = "\(secure)" }
    for upstream in gateway.statuses {
      let credential = upstream.credential.map { " with \($0)" } ?? ""
      metadata[upstream.name] = "\(upstream.state.rawValue)\(credential)"
    }
    return metadata
  }

  /// How a client on this machine names the address that is listened on.
  private static func name(ofHost host: String) -> String {
    switch host {
    case "0.0.0.0": "127.0.0.1"
    case "::": "[::1]"
    default: host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    }
  }

  /// Requests speak up only when something went wrong, unless more is asked for.
  private var requestLogger: Logger {
    var logger = logger
    if logger.logLevel == .info { logger.logLevel = .notice }
    return logger
  }
}

extension Server {
  /// What publishes the log's checkpoints. Without a key that can be read, the rest is served all the same.
  private func checkpoints(of log: EventLog) -> CheckpointPublisher? {
    do throws(CheckpointKeyError) {
      return CheckpointPublisher(log, signer: try CheckpointSigner.own(log.directory))
    } catch {
      logger.error("\(error)")
      return nil
    }
  }

  /// The last checkpoint: of all that was written until the end.
  private func publish(_ checkpoints: CheckpointPublisher) {
    do throws(CheckpointRefusal) { try checkpoints.publish() } catch { logger.error("\(error)") }
  }
}

/// The log's checkpoints, from the start every hour, until the service stops.
private struct CheckpointKeeping: Service {
  let checkpoints: CheckpointPublisher
  let jobs: JobRunner
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await jobs.repeat(.checkpoint, every: CheckpointPublisher.interval) { _ in
        do throws(CheckpointRefusal) {
          let checkpoint = try checkpoints.publish()
          return .done(checkpoint.map { "of \($0.size) events" } ?? "nothing is new")
        } catch {
          logger.error("\(error)")
          return .failed("\(error)")
        }
      }
    }
  }
}

/// Snapshots that are taken by themselves, until the service stops.
private struct SnapshotKeeping: Service {
  let keeper: SnapshotKeeper
  let jobs: JobRunner
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await jobs.repeat(.snapshot, every: SnapshotKeeper.pause, isFirstAtOnce: false) { _ in
        switch await keeper.takeIfDue() {
        case .notDue: return .done("none is due")
        case .taken(let taken, let removed):
          logger.info(
            "took a snapshot",
            metadata: ["file": "\(taken.file)", "removed": "\(removed.count)"])
          return .done(taken.file)
        case .failed(.stopped): return .cancelled
        case .failed(let problem):
          logger.error("no snapshot was taken: \(problem)")
          return .failed("\(problem)")
        }
      }
    }
  }
}

/// The gateway's housekeeping, until the service stops.
private struct Housekeeping: Service {
  let gateway: Gateway
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await gateway.runHousekeeping { note in
        switch note {
        case .outOfSpace: logger.error("\(note)")
        case .spaceIsBack, .deadReaders, .alertCleared: logger.notice("\(note)")
        case .alertRaised, .deliveryGivenUp: logger.warning("\(note)")
        }
      }
    }
  }
}

/// Looks for what would have spared the cache purchases, until the service stops.
private struct Advising: Service {
  let tollbook: TollbookApplication

  func run() async throws {
    await cancelWhenGracefulShutdown { await tollbook.adviseHourly() }
  }
}

/// What systems do by the clock, until the service stops.
private struct Working: Service {
  let tollbook: TollbookApplication

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await tollbook.workOfSystems()
      // Of systems without such work there is nothing to end.
      try? await gracefulShutdown()
    }
  }
}

/// Tells the gateway that the end has begun, before anything else is told: no further call is sent, and what waits is
/// answered.
private struct Ending: Service {
  let gateway: Gateway
  let limit: EndLimit

  func run() async throws {
    try? await gracefulShutdown()
    limit.begin()
    gateway.beginStop()
  }
}
