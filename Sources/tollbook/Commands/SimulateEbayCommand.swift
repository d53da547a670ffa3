import ArgumentParser
import TollbookSimulators

/// `tollbook simulate ebay`
struct SimulateEbayCommand: SimulatorCommand {
  static let usualPort = 9_003
  static let configuration = CommandConfiguration(
    commandName: "ebay",
    abstract: "Run a stand-in for eBay: OAuth, searches, items, limits, a market that moves.",
    discussion: """
      It answers OAuth, the Browse API and the Developer Analytics API. Products, \
      sellers and listings are invented from the seed, the same ones every time: they \
      appear, get cheaper, end and come again as time goes by. What it counted and the \
      deals that it planted stand at /_simulator/books; faults are set by POST to \
      /_simulator/faults, a wrong clock, ended items, a refused consent and the like by \
      POST to /_simulator/conditions.

      Example:
        tollbook simulate ebay --port 9003 --limit 500
      """)

  @OptionGroup var serving: SimulatorOptions<Self>

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many products there are.", valueName: "number"))
  var families = 40

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many listings each product has, at most.", valueName: "number"))
  var listings = 120

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many deals are planted a day for each product.", valueName: "number"))
  var deals = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What its market is made from.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Calls of the Browse API a day.", valueName: "calls"))
  var limit = 5_000

  @Option(
    name: .customLong("accept-url"), parsing: .unconditional,
    help: ArgumentHelp(
      "Where users are sent who consented; without it a page shows the code.", valueName: "url"))
  var acceptURL: String?

  func validate() throws {
    guard (1...10_000).contains(families) else {
      throw ValidationError("--families is \(families); name 1 to 10000.")
    }
    guard (1...100_000).contains(listings) else {
      throw ValidationError("--listings is \(listings); name 1 to 100000.")
    }
    guard (0...24).contains(deals) else {
      throw ValidationError("--deals is \(deals); name 0 to 24.")
    }
    guard (0...1_000_000_000).contains(limit) else {
      throw ValidationError("--limit is \(limit); name 0 to 1000000000.")
    }
    if let acceptURL, !acceptURL.hasPrefix("http://"), !acceptURL.hasPrefix("https://") {
      throw ValidationError(
        "--accept-url is \(acceptURL); an address begins with http:// or https://.")
    }
  }

  func run() async throws {
    var configuration = EbaySimulatorConfiguration()
    configuration.families = families
    configuration.listingsPerFamily = listings
    configuration.dealsPerFamilyDay = deals
    configuration.seed = seed
    configuration.limits[.browse] = limit
    configuration.latency = serving.latencyMs
    let application = EbayApplication(acceptURL: acceptURL)
    configuration.applications = [application]
    let simulator = EbaySimulator(configuration)
    let words = simulator.familyWords.first ?? ""
    try await SimulatorOnPort.run(simulator, port: serving.port) { url in
      """
      A simulated eBay is ready at \(url)
      Its app id: \(application.clientId)
      Its cert id: \(application.clientSecret)
      Its RuName: \(application.ruName)
      Something to search for: \(words)
      A token: curl -u '\(application.clientId):\(application.clientSecret)' \\
        -d grant_type=client_credentials \(url)/identity/v1/oauth2/token
      What it counted, and the deals to be found: curl \(url)/_simulator/books
      """
    }
  }
}
