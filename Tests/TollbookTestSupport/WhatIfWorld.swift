package import Keepa
package import TollbookArchive
import TollbookEvents
package import TollbookGateway
package import TollbookLog
package import TollbookSimulators
package import TollbookUpstreams
import TollbookViews

/// One request of a demand.
package struct WhatIfDemand: Sendable {
  /// Milliseconds after the start.
  package var at: Int64
  package var asins: [String]
  package var contentSet = ContentSet.plain
  /// In milliseconds.
  package var maximumAge: Int64?
  /// A look into the cache, which never buys.
  package var isPeek = false
  /// Whether the reads counted so far are written down before it.
  package var isAfterTally = true

  package init(
    at: Int64, asins: [String], contentSet: ContentSet = .plain, maximumAge: Int64? = nil,
    isPeek: Bool = false, isAfterTally: Bool = true
  ) {
    self.at = at
    self.asins = asins
    self.contentSet = contentSet
    self.maximumAge = maximumAge
    self.isPeek = isPeek
    self.isAfterTally = isAfterTally
  }
}

/// A gateway with some windows in front of a simulated Keepa, on a manual clock: it is asked what a demand asks, at the
/// instants that the demand names.
package final class WhatIfWorld {
  /// How long each call takes, in milliseconds.
  package static let answerTime: Int64 = 1_000

  package let folder: TemporaryFolder
  package let time: ManualTime
  package let keepa: WhatIfKeepa
  package let log: EventLog
  package let gateway: Gateway
  private let isIdle: (Gateway) -> Bool

  /// - Parameter isIdle: whether nothing is under way in it, refreshes behind answers included.
  package init(
    _ policy: FreshnessPolicy, rate: Int = 20, balance: Int? = nil,
    isIdle: @escaping (Gateway) -> Bool,
    _ change: (inout GatewaySettings) -> Void = { _ in }
  ) async throws {
    self.isIdle = isIdle
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

  package var source: LogSource { LogSource(log) }

  /// What Keepa says it charged.
  package var charged: Int64 { Int64(keepa.simulator.books.tokens) }

  /// Asks all of it, and writes down what was counted.
  package func live(_ demand: [WhatIfDemand]) async throws {
    for request in demand { try await ask(request) }
    await gateway.writeTallies()
  }

  func ask(_ request: WhatIfDemand) async throws {
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
    while !isIdle(gateway) { await Task.yield() }
  }
}

/// The simulator as an upstream, without HTTP in between. Each paid call takes a second of the clocks.
package final class WhatIfKeepa: KeepaAPI {
  package let simulator: KeepaSimulator
  private let time: ManualTime

  package init(_ simulator: KeepaSimulator, _ time: ManualTime) {
    self.simulator = simulator
    self.time = time
  }

  package func products(
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

  package func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading> {
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
  package static func windows(
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
