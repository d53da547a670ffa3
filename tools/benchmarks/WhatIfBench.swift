import ArgumentParser
import Foundation
import Keepa
import Synchronization
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookLog
import TollbookViews

/// Many policies over a long record.
struct WhatIfBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "what-if", abstract: "Plays a recorded demand under many policies.")

  @Option(help: "How many requests are recorded.") var requests = 1_000_000
  @Option(help: "How many policies are played.") var policies = 20
  @Option(help: "How many different products.") var products = 50_000
  @Option(help: "A folder on a RAM disk.") var ram = "/dev/shm"

  func run() async throws {
    try await withFolder(in: ram) { path in
      let clock = BenchClock()
      let directory = try DataDirectory.own(path, mode: .simulated)
      var options = EventLog.Options()
      options.unsafeWithoutSync = true
      let log = try EventLog(
        directory, folds: [], time: clock.source, options: options
      ) { print("failed: \($0)") }
      let filled = try await seconds { try await fill(log, clock) }
      print("\(grouped(Double(log.head))) events made in \(grouped(filled)) s")
      let source = LogSource(log)
      var record: WhatIf.Record?
      let reading = try seconds { record = try WhatIf.read(source, WhatIf.Question(.keepa)) }
      guard let record else { return }
      let tried = try (1...policies).map { number in
        try WhatIfPolicy(
          "keepa.product.fresh=\(number * 12)h,grace=\(number % 4 * 6)h", of: .keepa,
          base: record.policy)
      }
      var report: WhatIfReport?
      let playing = await seconds { report = await WhatIf.play(record, tried) }
      guard let report else { return }
      let steps = Double(requests) * Double(policies + 1) / playing
      printTable(
        "What-if: \(policies) policies over \(grouped(Double(requests))) requests",
        [
          Row("reading the demand", String(format: "%.2f s", reading)),
          Row("playing it", String(format: "%.2f s", playing), "\(grouped(steps)) requests/s"),
          Row("together", String(format: "%.2f s", reading + playing), "limit: 20 s"),
          Row("recorded", "\(report.played.recorded.cost.low) \(report.played.unit)"),
          Row(
            report.played.outcomes.last?.name ?? "",
            "\(report.played.outcomes.last?.cost.low ?? 0) to"
              + " \(report.played.outcomes.last?.cost.high ?? 0)"),
        ])
    }
  }

  /// Thirty days of requests, a hundred at a time, as a gateway with windows of seven days would have recorded them.
  private func fill(_ log: EventLog, _ clock: BenchClock) async throws {
    var random = SystemRandomNumberGenerator()
    var fetched: [Int32: Int64] = [:]
    let perCommit = 100
    let step = 30 * 86_400_000 / Int64(max(1, requests / perCommit))
    for _ in 0..<max(1, requests / perCommit) {
      clock.advance(step)
      let now = clock.now
      var read: [Int32: UInt32] = [:]
      var missing: [Int32] = []
      for _ in 0..<perCommit {
        // Few are asked for often, many seldom.
        let draw = Double.random(in: 0..<1, using: &random)
        let product = Int32(Double(products) * draw * draw * draw)
        if let time = fetched[product], now < time + 7 * 86_400_000 {
          read[product, default: 0] += 1
        } else {
          missing.append(product)
          fetched[product] = now + 500
        }
      }
      let calls = missing
      let reads = read
      _ = try await log.decide { (_, context) throws(LogError) in
        Decision(events: Self.events(calls, reads, at: now, first: context.next), answer: ())
      }
    }
  }

  private static func events(
    _ missing: [Int32], _ reads: [Int32: UInt32], at now: Int64, first: Position
  ) -> [Event] {
    var events: [Event] = []
    for product in missing {
      let fetch = first + UInt64(events.count)
      let name = EventMix.resource(Int(product))
      var started = FetchStarted()
      started.operation = "keepa.product"
      started.credential = "keepa:0123abcd"
      started.account = "default"
      started.unit = "tokens"
      started.resources = [name]
      started.bound = 1
      started.expected = 1
      var succeeded = FetchSucceeded()
      succeeded.fetch = fetch
      succeeded.attempt = 1
      succeeded.found = 1
      var written = CacheWritten()
      written.resource = name
      written.presence = .present
      written.fetch = fetch
      written.fetchedMs = now + 500
      written.freshUntilMs = written.fetchedMs + 7 * 86_400_000
      written.graceUntilMs = written.freshUntilMs
      written.errorGraceUntilMs = written.freshUntilMs + 23 * 86_400_000
      written.keepUntilMs = written.fetchedMs + 90 * 86_400_000
      written.tokens = 1
      var charged = TokensCharged()
      charged.fetch = fetch
      charged.attempt = 1
      charged.credential = started.credential
      charged.unit = started.unit
      charged.account = started.account
      charged.operation = started.operation
      charged.tokens = 1
      charged.reserved = 1
      charged.expected = 1
      events += [
        .fetchStarted(started), .fetchSucceeded(succeeded), .cacheWritten(written),
        .tokensCharged(charged),
      ]
    }
    var reading = BalanceObserved()
    reading.credential = "keepa:0123abcd"
    reading.unit = "tokens"
    reading.reading.balance = 1_200
    reading.reading.upstreamMs = now
    reading.reading.nextRefillMs = now + 30_000
    reading.reading.observedMs = now
    reading.refillRate = 20
    events.append(.balanceObserved(reading))
    var tallied = ReadsTallied()
    tallied.rows = reads.sorted { $0.key < $1.key }.map { product, count in
      var row = ReadTally()
      row.resource = EventMix.resource(Int(product))
      row.account = "default"
      row.firstReadMs = now
      row.lastReadMs = now + (count > 1 ? 400 : 0)
      row.fresh = count
      row.wantedContentSet = 0
      return row
    }
    events.append(.readsTallied(tallied))
    return events
  }
}

/// A clock that the record is written by.
private final class BenchClock: Sendable {
  private let time = Mutex(Int64(1_795_248_000_000))

  var now: Int64 { time.withLock { $0 } }
  func advance(_ milliseconds: Int64) { time.withLock { $0 += milliseconds } }

  var source: TimeSource {
    TimeSource(
      now: { Timestamp(milliseconds: self.now) },
      monotonicNanoseconds: { self.now * 1_000_000 }, sleep: { _ in })
  }
}
