/// A fault that happens to the next so many calls, or else now and then, repeatably.
protocol CountedFault {
  /// It happens to the next so many calls; counts down. Nil: `probability` decides.
  var next: Int? { get set }
  /// It happens to each call with this probability, repeatably by `seed`.
  var probability: Double? { get }
  var seed: UInt64? { get }
  /// How many calls it was asked about.
  var draws: Int? { get set }
}

extension CountedFault {
  /// Asks whether it happens to one more call.
  mutating func strikes() -> Bool {
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

/// All faults of a simulator in force. The first that strikes a call is the one that happens to it.
package struct FaultRules<Fault: Sendable & Equatable & Codable>: Sendable, Equatable, Codable {
  /// The faults, asked in order.
  package var rules: [Fault]
  /// Added to the time of every call, in milliseconds.
  package var latency: Int

  /// No faults unless given.
  package init(_ rules: [Fault] = [], latency: Int = 0) {
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
    rules = try members.decodeIfPresent([Fault].self, forKey: .rules) ?? []
    latency = try members.decodeIfPresent(Int.self, forKey: .latency) ?? 0
  }
}

extension FaultRules where Fault: CountedFault {
  /// The fault that happens to one more call, among those that can.
  mutating func strike(where canHappen: (Fault) -> Bool) -> Fault? {
    for index in rules.indices where canHappen(rules[index]) && rules[index].strikes() {
      return rules[index]
    }
    return nil
  }
}
