import ArgumentParser
import Foundation
import LMDB
import Synchronization
import TollbookEvents
import TollbookLog
import TollbookViews

/// Views rebuilt while they are read, and reads of the past.
struct ViewsBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "views",
    abstract: "Rebuilds views while they are read, and reads the past of single rows.")

  @Argument(help: "A folder that `fill` has made; without it a small one is made and removed.")
  var folder: String?
  @Option(help: "How many events the small one has.") var events: UInt64 = 500_000
  @Option(help: "Where the small one is made.") var disk = NSTemporaryDirectory()
  @Flag(help: "Leave the rebuild out.") var onlyPast = false

  func run() async throws {
    if let folder { return try await measure(folder) }
    try await withFolder(in: disk) { path in
      try await fill(path)
      try await measure(path)
    }
  }

  private func fill(_ path: String) async throws {
    var options = EventLog.Options()
    options.unsafeWithoutSync = true
    let log = try open(path, options)
    let mix = MixDispenser()
    let events = events
    while log.head < events {
      _ = try await log.decide { (_, context) throws(LogError) in
        Decision(events: mix.take(5_000, context), answer: ())
      }
    }
    log.close()
    try log.environment.sync()
  }

  private func open(_ path: String, _ options: EventLog.Options = .init()) throws -> EventLog {
    try EventLog(
      DataDirectory.own(path, mode: .simulated), folds: allFolds, time: .system, options: options
    ) { error in print("failed: \(error)") }
  }

  private func measure(_ path: String) async throws {
    let log = try open(path)
    defer { log.close() }
    let sample = try RowSample(log)
    try past(log, sample)
    if onlyPast { return }
    let calm = try sample.readsPerSecond(log)
    let quiet = Readings()
    try await reading(log, sample, perSecond: calm / 5, into: quiet) {
      try await Task.sleep(for: .seconds(3))
    }
    let busy = Readings()
    var report: RebuildReport?
    var took = 0.0
    try await reading(log, sample, perSecond: calm / 5, into: busy) {
      took = try await seconds { report = try await log.rebuildViews() }
    }
    guard let report else { return }
    show(report, seconds: took, of: log.head)
    let rate = grouped(calm / 5)
    let meanwhile = Row(
      "reads at \(rate)/s meanwhile, p99", milliseconds(busy.percentile(0.99)),
      "p50 \(milliseconds(busy.percentile(0.5))), most \(milliseconds(busy.percentile(1)))")
    let without = Row(
      "the same without a rebuild, p99", milliseconds(quiet.percentile(0.99)),
      "most \(milliseconds(quiet.percentile(1)))")
    let appends = Row(
      "one event appended each 20 ms meanwhile, p99", milliseconds(busy.appendPercentile(0.99)),
      "without a rebuild \(milliseconds(quiet.appendPercentile(0.99)))")
    printTable("Reads and appends meanwhile", [meanwhile, without, appends])
  }

  private func show(_ report: RebuildReport, seconds: Double, of head: Position) {
    var rows: UInt64 = 0
    for view in report.views { rows += view.rows }
    let rate = grouped(Double(head) / seconds)
    let verdict = report.isEqual ? "all the same" : "DIFFERENT"
    let whole = Row(
      "rebuilt, compared, switched, dropped", "\(rate) events/s",
      "\(grouped(Double(rows))) rows, \(verdict)")
    let stop = milliseconds(Double(report.longestStop) / 1e6)
    let holds = grouped(Double(report.holds))
    let held = Row(
      "writer held at most", milliseconds(Double(report.longestHold) / 1e6),
      "\(holds) times; with flushes \(stop)")
    printTable(
      "Views rebuilt while they are read: \(grouped(Double(head))) events", [whole, held])
  }

  private func milliseconds(_ value: Double) -> String { String(format: "%.3f ms", value) }

  // MARK: The past

  private func past(_ log: EventLog, _ sample: RowSample) throws {
    let ledger = LedgerView(log)
    let cache = CacheView(log)
    let index = log.index
    let meters = Readings()
    let entries = Readings()
    for round in 0..<400 {
      let position = sample.position(round)
      meters.add(
        try seconds {
          _ = try log.read { (transaction) throws(LogError) in
            try ledger.meter(
              sample.meter, asOf: position, reader: log.reader, in: transaction)
          }
        })
      entries.add(
        try seconds {
          _ = try log.read { (transaction) throws(LogError) in
            try cache.past(
              of: sample.resource(round), asOf: position, index: index, reader: log.reader,
              in: transaction)
          }
        })
    }
    printTable(
      "One row as of a position: \(grouped(Double(log.head))) events",
      [("a meter", meters), ("an entry of the cache", entries)].map { name, readings in
        Row(
          name, milliseconds(readings.percentile(0.5)),
          "p99 \(milliseconds(readings.percentile(0.99))),"
            + " most \(milliseconds(readings.percentile(1)))")
      })
  }

  // MARK: Reads meanwhile

  /// Reads rows at a steady rate on a thread of its own, and appends an event now and then, while the body runs.
  private func reading(
    _ log: EventLog, _ sample: RowSample, perSecond: Double, into readings: Readings,
    while body: () async throws -> Void
  ) async throws {
    let isDone = Signal()
    let ended = DispatchSemaphore(value: 0)
    let thread = Thread {
      let start = ContinuousClock.now
      var count = 0
      while !isDone.isSet {
        let due = Double(count) / perSecond
        let now = start.duration(to: .now).inSeconds
        if due > now { Thread.sleep(forTimeInterval: due - now) }
        readings.add((try? seconds { try sample.read(log, count) }) ?? 1_000)
        count += 1
      }
      ended.signal()
    }
    thread.start()
    let appending = Task {
      while !isDone.isSet {
        try await Task.sleep(for: .milliseconds(20))
        let took = try await seconds {
          _ = try await log.decide { _, _ in
            Decision(events: [.serviceStarted(ServiceStarted())], answer: ())
          }
        }
        readings.addAppend(took)
      }
    }
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    isDone.set()
    ended.wait()
    _ = try? await appending.value
    try outcome.get()
  }
}

