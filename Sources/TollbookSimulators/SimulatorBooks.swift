/// How a call to a simulator ended.
package enum CallOutcome: String, Sendable, Codable {
  /// Executed and answered.
  case answered
  /// Turned away for want of tokens, or by a limit: 429.
  case refused
  /// Turned away for its key or token, its rights, its path or its parameters.
  case rejected
  /// Failed on the provider's side, with an answer that says so or that is none of an API.
  case failed
  /// Executed, but the answer did not arrive whole.
  case dropped
}

extension Array {
  /// Appends to the latest of something. At least so many are kept, and twice as many at most: dropping the older half at
  /// once keeps this cheap.
  mutating func append(_ element: Element, keeping most: Int) {
    if count >= 2 * most { removeFirst(most) }
    append(element)
  }
}
