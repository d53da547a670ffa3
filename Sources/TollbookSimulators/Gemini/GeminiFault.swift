/// Something that goes wrong on purpose with calls that are right. The provider says that calls that fail with 400 or 500
/// are not charged and count against the quota (its billing FAQ); of 402, 403, 404 and 429 it is assumed that they do
/// neither. A fault can be limited to an operation.
package enum GeminiFaultKind: String, FaultKind, CaseIterable {
  package static let targetMember = FaultMember.operation

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
  /// 402 for a project that owes something. Never charged.
  case http402
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
  /// The connection closes after the header of a stream, before its first chunk. Charged.
  case cutStreamAtOnce = "cut_stream_at_once"
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
    case .http429Minute, .http429Day, .http429Bare, .http500, .http503, .http402, .http403,
      .http404, .errorList, .keyInvalid:
      false
    case .slow, .drop, .cutJSON, .cutStream, .cutStreamAtOnce, .blocked, .maxTokens,
      .emptyParts, .usageMissing, .usageUnequal, .negativeCount:
      true
    }
  }

  /// Whether the call is turned away before anything is counted.
  package var isRefusal: Bool {
    switch self {
    case .http429Minute, .http429Day, .http429Bare, .http402, .http403, .http404, .keyInvalid:
      true
    default: false
    }
  }

  /// Whether the fault can happen to a call of this kind.
  package func happens(to operation: GeminiOperation) -> Bool {
    switch self {
    case .cutStream, .cutStreamAtOnce: operation == .streamGenerateContent
    case .blocked, .maxTokens, .emptyParts, .usageMissing, .usageUnequal, .negativeCount:
      operation.isGeneration
    default: true
    }
  }

  package var isLate: Bool { self == .slow }
}

/// What goes wrong with a call to the simulated Gemini.
package typealias GeminiFault = SimulatorFault<GeminiFaultKind>
/// Which calls to it go wrong, and how.
package typealias GeminiFaults = FaultRules<GeminiFaultKind>

extension GeminiFault {
  /// Whether the provider charges a call that this happens to; one that is turned away never is.
  package var isCharged: Bool { kind.isRefusal ? false : charges ?? kind.isCharged }
}
