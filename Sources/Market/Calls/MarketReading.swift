import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

/// What one request has been answered from so far, and what that has cost.
struct MarketReading: Sendable {
  private var cached = 0
  private var bought = 0
  private var stale = 0
  /// In request weight.
  private(set) var charge: Int64 = 0
  private(set) var inDoubt: Int64 = 0
  /// When the newest of what was read last was fetched.
  private(set) var fetched: Timestamp?
  private(set) var position: Position = 0
  /// Why something could not be had; nil: nothing was wanting so far.
  private(set) var problem: PurchaseProblem?
  /// Whether what is past its time is no answer.
  var refusesStale = false
  /// What other parts of the request had cost before, what is in doubt included.
  private var before: Int64 = 0

  /// For another part of the same request.
  var part: MarketReading {
    var part = MarketReading()
    part.refusesStale = refusesStale
    part.before = before &+ charge &+ inDoubt
    return part
  }

  /// What one entry says.
  struct Piece<Known: Sendable>: Sendable {
    /// Nil: the exchange does not have it, or what was read from it is known.
    var content: [UInt8]?
    /// What was read from it before.
    var known: Known?
    /// Of the bytes; empty: they are not kept.
    var digest: [UInt8]
    var written: Position
    var fetched: Timestamp
  }

  var source: String {
    if stale > 0 { return "stale" }
    if bought == 0 { return "cache" }
    return cached == 0 ? "binance" : "mixed"
  }

  /// RFC 9211.
  var cacheStatus: String {
    switch source {
    case "cache": "tollbook; hit"
    case "stale": "tollbook; hit; detail=stale"
    default: "tollbook; fwd=miss; stored"
    }
  }

  var isHit: Bool { bought == 0 && stale == 0 }

  /// Answers a demand, each of its resources from the cache, from the exchange, or if nothing better can be had from what is
  /// past its time.
  ///
  /// - Parameter memory: what is known of some bodies: they are not read.
  /// - Throws: a `Problem`: one of them cannot be had.
  mutating func pieces<Known>(
    of demand: ResourceDemand, _ gateway: Gateway, knowing memory: DigestMemory<Known>?
  ) async throws -> [Piece<Known>] {
    var demand = demand
    // What the request may cost holds for all of it.
    demand.limit = demand.limit.map { max(0, $0 &- before &- charge &- inDoubt) }
    let answer = await gateway.answer(demand)
    position = max(position, answer.position)
    var pieces: [Piece<Known>] = []
    var problem: PurchaseProblem?
    for outcome in answer.outcomes {
      charge &+= outcome.cost &+ outcome.lost
      inDoubt &+= outcome.inDoubt
      var content: [UInt8]?
      var known: Known?
      switch (outcome.entry, outcome.handedOn) {
      case (let entry?, nil):
        known = memory?.value(of: entry.digest)
        if known == nil { content = try gateway.content(of: entry) }
      case (_, let write?): content = write.body
      case (nil, nil): content = nil
      }
      let isAbsent = outcome.entry.map { !$0.isPresent } ?? false
      let isRefused = outcome.source == .stale && refusesStale
      guard content != nil || known != nil || isAbsent, !isRefused else {
        problem = problem ?? outcome.problem ?? .unread
        continue
      }
      switch outcome.source {
      case .cache: cached += 1
      case .stale: stale += 1
      case .upstream, .none: if outcome.isJoined { cached += 1 } else { bought += 1 }
      }
      let isKept = outcome.handedOn == nil
      let when = outcome.entry?.fetched ?? answer.now
      pieces.append(
        Piece(
          content: content, known: known, digest: isKept ? outcome.entry?.digest ?? [] : [],
          written: outcome.entry?.written ?? 0, fetched: when))
    }
    if let problem {
      self.problem = problem
      throw told(Problem(market: problem))
    }
    if let last = pieces.last { fetched = max(last.fetched, fetched ?? last.fetched) }
    return pieces
  }

  /// The same where nothing is known of any body.
  mutating func pieces(
    of demand: ResourceDemand, _ gateway: Gateway
  ) async throws -> [Piece<Never>] {
    try await pieces(of: demand, gateway, knowing: nil)
  }

  /// Takes in what another part of the request was answered from.
  mutating func add(_ other: MarketReading) {
    cached += other.cached
    bought += other.bought
    stale += other.stale
    add(charges: other)
  }

  /// Takes in what another part of the request has cost.
  mutating func add(charges other: MarketReading) {
    charge &+= other.charge
    inDoubt &+= other.inDoubt
    position = max(position, other.position)
    problem = problem ?? other.problem
  }

  /// A problem that tells what was spent on the way to it.
  func told(_ problem: Problem) -> Problem {
    var problem = problem
    problem.headers[.charge] = "\(charge)"
    problem.headers.tell(inDoubt: inDoubt)
    return problem
  }
}

extension PurchaseProblem {
  fileprivate static let unread = PurchaseProblem(
    .storageFailed, "what the exchange answered is not kept any more; ask again")
}

extension Problem {
  /// While the exchange itself takes no calls, waiting is all that helps: that is no limit of who asks.
  fileprivate init(market problem: PurchaseProblem) {
    guard problem.reason == .limitReached || problem.reason == .insufficientTokens else {
      self.init(problem)
      return
    }
    self.init(.upstreamUnavailable, problem.detail, retryAt: problem.retryAt)
    reason = problem.reason.rawValue
  }
}
