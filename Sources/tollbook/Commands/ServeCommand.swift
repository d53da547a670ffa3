import ArgumentParser
import Logging
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams

extension BaseURL: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
}

/// `tollbook serve`
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Answer requests until stopped (Ctrl-C or SIGTERM).",
    discussion: """
      Examples:
        tollbook serve --simulate               no key needed, nothing is spent
        KEEPA_API_KEY=… tollbook serve          the real Keepa
        KEEPA_BASE_URL=http://localhost:9000 …  a server that speaks its format
        tollbook serve --tls                    as api.keepa.com too, see `tls init`
        tollbook serve --simulate --simulator http://localhost:8001
                                                a simulator in a process of its own

      Real and simulated data never share a folder: what a simulator answers is not \
      taken into a folder of real data. All settings: `tollbook config`.
      """)

  @OptionGroup var place: PlaceFlags
  @OptionGroup var service: ServiceFlags

  @Option(
    help: ArgumentHelp(
      "With --simulate: use the simulator at that address, as `tollbook simulate keepa` starts it,"
        + " and none of its own.", valueName: "address"))
  var simulator: BaseURL?

  @Option(
    help: ArgumentHelp(
      "The same for Gemini, as `tollbook simulate gemini` starts it; without one nothing is bought"
        + " from it.", valueName: "address"))
  var geminiSimulator: BaseURL?

  @Option(
    help: ArgumentHelp(
      "With --simulate: use the simulator of Binance at that address, as"
        + " `tollbook simulate binance` starts it, and none of its own.", valueName: "address"))
  var binanceSimulator: BaseURL?

  @Option(
    help: ArgumentHelp(
      "With --simulate: use the simulator of eBay at that address, as `tollbook simulate ebay`"
        + " starts it, and none of its own.", valueName: "address"))
  var ebaySimulator: BaseURL?

  func validate() throws {
    let flags = [
      (simulator, "--simulator"), (geminiSimulator, "--gemini-simulator"),
      (binanceSimulator, "--binance-simulator"), (ebaySimulator, "--ebay-simulator"),
    ]
    guard place.simulate || flags.allSatisfy({ $0.0 == nil }) else {
      let flag = flags.first { $0.0 != nil }?.1 ?? ""
      throw ValidationError("\(flag) is for simulated data: add --simulate.")
    }
  }

  func run() async throws {
    let settings = try await place.settings(service.values)
    var logger = Logger(label: "tollbook") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = settings.logLevel
    try await Server(
      settings: settings, logger: logger, simulator: simulator, geminiSimulator: geminiSimulator,
      binanceSimulator: binanceSimulator, ebaySimulator: ebaySimulator
    ).run { running in
      Console.say(
        Self.greeting(
          settings, running, hasGemini: geminiSimulator != nil))
      if let ahead = Self.clockAhead(running) { Console.note(ahead) }
    }
  }

  /// What is to be told if the log is dated later than now.
  private static func clockAhead(_ running: Server.Running) -> String? {
    // What cannot be read is told by /health.
    guard let ahead = try? running.log.clockAhead() else { return nil }
    return "Degraded: \(ahead)."
  }

  private static func greeting(
    _ settings: Settings, _ running: Server.Running, hasGemini: Bool
  ) -> String {
    let upstream: String
    if settings.isSimulated {
      upstream =
        hasGemini
        ? "Keepa, Binance, eBay and Gemini are simulated; nothing is spent."
        : "Keepa, Binance and eBay are simulated; nothing is spent."
    } else if settings.keepaKey != nil {
      let place = settings.keepaConnectTo.map { ", connected to at \($0)" } ?? ""
      upstream = "Keepa is at \(settings.keepaBase)\(place)."
    } else if running.gateway.statuses.contains(where: \.isConfigured) {
      upstream = "No key for Keepa is set (KEEPA_API_KEY): of its products only the cache answers."
    } else {
      upstream =
        "No key for Keepa is set (KEEPA_API_KEY): only what the cache holds is answered."
    }
    let gemini = !settings.isSimulated && settings.geminiKey != nil
    let others = gemini ? " Gemini is at \(settings.geminiBase)." : ""
    let key =
      settings.http.accessKey == nil
      ? "" : " -H \"Authorization: Bearer $TOLLBOOK_ACCESS_KEY\""
    let names = Systems.http.flatMap { $0.dropIn?.hosts ?? [] }.joined(separator: " and ")
    let secure = running.secureURL.map { "\nAs \(names) it listens with TLS at \($0)" } ?? ""
    return """
      Tollbook is ready at \(running.url)\(secure)
      Data is in \(settings.dataDirectory). \(upstream)\(others)
      A product counts as fresh for \(settings.productFresh) here and for 1h at Keepa; \
      TOLLBOOK_PRODUCT_FRESH changes that, and update= in a request.
      Try: curl\(key) \(running.url)/keepa/batch-analyze -H 'Content-Type: application/json' \
      -d '{"asinList":["B09T2ZLMHB"]}'
      """
  }
}
