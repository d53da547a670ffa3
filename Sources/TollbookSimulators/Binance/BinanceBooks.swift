/// What the simulated exchange counted and why: the other side's books, for tests to compare with their own.
package struct BinanceBooks: Sendable, Equatable, Codable {
  /// How a call ended.
  package enum Outcome: String, Sendable, Codable {
    /// Executed and answered.
    case answered
    /// Turned away for its weight: 429.
    case refused
    /// Turned away because the address is banned: 418.
    case banned
    /// Turned away for its path, its parameters or its place.
    case rejected
    /// Failed on the exchange's side, with an answer that says so.
    case failed
    /// Executed, but the answer did not arrive whole.
    case dropped
  }

  /// Calls and weight.
  package struct Sum: Sendable, Equatable, Codable {
    /// All calls, those that were turned away included.
    package var calls = 0
    /// The weight that was counted.
    package var weight = 0
    /// Calls that were answered with 429.
    package var refused = 0
    /// Calls that were answered with 418.
    package var banned = 0

    fileprivate mutating func add(_ call: Call) {
      calls += 1
      weight += call.weight
      if call.outcome == .refused { refused += 1 }
      if call.outcome == .banned { banned += 1 }
    }
  }

  /// What came in one minute of the exchange's clock.
  package struct Minute: Sendable, Equatable, Codable {
    /// When it began, milliseconds since 1970.
    package var at: Int64
    /// From all addresses.
    package var sum = Sum()
  }

  /// One call.
  package struct Call: Sendable, Equatable, Codable {
    /// 1, 2, 3 … in the order in which calls came.
    package var number = 0
    /// When it came by the exchange's clock, milliseconds since 1970.
    package var at: Int64
    /// Where it came from.
    package var address: String
    /// What it asked for; nil if there is no such thing.
    package var endpoint: BinanceRoute?
    /// Its query as it stood in the URL, cut after 512 bytes.
    package var query = ""
    /// The HTTP status, 0 if no answer was sent.
    package var status = 0
    /// How it ended.
    package var outcome = Outcome.answered
    /// The fault that was injected.
    package var fault: BinanceFault.Kind?
    /// The weight that was counted for it.
    package var weight = 0
    /// The weight of the minute after it, that of others at the address included, as the header tells it.
    package var usedWeight = 0

    private enum CodingKeys: String, CodingKey {
      case number, at, address, endpoint, query, status, outcome, fault, weight
      case usedWeight = "used_weight"
    }
  }

  /// All calls.
  package private(set) var sum = Sum()
  /// By endpoint, as it stands after `/api/v3/`; calls for nothing that is there are under an empty name.
  package private(set) var byEndpoint: [String: Sum] = [:]
  /// The latest minutes with calls, oldest first.
  package private(set) var minutes: [Minute] = []
  /// Calls that were answered as asked.
  package private(set) var answered = 0
  /// Calls turned away for another reason than weight.
  package private(set) var rejected = 0
  /// Calls that failed on the exchange's side.
  package private(set) var failed = 0
  /// Calls whose answer did not arrive whole.
  package private(set) var dropped = 0
  /// The latest calls, oldest first; the sums above cover all.
  package private(set) var calls: [Call] = []

  /// How many calls are kept one by one, at least; twice as many at most.
  package static let mostCalls = 10_000
  /// How many minutes are kept, at least; twice as many at most.
  package static let mostMinutes = 1_440

  /// Empty books.
  package init() {}

  private enum CodingKeys: String, CodingKey {
    case sum, minutes, answered, rejected, failed, dropped, calls
    case byEndpoint = "by_endpoint"
  }

  /// Calls and weight of an endpoint.
  package subscript(endpoint: BinanceRoute) -> Sum { byEndpoint[endpoint.rawValue] ?? Sum() }

  /// Writes down a call; its number is given here.
  mutating func record(_ call: Call) {
    sum.add(call)
    byEndpoint[call.endpoint?.rawValue ?? "", default: Sum()].add(call)
    let minute = call.at.floorDivided(by: 60_000) * 60_000
    if minutes.last?.at != minute {
      minutes.append(Minute(at: minute), keeping: Self.mostMinutes)
    }
    minutes[minutes.count - 1].sum.add(call)
    switch call.outcome {
    case .answered: answered += 1
    case .rejected: rejected += 1
    case .failed: failed += 1
    case .dropped: dropped += 1
    case .refused, .banned: break
    }
    var numbered = call
    numbered.number = sum.calls
    calls.append(numbered, keeping: Self.mostCalls)
  }
}
