import Synchronization
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

/// An upstream that does not exist, with all that Keepa does not have: two keys under one address, a price that is a step of
/// how many are asked, one figure told for a whole minute, a cost in money that nobody tells, a limit of requests a day, a
/// pass that is bought first, answers with what nobody asked for, and calls that are passed through.
final class AtlasUpstream: Upstream {
  static let weight = MeterKey(owner: "atlas:address", unit: "weight")
  static let requests = MeterKey(owner: "atlas:address", unit: "requests")
  static let money = MeterKey(owner: "atlas:address", unit: "EUR")
  static let weightRule = MeterRule.clockWindow(ClockWindow(length: 60_000, limit: 100))
  static let requestRule = MeterRule.calendarWindow(
    CalendarWindow(.day, zone: "UTC", limit: 1_000)!)
  static let moneyRule = MeterRule.total(limit: 1_000_000_000)
  /// Of a call, in nano-units.
  static let price: Int64 = 1_000_000

  enum Fault: Hashable, Sendable {
    case notSent, timedOut(charged: Bool), failed500, unreadable, tooMany
  }

  struct Books: Sendable {
    /// Operation, names and credential of each call that reached the other side.
    var calls: [(operation: String, names: [String], credential: String)] = []
    /// The time that each of them was given.
    var limits: [Duration] = []
    /// The weight of each minute, of all who use the address.
    var used: [Int64: Int64] = [:]
    /// Of our calls.
    var weight: Int64 = 0
  }

  private struct State {
    var books = Books()
    var script: [Fault?] = []
    var rejected: Set<String> = []
    var passUntil: Timestamp?
    var isHolding = false
    var parked: [CheckedContinuation<Void, Never>] = []
  }

  private let time: ManualTime
  private let needsPass: Bool
  private let state = Mutex(State())

  /// - Parameter needsPass: whether places need a pass.
  init(time: ManualTime, needsPass: Bool = false) {
    self.time = time
    self.needsPass = needsPass
  }

  var books: Books { state.withLock { $0.books } }
  func script(_ faults: [Fault?]) { state.withLock { $0.script += faults } }
  func reject(_ credential: String) { _ = state.withLock { $0.rejected.insert(credential) } }
  func accept(_ credential: String) { _ = state.withLock { $0.rejected.remove(credential) } }
  func useElsewhere(_ weight: Int64) {
    state.withLock { $0.books.used[minute, default: 0] += weight }
  }

  // MARK: Calls held back

  func hold() { state.withLock { $0.isHolding = true } }
  var parkedCount: Int { state.withLock { $0.parked.count } }
  func waitForParked(_ count: Int) async { while parkedCount < count { await Task.yield() } }
  func letGo() {
    let parked = state.withLock { state in
      defer { state.parked = [] }
      state.isHolding = false
      return state.parked
    }
    for continuation in parked { continuation.resume() }
  }

  private func stop() async {
    await withCheckedContinuation { continuation in
      let isHeld = state.withLock { state in
        if state.isHolding { state.parked.append(continuation) }
        return state.isHolding
      }
      if !isHeld { continuation.resume() }
    }
  }

  // MARK: Upstream

  let name = "atlas"
  let title = "Atlas"
  let credentials = ["atlas:one", "atlas:two"]

  var meters: [UpstreamMeter] {
    [
      UpstreamMeter(
        Self.weight, Self.weightRule, doubt: .ownReadings, durability: .withAnswer),
      UpstreamMeter(Self.requests, Self.requestRule, doubt: .atWindowEnd),
      UpstreamMeter(Self.money, Self.moneyRule, doubt: .follows(Self.weight)),
    ]
  }

  var kinds: [ResourceKind] {
    var short = FreshnessPolicy()
    short.present = FreshnessWindows(fresh: 60_000, grace: 0, errorGrace: 600_000, keep: day)
    return ["atlas.place", "atlas.time"].map { ResourceKind($0, freshness: short) }
  }

  static func place(_ name: String) -> ResourceKey {
    ResourceKey(shared: "atlas.place", path: name)
  }

  static func time(_ name: String) -> ResourceKey {
    ResourceKey(shared: "atlas.time", path: name)
  }

  func callSize(of operation: String, parts: UInt64) -> Int {
    operation == "atlas.place" ? 50 : 1
  }

  /// Up to 20 places weigh 2, more weigh 10.
  static func weight(of count: Int) -> Int64 { count <= 20 ? 2 : 10 }

