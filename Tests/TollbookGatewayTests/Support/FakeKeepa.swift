import Keepa
import Synchronization
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

/// Keepa without a network: a model bucket on a manual clock, books of its own, faults to order, and
/// answers that can be held back. What it answers is JSON, read by the real adapter.
final class FakeKeepa: KeepaAPI {
  /// What goes wrong with a call.
  enum Fault: Hashable, Sendable {
    case notSent
    /// Charged now, after that many milliseconds, or never (nil).
    case timedOut(chargedAfter: Int64?)
    case lost(charged: Bool)
    /// With an envelope that tells the cost.
    case failed500(charged: Bool)
    /// A web page.
    case failed503(charged: Bool)
    /// Turned away although there are tokens, with or without an envelope.
    case refused429(bare: Bool)
    case unreadable(charged: Bool)
    /// 200 with an error and no products.
    case error200
    /// 200 with an error and all products but the first.
    case firstUnanswered
    /// 200 whose envelope lacks the figures.
    case damagedEnvelope
    /// 200 with more products than were asked for, and one twice.
    case tooMany
    case requestRejected
    /// 200 that claims this cost, whatever was taken.
    case claimsCost(Int64)
    /// 200 that claims this balance.
    case claimsBalance(Int64)
  }

  /// A call for products, as the other side saw it.
  struct Call: Sendable {
    var number: Int
    var asins: [String]
    var contentSet: ContentSet
    /// How long it might have taken.
    var limit = Duration.zero
    var charged: Int64 = 0
    /// Whether a complete answer with products was given.
    var isDelivered = false
  }

  struct Books: Sendable {
    var calls: [Call] = []
    var balanceQuestions = 0
    /// Charged to our calls, late charges included once they are due.
    var charged: Int64 = 0
    /// Spent by others on the same key.
    var foreign: Int64 = 0
    var faults: [Fault: Int] = [:]
  }

  private struct State {
    var bucket: ModelBucket
    var books = Books()
    var script: [Fault?] = []
    var unknown: Set<String> = []
    var isKeyRejected = false
    var isBalanceDown = false
    var collectsOffers = true
    /// The upstream's clock minus ours.
    var skew: Int64 = 0
    var flowReduction = 0.0
    var isHolding = false
    var parked: [Int: (isDone: Bool, continuation: CheckedContinuation<Void, Never>)] = [:]
    var nextParked = 0
  }

  let time: ManualTime
  private let state: Mutex<State>

  init(time: ManualTime, rate: Int64 = 20, balance: Int64 = 1_200) {
    self.time = time
    state = Mutex(
      State(bucket: ModelBucket(rate: rate, balance: balance, at: time.now.milliseconds)))
  }

  // MARK: What a test sees and orders

  var books: Books { state.withLock { $0.books } }
  var calls: [Call] { books.calls }
  var balance: Int64 {
    state.withLock { state in
      state.bucket.advance(to: time.now.milliseconds)
      return state.bucket.balance
    }
  }
  var capacity: Int64 { state.withLock { $0.bucket.capacity } }
  /// As it stands, for what would have become of it.
  var bucket: ModelBucket { state.withLock { $0.bucket } }

  /// What happens to the next calls, in order; nil: nothing special.
  func script(_ faults: [Fault?]) { state.withLock { $0.script += faults } }
  func forget(_ asins: [String]) { state.withLock { $0.unknown.formUnion(asins) } }
  func setKeyRejected(_ isRejected: Bool) { state.withLock { $0.isKeyRejected = isRejected } }
  func setBalanceDown(_ isDown: Bool) { state.withLock { $0.isBalanceDown = isDown } }
  /// Whether it collects offers; if not, it brings plain products instead.
  func setCollectsOffers(_ does: Bool) { state.withLock { $0.collectsOffers = does } }
  func setSkew(_ skew: Int64) { state.withLock { $0.skew = skew } }
  func setFlowReduction(_ reduction: Double) { state.withLock { $0.flowReduction = reduction } }

  func spendElsewhere(_ tokens: Int64) {
    state.withLock { state in
      state.bucket.charge(tokens, at: time.now.milliseconds)
      state.books.foreign += tokens
    }
  }

