import ArgumentParser
import Foundation
import Keepa
import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

/// How soon after the commit of a bought answer those are answered who joined the call.
struct JoinBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "joins", abstract: "Asks for the same product many times at once.")

  @Option(help: "How often it is measured.") var rounds = 300
  @Option(help: "A folder on the disk.") var disk = NSTemporaryDirectory()

  func run() async throws {
    try await withFolder(in: disk) { path in
      let directory = try DataDirectory.own(path, mode: .simulated)
      let log = try EventLog(directory, folds: allFolds, time: .system) { print("failed: \($0)") }
      let keepa = HeldKeepa()
      let gateway = Gateway(
        log: log, keepa: (keepa, "main"), settings: GatewaySettings(), random: { 0 })
      try await gateway.start(version: "bench")
      _ = await gateway.products(ProductsRequest(asins: Self.product(0)))
      var few: [Double] = []
      var calls = keepa.calls
      for round in 1...rounds {
        few += try await Self.round(round, joiners: 10, gateway, log, keepa).waits
      }
      let perRound = keepa.calls - calls
      calls = keepa.calls
      let many = try await Self.round(rounds + 1, joiners: 10_000, gateway, log, keepa)
      printTable(
        "Joining a call under way: from its commit on the disk to the answers",
        [
          Row(
            "10 joiners, median of \(rounds) rounds", Self.milliseconds(few, 0.5),
            "\(perRound) calls"),
          Row("10 joiners, 99 of 100", Self.milliseconds(few, 0.99), "limit: 2 ms"),
          Row(
            "10 000 joiners, the last", Self.milliseconds(many.waits, 1),
            "\(keepa.calls - calls) call, \(many.joined) joined"),
        ])
      await gateway.stop()
      log.close()
    }
  }

  private static func product(_ number: Int) -> [KeepaASIN] {
    [EventMix.asin(number)].compactMap { KeepaASIN($0) }
  }

  /// Seconds that each joiner waited after the commit, in no order.
  private static func round(
    _ number: Int, joiners: Int, _ gateway: Gateway, _ log: EventLog, _ keepa: HeldKeepa
  ) async throws -> (waits: [Double], joined: Int) {
    keepa.hold()
    let owner = Task { _ = await gateway.products(ProductsRequest(asins: product(number))) }
    while !keepa.isHeld { try await Task.sleep(for: .microseconds(100)) }
    let tasks = (0..<joiners).map { _ in
      Task {
        let answer = await gateway.products(ProductsRequest(asins: product(number)))
        return (ContinuousClock.now, answer.outcomes.allSatisfy(\.isJoined))
      }
    }
    // Until they have joined: a bench may wait.
    try await Task.sleep(for: .milliseconds(joiners > 100 ? 500 : 3))
    let commit = CommitWatch(log)
    keepa.letGo()
    var ends: [(at: ContinuousClock.Instant, isJoined: Bool)] = []
    for task in tasks { ends.append(await task.value) }
    await owner.value
    let committed = await commit.value
    return (
      ends.map { max(0, committed.duration(to: $0.at).inSeconds) }, ends.count(where: \.isJoined)
    )
  }

  private static func milliseconds(_ seconds: [Double], _ share: Double) -> String {
    let sorted = seconds.sorted()
    let place = min(sorted.count - 1, Int(Double(sorted.count) * share))
    return String(format: "%.2f ms", sorted[place] * 1_000)
  }
}

/// Sees on a thread of its own when the log's next commit is durable.
private final class CommitWatch: Sendable {
  private let seen: AsyncStream<ContinuousClock.Instant>

  init(_ log: EventLog) {
    let head = log.head
    let (stream, continuation) = AsyncStream.makeStream(of: ContinuousClock.Instant.self)
    seen = stream
    let thread = Thread {
      while log.head == head, log.writerState == .open { usleep(20) }
      continuation.yield(.now)
      continuation.finish()
    }
    thread.start()
  }

  var value: ContinuousClock.Instant {
    get async {
      for await instant in seen { return instant }
      return .now
    }
  }
}

/// A simulated Keepa without HTTP in between, which keeps a call until it is let go.
private final class HeldKeepa: KeepaAPI {
  private struct State {
    var isHolding = false
    var held: [CheckedContinuation<Void, Never>] = []
    var calls = 0
  }

  private let keepa: WhatIfKeepa
  private let state = Mutex(State())

  init() {
    let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    let time = ManualTime(now)
    var configuration = KeepaSimulatorConfiguration()
    configuration.refillRate = 1_000
    configuration.now = { time.now.milliseconds }
    configuration.sleep = { _ in }
    keepa = WhatIfKeepa(KeepaSimulator(configuration), time)
  }

  var calls: Int { state.withLock { $0.calls } }
  var isHeld: Bool { state.withLock { !$0.held.isEmpty } }

  func hold() { state.withLock { $0.isHolding = true } }

  func letGo() {
    let held = state.withLock { state in
      state.isHolding = false
      return exchange(&state.held, with: [])
    }
    for continuation in held { continuation.resume() }
  }

  func products(
    _ request: KeepaProductRequest, within limit: Duration
  ) async -> UpstreamCall<KeepaProductAnswer> {
    await withCheckedContinuation { continuation in
      let isHolding = state.withLock { state in
        state.calls += 1
        if state.isHolding { state.held.append(continuation) }
        return state.isHolding
      }
      if !isHolding { continuation.resume() }
    }
    return await keepa.products(request, within: limit)
  }

  func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading> {
    await keepa.balance(within: limit)
  }
}
