/// A kind of thing that can go wrong on purpose with calls to a simulator.
package protocol FaultKind: Sendable, Hashable, Codable {
  /// What a fault can be limited to, such as an endpoint.
  associatedtype Target: Sendable, Hashable, Codable

  /// What the control endpoint calls that.
  static var targetMember: FaultMember { get }
  /// Whether it can happen to such calls; to others it does not.
  func happens(to target: Target) -> Bool
  /// Whether the answer comes late.
  var isLate: Bool { get }
}

/// The members of a fault in the control endpoint's JSON.
package enum FaultMember: String, CodingKey {
  case kind, endpoint, operation, path, route
  case next, probability, seed, charges, milliseconds, draws
}

/// A fault that happens to the next so many calls, or else now and then, repeatably.
package struct SimulatorFault<Wrong: FaultKind>: Sendable, Hashable, Codable {
  package typealias Kind = Wrong

  /// What goes wrong.
  package var kind: Kind
  /// It happens only to these calls; nil: to all that it can happen to.
  package var target: Kind.Target?
  /// It happens to the next so many calls; counts down. Nil: `probability` decides.
  package var next: Int?
  /// It happens to each call with this probability, repeatably by `seed`.
  package var probability: Double?
  /// The seed of `probability`.
  package var seed: UInt64?
  /// Overrides whether the call is charged, where the provider charges calls.
  package var charges: Bool?
  /// How long a late answer is late, 15 s unless it is told; or how far a clock is off.
  package var milliseconds: Int?
  /// How many calls it was asked about.
  private var draws: Int?

  /// A fault that happens to the next calls.
  package init(
    _ kind: Kind, next: Int, of target: Kind.Target? = nil, charges: Bool? = nil,
    milliseconds: Int? = nil
  ) {
    self.kind = kind
    self.target = target
    self.next = next
    self.charges = charges
    self.milliseconds = milliseconds
  }

  /// A fault that happens now and then.
  package init(
    _ kind: Kind, probability: Double, seed: UInt64, of target: Kind.Target? = nil,
    charges: Bool? = nil, milliseconds: Int? = nil
  ) {
    self.kind = kind
    self.target = target
    self.probability = probability
    self.seed = seed
    self.charges = charges
    self.milliseconds = milliseconds
  }

  /// How long the answer is late, in milliseconds.
  package var delay: Int { kind.isLate ? FaultDelay.bounded(milliseconds ?? 15_000) : 0 }

  /// Asks whether it happens to one more call.
  fileprivate mutating func strikes() -> Bool {
    if let next {
      guard next > 0 else { return false }
      self.next = next - 1
      return true
    }
    let draw = draws ?? 0
    draws = draw &+ 1
    var numbers = SeededNumbers("fault", salt: draw)
    numbers = SeededNumbers(seed: numbers.next() ^ (seed ?? 0))
    return numbers.fraction() < probability ?? 0
  }
}

extension SimulatorFault {
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: FaultMember.self)
    kind = try members.decode(Kind.self, forKey: .kind)
    target = try members.decodeIfPresent(Kind.Target.self, forKey: Kind.targetMember)
    next = try members.decodeIfPresent(Int.self, forKey: .next)
    probability = try members.decodeIfPresent(Double.self, forKey: .probability)
    seed = try members.decodeIfPresent(UInt64.self, forKey: .seed)
    charges = try members.decodeIfPresent(Bool.self, forKey: .charges)
    milliseconds = try members.decodeIfPresent(Int.self, forKey: .milliseconds)
    draws = try members.decodeIfPresent(Int.self, forKey: .draws)
  }

  package func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: FaultMember.self)
    try members.encode(kind, forKey: .kind)
    try members.encodeIfPresent(target, forKey: Kind.targetMember)
    try members.encodeIfPresent(next, forKey: .next)
    try members.encodeIfPresent(probability, forKey: .probability)
    try members.encodeIfPresent(seed, forKey: .seed)
    try members.encodeIfPresent(charges, forKey: .charges)
    try members.encodeIfPresent(milliseconds, forKey: .milliseconds)
    try members.encodeIfPresent(draws, forKey: .draws)
  }
}

/// How long a call is made to wait.
private enum FaultDelay {
  /// Milliseconds, at most an hour.
  static func bounded(_ milliseconds: Int) -> Int { min(3_600_000, max(0, milliseconds)) }
}

/// All faults of a simulator in force. The first that strikes a call is the one that happens to it.
package struct FaultRules<Kind: FaultKind>: Sendable, Equatable, Codable {
  /// The faults, asked in order.
  package var rules: [SimulatorFault<Kind>]
  /// Added to the time of every call, in milliseconds.
  package var latency: Int

  /// No faults unless given.
  package init(_ rules: [SimulatorFault<Kind>] = [], latency: Int = 0) {
    self.rules = rules
    self.latency = latency
  }

  private enum CodingKeys: String, CodingKey {
    case rules
    case latency = "latency_ms"
  }

  /// Reads the control endpoint's JSON; both members may be left out.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    rules = try members.decodeIfPresent([SimulatorFault<Kind>].self, forKey: .rules) ?? []
    latency = try members.decodeIfPresent(Int.self, forKey: .latency) ?? 0
  }

  /// What is added to the time of a call, in milliseconds.
  var addedLatency: Int { FaultDelay.bounded(latency) }

  /// The fault that happens to one more call, among those that can.
  mutating func strike(_ target: Kind.Target) -> SimulatorFault<Kind>? {
    for index in rules.indices
    where rules[index].kind.happens(to: target) && rules[index].target ?? target == target
      && rules[index].strikes()
    {
      return rules[index]
    }
    return nil
  }
}
