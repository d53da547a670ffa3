import ArgumentParser
import Logging
import TollbookHTTP

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

      Real and simulated data never share a folder. All settings: `tollbook config`.
      """)

  @OptionGroup var place: PlaceFlags
  @OptionGroup var service: ServiceFlags

  func run() async throws {
    let settings = try await place.settings(service.values)
    var logger = Logger(label: "tollbook") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = settings.logLevel
    try await Server(settings: settings, logger: logger).run { running in
      Console.say(Self.greeting(settings, running))
    }
  }

  private static func greeting(_ settings: Settings, _ running: Server.Running) -> String {
    let upstream: String
    if settings.isSimulated {
      upstream = "Keepa is simulated; nothing is spent."
    } else if settings.keepaKey == nil {
      upstream =
        "No key for Keepa is set (KEEPA_API_KEY): only what the cache holds is answered."
    } else {
      upstream = "Keepa is at \(settings.keepaBase)."
    }
    let key =
      settings.http.accessKey == nil
      ? "" : " -H \"Authorization: Bearer $TOLLBOOK_ACCESS_KEY\""
    return """
      Tollbook is ready at \(running.url)
      Data is in \(settings.dataDirectory). \(upstream)
      Try: curl\(key) \(running.url)/keepa/batch-analyze -H 'Content-Type: application/json' \
      -d '{"asinList":["B09T2ZLMHB"]}'
      """
  }
}
