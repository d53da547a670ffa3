/// Something that goes wrong on purpose with calls that are right.
package struct GeminiFault: Sendable, Equatable, Codable {
  /// What goes wrong. The provider says that calls that fail with 400 or 500 are not charged and count against the
  /// quota (its billing FAQ); of 403, 404 and 429 it is assumed that they do neither.
  package enum Kind: String, Sendable, Codable, CaseIterable {
    /// 429 for requests per minute, with the delay after which to come again. Never charged.
    case http429Minute = "http429_minute"
    /// 429 for requests per day, with a short delay that helps nobody. Never charged.
    case http429Day = "http429_day"
    /// 429 without details, as spend limits and full capacity give it. Never charged.
    case http429Bare = "http429_bare"
    /// 500 INTERNAL. Not charged unless said so; counts as a request.
    case http500
    /// 503 UNAVAILABLE: the model is overloaded. Not charged unless said so; counts as a request.
    case http503
    /// 403 PERMISSION_DENIED. Never charged.
    case http403
    /// 404 NOT_FOUND for a model that is there. Never charged.
    case http404
    /// Everything is as it should be, but late. Charged.
    case slow
    /// The connection closes without an answer. Charged.
    case drop
    /// Half of the body, with a length that fits. Charged.
    case cutJSON = "cut_json"
    /// The connection closes between two chunks of a stream. Charged.
    case cutStream = "cut_stream"
    /// 503 as the one element of an array. Not charged unless said so; counts as a request.
    case errorList = "error_list"
    /// 200 without candidates: the prompt is blocked. The prompt is charged.
    case blocked
    /// The answer ends in the middle with `MAX_TOKENS`. What arrives is charged.
    case maxTokens = "max_tokens"
    /// A candidate without parts that says it is complete. The prompt and the thoughts are charged.
    case emptyParts = "empty_parts"
    /// No `usageMetadata`. Charged as if it were there.
    case usageMissing = "usage_missing"
    /// A total that is not the sum of its parts. Charged by the parts.
    case usageUnequal = "usage_unequal"
    /// A count of candidates below zero. Charged as if it were right.
    case negativeCount = "negative_count"
    /// 400 API_KEY_INVALID for a key that is right. Never charged.
    case keyInvalid = "key_invalid"

    /// Whether the provider charges the call if the fault does not say.
    package var isCharged: Bool {
      switch self {
      case .http429Minute, .http429Day, .http429Bare, .http500, .http503, .http403, .http404,
        .errorList, .keyInvalid:
        false
      case .slow, .drop, .cutJSON, .cutStream, .blocked, .maxTokens, .emptyParts, .usageMissing,
        .usageUnequal, .negativeCount:
        true
      }
    }

    /// Whether the call is turned away before anything is counted.
    package var isRefusal: Bool {
      switch self {
      case .http429Minute, .http429Day, .http429Bare, .http403, .http404, .keyInvalid: true
      default: false
      }
    }

    /// Whether the fault can happen to a call of this kind.
    package func happens(to operation: GeminiOperation) -> Bool {
      switch self {
      case .cutStream: operation == .streamGenerateContent
      case .blocked, .maxTokens, .emptyParts, .usageMissing, .usageUnequal, .negativeCount:
        operation.isGeneration
      default: true
      }
    }
  }

  /// What goes wrong.
  package var kind: Kind
  /// It happens only to calls of this kind; nil: of any that it can happen to.
  package var operation: GeminiOperation?
  /// It happens to the next so many calls; counts down. Nil: `probability` decides.
  package var next: Int?
  /// It happens to each call with this probability, repeatably by `seed`.
  package var probability: Double?
  /// The seed of `probability`.
  package var seed: UInt64?
  /// Overrides whether the call is charged; a call that is turned away never is.
  package var charges: Bool?
  /// How long a slow answer is late. Default 15 s.
  package var milliseconds: Int?
  /// How many calls it was asked about.
  private var draws: Int?

  /// A fault that happens to the next calls.
  package init(
    _ kind: Kind, next: Int, of operation: GeminiOperation? = nil, charges: Bool? = nil,
    milliseconds: Int? = nil
  ) {
    self.kind = kind
    self.operation = operation
    self.next = next
    self.charges = charges
    self.milliseconds = milliseconds
  }

  /// A fault that happens now and then.
  package init(
    _ kind: Kind, probability: Double, seed: UInt64, of operation: GeminiOperation? = nil,
    charges: Bool? = nil, milliseconds: Int? = nil
  ) {
    self.kind = kind
    self.operation = operation
    self.probability = probability
    self.seed = seed
    self.charges = charges
    self.milliseconds = milliseconds
  }

  /// Whether the provider charges a call that this happens to.
  package var isCharged: Bool { kind.isRefusal ? false : charges ?? kind.isCharged }

  /// How long an answer is late, in milliseconds: at most an hour.
  package var delay: Int {
    kind == .slow ? min(Self.longestDelay, max(0, milliseconds ?? 15_000)) : 0
  }

  /// The longest that a fault can make a call wait, in milliseconds.
  static let longestDelay = 3_600_000

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

/// All faults in force. The first that strikes a call is the one that happens to it.
package struct GeminiFaults: Sendable, Equatable, Codable {
  /// The faults, asked in order.
  package var rules: [GeminiFault]
  /// Added to the time of every call, in milliseconds; at most an hour.
  package var latency: Int

  /// No faults unless given.
  package init(_ rules: [GeminiFault] = [], latency: Int = 0) {
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
    rules = try members.decodeIfPresent([GeminiFault].self, forKey: .rules) ?? []
    latency = try members.decodeIfPresent(Int.self, forKey: .latency) ?? 0
  }

  /// The fault that happens to one more call.
  mutating func strike(_ operation: GeminiOperation) -> GeminiFault? {
    for index in rules.indices
    where rules[index].kind.happens(to: operation)
      && rules[index].operation ?? operation == operation && rules[index].strikes()
    {
      return rules[index]
    }
    return nil
  }
}