/// Rows of a log to read.
private struct RowSample: Sendable {
  let meter: MeterKey
  private let resources: [ResourceKey]
  private let head: Position
  private let cache: CacheView
  private let ledger: LedgerView

  init(_ log: EventLog) throws {
    let cache = CacheView(log)
    let ledger = LedgerView(log)
    self.cache = cache
    self.ledger = ledger
    head = log.head
    (resources, meter) = try log.read {
      (transaction) throws(LogError) in
      let page = try cache.page(after: nil, limit: 5_000, in: transaction) { _ in true }
      let meters = try ledger.meters(in: transaction)
      return (
        page.entries.map(\.resource),
        meters.first?.key ?? MeterKey(owner: "", unit: "")
      )
    }
  }

  func position(_ index: Int) -> Position {
    // Spread over the whole log.
    1 + UInt64(index) &* 0x9E37_79B9_7F4A_7C15 % max(1, head - 1)
  }

  func resource(_ index: Int) -> ResourceKey { resources[index &* 7_919 % resources.count] }

  /// What a request that is answered from the cache reads.
  func read(_ log: EventLog, _ index: Int) throws {
    let resource = resource(index)
    try log.read { (transaction) throws(LogError) in
      _ = try cache.entry(resource, covering: 0, in: transaction)
      _ = try ledger.meter(meter, in: transaction)
    }
  }

  /// How many of them one thread does.
  func readsPerSecond(_ log: EventLog) throws -> Double {
    let count = 20_000
    let took = try seconds { for index in 0..<count { try read(log, index) } }
    return Double(count) / took
  }
}

/// Durations, in milliseconds.
private final class Readings: Sendable {
  private let values = Mutex<(reads: [Double], appends: [Double])>(([], []))

  func add(_ seconds: Double) { values.withLock { $0.reads.append(seconds * 1_000) } }
  func addAppend(_ seconds: Double) { values.withLock { $0.appends.append(seconds * 1_000) } }

  func percentile(_ part: Double) -> Double {
    Self.percentile(part, values.withLock { $0.reads })
  }

  func appendPercentile(_ part: Double) -> Double {
    Self.percentile(part, values.withLock { $0.appends })
  }

  private static func percentile(_ part: Double, _ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    return values.sorted()[min(values.count - 1, Int(part * Double(values.count)))]
  }
}

/// Said once.
private final class Signal: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