  func setBalance(_ balance: Int64) {
    state.withLock { state in
      state.bucket.advance(to: time.now.milliseconds)
      state.bucket.set(balance: balance)
    }
  }

  // MARK: Calls held back

  /// From now on each call stops twice, before the work and before the answer, until a test lets it go on.
  func hold() { state.withLock { $0.isHolding = true } }

  /// Lets all go on, and holds no more.
  func letGo() {
    let parked = state.withLock { state in
      defer { state.parked = [:] }
      state.isHolding = false
      return state.parked.sorted { $0.key < $1.key }.map(\.value.continuation)
    }
    for continuation in parked { continuation.resume() }
  }

  /// The calls that stand still, in the order in which they stopped.
  var parked: [Int] { state.withLock { $0.parked.keys.sorted() } }

  func letGo(_ id: Int) {
    state.withLock { $0.parked.removeValue(forKey: id) }?.continuation.resume()
  }

  func waitForParked(_ count: Int) async { while parked.count < count { await Task.yield() } }

  private func stop(isDone: Bool) async {
    await withCheckedContinuation { continuation in
      let isHeld = state.withLock { state in
        guard state.isHolding else { return false }
        state.parked[state.nextParked] = (isDone, continuation)
        state.nextParked += 1
        return true
      }
      if !isHeld { continuation.resume() }
    }
  }

  // MARK: KeepaAPI

  /// What the client makes of a task that is cancelled while it waits.
  private static let givenUp = UpstreamFailure(
    .connectionLost, detail: "given up before the answer was complete", charge: .unknown)

  func products(
    _ request: KeepaProductRequest, within limit: Duration
  ) async -> UpstreamCall<KeepaProductAnswer> {
    let sent = time.now
    let (index, fault): (Int, Fault?) = state.withLock { state in
      let fault = state.script.isEmpty ? nil : state.script.removeFirst()
      state.books.calls.append(
        Call(
          number: state.books.calls.count + 1, asins: request.asins.map(\.description),
          contentSet: request.contentSet, limit: limit))
      if let fault { state.books.faults[fault, default: 0] += 1 }
      return (state.books.calls.count - 1, fault)
    }
    await stop(isDone: false)
    var result = work(request, index, fault)
    await stop(isDone: true)
    if Task.isCancelled { result = .failure(Self.givenUp) }
    return UpstreamCall(
      sentMilliseconds: sent.milliseconds,
      duration: .milliseconds(time.now.milliseconds - sent.milliseconds), receivedBytes: 0,
      isSimulated: true, result: result)
  }

  func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading> {
    let sent = time.now
    state.withLock { $0.books.balanceQuestions += 1 }
    await stop(isDone: false)
    let answer = state.withLock { state -> (status: Int, body: [UInt8])? in
      guard !state.isBalanceDown else { return nil }
      if state.isKeyRejected { return FakeAnswers.rejectedKey }
      return (200, Array("{\(envelope(&state, consumed: 0))}".utf8))
    }
    await stop(isDone: true)
    let result: Result<UpstreamReading, UpstreamFailure>
    if Task.isCancelled {
      result = .failure(Self.givenUp)
    } else if let answer {
      result = Result { () throws(UpstreamFailure) in
        try KeepaBalanceAnswer.read(status: answer.status, body: answer.body)
      }
    } else {
      result = .failure(UpstreamFailure(.notSent, detail: "no route", charge: .known(0)))
    }
    return UpstreamCall(
      sentMilliseconds: sent.milliseconds, duration: .zero, receivedBytes: 0, isSimulated: true,
      result: result)
  }

  // MARK: The work

  private func work(
    _ request: KeepaProductRequest, _ index: Int, _ fault: Fault?
  ) -> Result<KeepaProductAnswer, UpstreamFailure> {
    let answer = state.withLock { state in self.answer(&state, request, index, fault) }
    switch answer {
    case .failure(let failure): return .failure(failure)
    case .success(let (status, body)):
      return Result { () throws(UpstreamFailure) in
        try KeepaProductAnswer.read(
          status: status, body: body, asked: request.asins, contentSet: request.contentSet)
      }
    }
  }

