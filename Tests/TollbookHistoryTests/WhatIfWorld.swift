import Keepa
import LMDB
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

/// One request of a demand.
struct WhatIfDemand: Sendable {
  /// Milliseconds after the start.
  var at: Int64
  var asins: [String]
  var contentSet = ContentSet.plain
  /// In milliseconds.
  var maximumAge: Int64?
  /// A look into the cache, which never buys.
  var isPeek = false
  /// Whether the reads counted so far are written down before it.
  var isAfterTally = true
}

/// A gateway with some windows in front of a simulated Keepa, on a manual clock: it is asked what a demand asks, at the
/// instants that the demand names.
final class WhatIfWorld {
  /// How long each call takes, in milliseconds.
  static let answerTime: Int64 = 1_000

  let folder: TemporaryFolder
  let time: ManualTime
  let keepa: WhatIfKeepa
  let log: EventLog
  let gateway: Gateway

  init(
    _ policy: FreshnessPolicy, rate: Int = 20, balance: Int? = nil,
    _ change: (inout GatewaySettings) -> Void = { _ in }
  ) async throws {
    folder = try TemporaryFolder()
    let time = ManualTime()
    self.time = time
    var simulated = KeepaSimulatorConfiguration()
    simulated.refillRate = rate
    simulated.balance = balance
    simulated.now = { time.now.milliseconds }
    simulated.sleep = { _ in }
    keepa = WhatIfKeepa(KeepaSimulator(simulated), time)
    log = try folder.openLog(folds: allFolds, time: time.source)
    var settings = GatewaySettings()
    settings.products = policy
    settings.retries.attempts = 1
    change(&settings)
    gateway = Gateway(log: log, keepa: (keepa, "main"), settings: settings, random: { 0 })
    try await gateway.start(version: "test")
  }

  var source: LogSource { LogSource(log) }

  /// What Keepa says it charged.
  var charged: Int64 {
    Int64(keepa.simulator.books.calls.reduce(0) { $0 + $1.tokens })
  }

  /// Asks all of it, and writes down what was counted.
  func live(_ demand: [WhatIfDemand]) async throws {
    for request in demand {
      if request.isAfterTally { await gateway.writeTallies() }
      let at = Timestamp.testStart.milliseconds + request.at
      precondition(time.now.milliseconds <= at, "the demand is too dense for its calls")
      time.advance(byMilliseconds: at - time.now.milliseconds)
      await gateway.sweep()
      if request.isPeek {
        for asin in request.asins.compactMap({ KeepaASIN($0) }) {
          _ = try gateway.product(asin, in: .unitedStates)
        }
      } else {
        _ = await gateway.products(
          ProductsRequest(
            asins: request.asins.compactMap { KeepaASIN($0) }, contentSet: request.contentSet,
            maximumAge: request.maximumAge))
      }
      while gateway.purchasers.first?.isIdle == false { await Task.yield() }
    }
    await gateway.writeTallies()
  }

  func report(_ policies: [WhatIfPolicy]) async throws -> WhatIfReport {
    guard let record = try WhatIf.read(source, WhatIf.Question(.keepa)),
      let report = await WhatIf.play(record, policies)
    else { fatalError("nobody ended it") }
    return report
  }

  func predict(_ policy: FreshnessPolicy) async throws -> WhatIfOutcome {
    try await report([WhatIfPolicy(name: "tried", products: policy)]).played.outcomes[0]
  }

  func recorded() async throws -> WhatIfOutcome { try await report([]).played.recorded }
}

/// The simulator as an upstream, without HTTP in between. Each paid call takes a second of the clocks.
final class WhatIfKeepa: KeepaAPI {
  let simulator: KeepaSimulator
  private let time: ManualTime

  init(_ simulator: KeepaSimulator, _ time: ManualTime) {
    self.simulator = simulator
    self.time = time
  }

  func products(
    _ request: KeepaProductRequest, within limit: Duration
  ) async -> UpstreamCall<KeepaProductAnswer> {
    let parameters = request.parameters.reduce(into: ["key": KeepaSimulator.sampleKey]) {
      $0[$1.name] = $1.value
    }
    time.advance(byMilliseconds: WhatIfWorld.answerTime)
    let answer = await simulator.answer(path: "/product", parameters: parameters)
    return call(answer) { () throws(UpstreamFailure) in
      try KeepaProductAnswer.read(
        status: answer.status, body: answer.body, asked: request.asins,
        contentSet: request.contentSet)
    }
  }

  func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading> {
    let answer = await simulator.answer(
      path: "/token", parameters: ["key": KeepaSimulator.sampleKey])
    return call(answer) { () throws(UpstreamFailure) in
      try KeepaBalanceAnswer.read(status: answer.status, body: answer.body)
    }
  }

  private func call<Answer: Sendable>(
    _ answer: TollbookSimulators.KeepaAnswer, _ read: () throws(UpstreamFailure) -> Answer
  ) -> UpstreamCall<Answer> {
    UpstreamCall(
      sentMilliseconds: time.now.milliseconds, duration: .zero,
      receivedBytes: answer.body.count, isSimulated: true, result: Result(catching: read))
  }
}

extension FreshnessPolicy {
  static func windows(
    fresh: Int64, grace: Int64 = 0, errorGrace: Int64 = 23 * 86_400_000, absent: Int64 = 86_400_000
  ) -> FreshnessPolicy {
    var policy = FreshnessPolicy()
    policy.present.fresh = fresh
    policy.present.grace = grace
    policy.present.errorGrace = errorGrace
    policy.present.keep = max(90 * 86_400_000, fresh)
    policy.absent.fresh = absent
    return policy
  }
}
