import ArgumentParser
import DealScout
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

/// Scoring of many listings, and questions for deals among them, in the process.
struct DealsBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deals", abstract: "Scores many listings and asks for deals among them.")

  @Option(help: "How many listings.") var listings = 200_000
  @Option(help: "How many questions.") var questions = 5_000
  @Option(help: "Where the dice begin.") var seed: UInt64 = 1

  func run() async throws {
    let now = Timestamp(milliseconds: 1_795_000_000_000)
    var market = DealMarket(seed: seed)
    let index = ListingIndex()
    let reading = try seconds { try market.fill(index, listings: listings, at: now) }
    let offers = index.all.listings.compactMap(\.offer)
    let scoring = try seconds {
      let verdicts = try DealScorer.score(all: offers, against: offers, now: now)
      if verdicts.isEmpty { print("nothing is scored") }
    }
    let board = DealBoard()
    let first = await seconds { _ = await board.content(of: index, judges: true, now: now) }
    let table = await board.content(of: index, judges: true, now: now)
    let keys = try (0..<DealMarket.searches).map { try DealMarket.search($0).keyOfAllPages }
    var took: [Double] = []
    for _ in 0..<questions {
      let query = QueryParameters(Self.request(market.question()))
      took.append(
        try seconds {
          _ = try DealQuestion(query).page(of: table, shownBy: table.rows(of: keys))
        })
    }
    took.sort()
    let (p50, p99) = (took[took.count / 2] * 1_000, took[took.count * 99 / 100] * 1_000)
    printTable(
      "Deals among \(grouped(Double(index.count))) listings, in the process (seed \(seed))",
      [
        Row("pages read into the index", "\(grouped(Double(listings) / reading))/s", "listings"),
        Row("scored, all at once", "\(grouped(Double(listings) / scoring))/s", "goal: 100 000/s"),
        Row(
          "the first table", String(format: "%.2f s", first),
          String(format: "%.1f × the scoring; made behind later", first / scoring)),
        Row(
          "\(grouped(Double(questions))) questions, p99", String(format: "%.2f ms", p99),
          String(format: "p50 %.2f ms, goal: 20 ms", p50)),
      ])
  }

  private static func request(_ query: String) -> Request {
    Request(
      head: HTTPRequest(
        method: .get, scheme: "http", authority: "localhost", path: "/buyer/deals?\(query)"),
      body: RequestBody(buffer: ByteBuffer()))
  }
}

/// A Tollbook that has many listings in its index and buys nothing: what tools/bench asks over HTTP.
struct ServeDeals: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-deals", abstract: "Serves deals among many invented listings.")

  @Option(help: "Port on 127.0.0.1.") var port = 8091
  @Option(help: "How many listings.") var listings = 200_000
  @Option(help: "How many questions are written.") var questions = 2_000
  @Option(help: "The file that they are written to, one a line.") var into: String
  @Option(help: "Where the dice begin.") var seed: UInt64 = 1

  func run() async throws {
    let folder = try TemporaryFolder()
    let time = TimeSource.system
    let log = try EventLog(
      DataDirectory.own(folder.path, mode: .simulated), folds: allFolds, time: time
    ) { print("failed: \($0)") }
    defer { log.close() }
    guard let nowhere = BaseURL("http://127.0.0.1:9") else { throw ExitCode.failure }
    let client = UpstreamClient(nowhere, now: { time.now().milliseconds })
    let upstream = EbayUpstream(
      client, credential: UpstreamCredential(id: "", key: ""), freshness: EbayFreshness(),
      now: { time.now() })
    let scout = Scout(upstream, judges: true)
    let gateway = Gateway(
      log: log, upstreams: [.ebay(upstream, scout, isSet: false)], settings: GatewaySettings(),
      random: { 0 })
    try await gateway.start(version: "bench")
    var market = DealMarket(seed: seed)
    try market.fill(scout.index, listings: listings, at: time.now())
    let lines = (0..<questions).map { _ in market.question() }
    try lines.joined(separator: "\n").write(toFile: into, atomically: true, encoding: .utf8)
    var settings = HTTPSettings(version: "bench", startTime: time.now())
    settings.port = port
    var quiet = Logger(label: "bench")
    quiet.logLevel = .critical
    let application = TollbookApplication(
      gateway: gateway, settings: settings, systems: [.dealScout.scouting(with: scout)],
      logger: quiet)
    try await application.application().runService()
    await gateway.stop()
    await client.shutdown()
  }
}
