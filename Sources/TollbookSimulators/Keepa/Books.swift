/// What the simulator charged and why: the other side's books, for tests to compare with their own.
package struct Books: Sendable, Equatable, Codable {
  package typealias Outcome = CallOutcome

  /// One call.
  package struct Call: Sendable, Equatable, Codable {
    /// 1, 2, 3 … in the order in which calls ended.
    package var number: Int
    /// When it ended, milliseconds since 1970.
    package var at: Int64
    /// `/product`, `/query` … or what was asked for, without a slash at the end.
    package var path: String
    /// The end of its key; the rest stays secret.
    package var keySuffix: String
    /// The HTTP status, 0 if no answer was sent.
    package var status: Int
    /// How it ended.
    package var outcome: Outcome
    /// The fault that was injected.
    package var fault: KeepaFault.Kind?
    /// The products that were asked for by ASIN or code, in order, each once; empty unless the
    /// call was executed.
    package var asins: [String]
    /// What each cost, in the same order; empty if nothing was charged.
    package var shares: [Int]
    /// What the call cost.
    package var tokens: Int
    /// The balance after it; nil if no bucket was looked at.
    package var balance: Int?

    private enum CodingKeys: String, CodingKey {
      case number, at, path, status, outcome, fault, asins, shares, tokens, balance
      case keySuffix = "key_suffix"
    }
  }

  /// Calls that the bucket let in and that could be executed; `/token` does not count.
  package private(set) var admitted = 0
  /// Calls that were answered as asked.
  package private(set) var answered = 0
  /// Calls turned away for lack of tokens.
  package private(set) var refused = 0
  /// Calls turned away for another reason.
  package private(set) var rejected = 0
  /// Calls that failed on the server's side.
  package private(set) var failed = 0
  /// Calls whose answer did not arrive whole.
  package private(set) var dropped = 0
  /// Tokens charged in all.
  package private(set) var tokens = 0
  /// Tokens charged for calls whose answer did not arrive whole or said that it failed.
  package private(set) var tokensWithoutAnswer = 0
  /// Tokens charged by ASIN.
  package private(set) var tokensByASIN: [String: Int] = [:]
  /// Tokens charged by path.
  package private(set) var tokensByPath: [String: Int] = [:]
  /// Tokens charged by the end of the key.
  package private(set) var tokensByKeySuffix: [String: Int] = [:]
  /// The latest calls, oldest first; the sums above cover all.
  package private(set) var calls: [Call] = []

  /// How many calls are kept one by one.
  package static let mostCalls = 10_000

  private var count = 0

  /// Empty books.
  package init() {}

  private enum CodingKeys: String, CodingKey {
    case admitted, answered, refused, rejected, failed, dropped, tokens, calls, count
    case tokensWithoutAnswer = "tokens_without_answer"
    case tokensByASIN = "tokens_by_asin"
    case tokensByPath = "tokens_by_path"
    case tokensByKeySuffix = "tokens_by_key_suffix"
  }

  /// Writes down a call; its number is given here.
  mutating func record(_ call: Call) {
    count += 1
    switch call.outcome {
    case .answered: answered += 1
    case .refused: refused += 1
    case .rejected: rejected += 1
    case .failed: failed += 1
    case .dropped: dropped += 1
    }
    tokens += call.tokens
    if call.tokens > 0 {
      tokensByPath[call.path, default: 0] += call.tokens
      tokensByKeySuffix[call.keySuffix, default: 0] += call.tokens
      if call.outcome != .answered { tokensWithoutAnswer += call.tokens }
    }
    for (asin, share) in zip(call.asins, call.shares) {
      tokensByASIN[asin, default: 0] += share
    }
    var numbered = call
    numbered.number = count
    calls.append(numbered, keeping: Self.mostCalls)
  }

  /// Writes down that the bucket let a call in.
  mutating func recordAdmission() {
    admitted += 1
  }
}