  func plan(_ needs: [Need]) -> [PlannedCall] {
    guard let operation = needs.first?.operation else { return [] }
    let size = callSize(of: operation, parts: 0)
    return stride(from: 0, to: needs.count, by: size).map { start in
      let places = Array(start..<min(start + size, needs.count))
      let count = places.count
      func use(_ key: MeterKey, _ rule: MeterRule, _ price: (Int) -> Int64) -> MeterUse {
        MeterUse(key, rule, bounds: PrefixCosts(of: count, callSize: size, price: price))
      }
      var uses = [
        use(Self.weight, Self.weightRule) { operation == "atlas.place" ? Self.weight(of: $0) : 1 }
      ]
      if operation != "atlas.time" {
        uses.append(use(Self.requests, Self.requestRule) { _ in 1 })
        uses.append(use(Self.money, Self.moneyRule) { _ in Self.price })
      }
      return PlannedCall(needs: places.map { needs[$0] }, places: places, uses: uses)
    }
  }

  func prerequisite(of operation: String, at now: Timestamp) -> Need? {
    guard needsPass, operation == "atlas.place" else { return nil }
    let until = state.withLock { $0.passUntil }
    guard until.map({ $0 <= now }) ?? true else { return nil }
    return Need("atlas.pass", ResourceKey(shared: "atlas.pass", path: "address"))
  }

  private var minute: Int64 { time.now.milliseconds / 60_000 }

  func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    let operation = call.needs.first?.operation ?? ""
    let names = call.needs.compactMap { $0.resource.map { String($0.path) } }
    let weight = call.uses[0].bounds[0..<call.needs.count]
    let fault: Fault? = state.withLock { state in
      let fault = state.script.isEmpty ? nil : state.script.removeFirst()
      if fault == .notSent { return fault }
      state.books.calls.append((operation, names, credential))
      state.books.limits.append(limit)
      return fault
    }
    await stop()
    if fault == .notSent {
      return failure(.notSent, charge: .none)
    }
    if fault == .tooMany {
      return failure(.insufficientTokens, status: 429, charge: .known(0), weight: .told(0))
    }
    if state.withLock({ $0.rejected.contains(credential) }) {
      return failure(.keyRejected, status: 401, charge: .known(0), weight: .told(0))
    }
    if fault != .timedOut(charged: false) {
      state.withLock { state in
        state.books.used[minute, default: 0] += weight
        state.books.weight += weight
      }
    }
    switch fault {
    case .timedOut: return failure(.timedOut, charge: .unknown)
    case .failed500: return failure(.upstreamError, status: 500, charge: .unknown, isTold: true)
    case .unreadable: return failure(.unreadable, status: 200, charge: .unknown, isTold: true)
    default: break
    }
    return Exchange(
      .success(await delivery(operation, call)), readings: [reading], duration: .milliseconds(5),
      receivedBytes: 100, isSimulated: true)
  }

  private var reading: MeterReading {
    let used = state.withLock { $0.books.used[minute] ?? 0 }
    return MeterReading(Self.weight, .usage(WindowUsage(used: used, limit: 100)))
  }

  private func failure(
    _ reason: FailureReason, status: Int = 0, charge: UpstreamCharge, weight: MeterCharge? = nil,
    isTold: Bool = false
  ) -> Exchange {
    var charges: [MeterKey: MeterCharge] = [:]
    if let weight {
      charges = [Self.weight: weight, Self.requests: .byPrice(1), Self.money: .byPrice(0)]
    }
    return Exchange(
      .failure(UpstreamFailure(reason, status: status, detail: "\(reason)", charge: charge)),
      charges: charges, readings: isTold ? [reading] : [], duration: .milliseconds(5),
      isSimulated: true)
  }

  private func delivery(_ operation: String, _ call: PlannedCall) async -> Delivery {
    switch operation {
    case "atlas.place":
      var writes = call.needs.compactMap { need in
        need.resource.map { Write($0, body: Array("{\"place\":\"\($0.path)\"}".utf8)) }
      }
      // Every answer tells of a neighbour that nobody asked for, and hands one warning on.
      if let first = call.needs.first?.resource {
        writes.append(
          Write(Self.place("near \(first.path)"), body: Array("{\"near\":true}".utf8)))
        writes.append(
          Write(
            ResourceKey(shared: "atlas.warning", path: "\(first.path)"), body: Array("{}".utf8),
            disposition: .handOn(.unasked, detail: "a filter was dropped")))
      }
      return Delivery(writes)
    case "atlas.time":
      return Delivery(
        call.needs.compactMap { need in need.resource.map { Write($0, body: [1, 2, 3]) } })
    case "atlas.pass":
      state.withLock { $0.passUntil = time.now.advanced(byMilliseconds: 3_600_000) }
      return Delivery(
        call.needs.compactMap { need in
          need.resource.map {
            Write(
              $0, body: nil,
              disposition: .handOn(.passedThrough, detail: "a secret is kept by its upstream"))
          }
        })
    default:
      let text = "route \(call.needs.first?.request?.path ?? "")"
      if let sink = call.needs.first?.request?.sink {
        for piece in text.split(separator: " ") { await sink(Array(piece.utf8)) }
      }
      return Delivery(
        [Write(Self.place("on the way"), body: Array("{}".utf8))],
        raw: RawAnswer(status: 200, contentType: "text/plain", body: Array(text.utf8)))
    }
  }
}