  private func answer(
    _ state: inout State, _ request: KeepaProductRequest, _ index: Int, _ fault: Fault?
  ) -> Result<(Int, [UInt8]), UpstreamFailure> {
    let now = time.now.milliseconds
    state.bucket.advance(to: now)
    if fault == .notSent {
      return .failure(UpstreamFailure(.notSent, detail: "connection refused", charge: .none))
    }
    if state.isKeyRejected { return .success(FakeAnswers.rejectedKey) }
    if fault == .requestRejected {
      return .success((400, json(&state, consumed: 0, error: "invalidParameter")))
    }
    if fault == .refused429(bare: true) { return .success((429, Array("slow down".utf8))) }
    if fault == .refused429(bare: false) || state.bucket.balance <= 0 {
      return .success((429, json(&state, consumed: 0, error: "notEnoughTokens")))
    }
    let cost = request.asins.reduce(0) { $0 + FakeAnswers.price(of: $1, request.contentSet) }
    switch fault {
    case .timedOut(nil), .lost(charged: false), .failed503(charged: false),
      .unreadable(charged: false), .failed500(charged: false), .error200:
      break
    case .timedOut(chargedAfter: .some(let delay)) where delay > 0:
      state.bucket.charge(cost, later: now + delay)
      state.books.calls[index].charged = cost
      state.books.charged += cost
    default:
      state.bucket.charge(cost, at: now)
      state.books.calls[index].charged = cost
      state.books.charged += cost
    }
    return delivery(&state, request, index, fault, cost)
  }

  private func delivery(
    _ state: inout State, _ request: KeepaProductRequest, _ index: Int, _ fault: Fault?,
    _ cost: Int64
  ) -> Result<(Int, [UInt8]), UpstreamFailure> {
    switch fault {
    case .timedOut:
      return .failure(UpstreamFailure(.timedOut, detail: "too late", charge: .unknown))
    case .lost:
      return .failure(UpstreamFailure(.connectionLost, detail: "cut", charge: .unknown))
    case .failed500(let isCharged):
      return .success((500, json(&state, consumed: isCharged ? cost : 0, error: "internal")))
    case .failed503: return .success((503, Array("<html>down</html>".utf8)))
    case .unreadable: return .success((200, Array("<html>hello</html>".utf8)))
    case .error200: return .success((200, json(&state, consumed: 0, error: "invalidParameter")))
    default: break
    }
    var delivered = request.asins.map(\.description)
    if fault == .firstUnanswered { delivered.removeFirst() }
    state.books.calls[index].isDelivered = !delivered.isEmpty || fault != .firstUnanswered
    if fault == .tooMany { delivered += [delivered[0], "B0NOTASKED"] }
    let unknown = state.unknown
    let products = delivered.map {
      unknown.contains($0)
        ? FakeAnswers.unknown($0)
        : FakeAnswers.product(
          $0, call: index + 1, request.contentSet, collectsOffers: state.collectsOffers)
    }
    let list = "\"products\":[\(products.joined(separator: ","))]"
    var envelope = envelope(&state, consumed: cost)
    switch fault {
    case .firstUnanswered: envelope += ",\"error\":{\"type\":\"partial\"}"
    case .damagedEnvelope: envelope = "\"refillRate\":\(state.bucket.rate)"
    case .claimsCost(let claim): envelope = self.envelope(&state, consumed: claim)
    case .claimsBalance(let claim):
      envelope = self.envelope(&state, consumed: cost, balance: claim)
    default: break
    }
    return .success((200, Array("{\(envelope),\(list)}".utf8)))
  }

  private func json(_ state: inout State, consumed: Int64, error: String) -> [UInt8] {
    Array("{\(envelope(&state, consumed: consumed)),\"error\":{\"type\":\"\(error)\"}}".utf8)
  }

  private func envelope(
    _ state: inout State, consumed: Int64, balance: Int64? = nil
  ) -> String {
    let now = time.now.milliseconds
    state.bucket.advance(to: now)
    return """
      "timestamp":\(now + state.skew),"tokensLeft":\(balance ?? state.bucket.balance),\
      "refillIn":\(state.bucket.nextTick - now),"refillRate":\(state.bucket.rate),\
      "tokenFlowReduction":\(state.flowReduction),"tokensConsumed":\(consumed)
      """
  }
}
