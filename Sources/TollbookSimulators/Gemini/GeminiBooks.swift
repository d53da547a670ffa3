private import Algorithms

/// What the simulated provider charged and why: the other side's books, for tests to compare with their own.
package struct GeminiBooks: Sendable, Equatable, Codable {
  package typealias Outcome = CallOutcome

  /// What one project asked of one model by one method, and was charged for it.
  package struct Entry: Sendable, Equatable, Codable {
    /// The end of the key; the rest stays secret.
    package var keySuffix: String
    /// The model, aliases resolved.
    package var model: String
    /// `generateContent` or `streamGenerateContent`.
    package var operation: GeminiOperation
    /// Calls that were let in, those that failed on the server's side included.
    package var requests = 0
    /// Calls of these that were charged.
    package var chargedRequests = 0
    /// What was charged.
    package var tokens = GeminiTokens()

    private enum CodingKeys: String, CodingKey {
      case model, operation, requests, tokens
      case keySuffix = "key_suffix"
      case chargedRequests = "charged_requests"
    }

    fileprivate var order: (String, String, String) { (keySuffix, model, operation.rawValue) }
  }

  /// One call.
  package struct Call: Sendable, Equatable, Codable {
    /// 1, 2, 3 … in the order in which calls ended.
    package var number = 0
    /// When it ended, milliseconds since 1970.
    package var at: Int64
    /// The end of its key.
    package var keySuffix = ""
    /// The model that it named, aliases resolved; nil if it named none that is known.
    package var model: String?
    /// What it asked for; nil if there is no such thing.
    package var operation: GeminiOperation?
    /// The HTTP status, 0 if no answer was sent.
    package var status = 0
    /// How it ended.
    package var outcome = Outcome.rejected
    /// The fault that was injected.
    package var fault: GeminiFault.Kind?
    /// What it was charged.
    package var tokens = GeminiTokens()

    private enum CodingKeys: String, CodingKey {
      case number, at, model, operation, status, outcome, fault, tokens
      case keySuffix = "key_suffix"
    }
  }

  /// Calls that generate and were let in.
  package private(set) var requests = 0
  /// Calls of these that were charged.
  package private(set) var chargedRequests = 0
  /// What was charged in all.
  package private(set) var tokens = GeminiTokens()
  /// What was charged for calls whose answer did not arrive whole or said that it failed.
  package private(set) var tokensWithoutAnswer = GeminiTokens()
  /// By project, model and method, in this order.
  package private(set) var entries: [Entry] = []
  /// Calls of `countTokens` that were let in; free.
  package private(set) var countTokensRequests = 0
  /// Calls for the list of models or one of them that were let in; free.
  package private(set) var modelRequests = 0
  /// Calls that were answered as asked.
  package private(set) var answered = 0
  /// Calls turned away for their quota.
  package private(set) var refused = 0
  /// Calls turned away for another reason.
  package private(set) var rejected = 0
  /// Calls that failed on the server's side.
  package private(set) var failed = 0
  /// Calls whose answer did not arrive whole.
  package private(set) var dropped = 0
  /// The latest calls, oldest first; the sums above cover all.
  package private(set) var calls: [Call] = []

  /// How many calls are kept one by one, at least; twice as many at most.
  package static let mostCalls = 10_000

  private var count = 0

  /// Empty books.
  package init() {}

  private enum CodingKeys: String, CodingKey {
    case requests, tokens, entries, answered, refused, rejected, failed, dropped, calls, count
    case chargedRequests = "charged_requests"
    case tokensWithoutAnswer = "tokens_without_answer"
    case countTokensRequests = "count_tokens_requests"
    case modelRequests = "model_requests"
  }

  /// The entry of a project, a model and a method; zeros if there is none.
  package func entry(
    keySuffix: String, model: String, operation: GeminiOperation
  ) -> Entry {
    let wanted = Entry(keySuffix: keySuffix, model: model, operation: operation)
    return entries.first { $0.order == wanted.order } ?? wanted
  }

  /// Writes down a call that was turned away.
  mutating func record(turnedAway call: Call) {
    record(call)
  }

  /// Writes down a call that was let in; `charge` is nil if it was not charged.
  mutating func record(letIn call: Call, charge: GeminiTokens?) {
    var call = call
    call.tokens = charge ?? GeminiTokens()
    record(call)
    guard let operation = call.operation else { return }
    guard operation.isGeneration, let model = call.model else {
      if operation == .countTokens { countTokensRequests += 1 } else { modelRequests += 1 }
      return
    }
    requests += 1
    var entry = Entry(keySuffix: call.keySuffix, model: model, operation: operation)
    let index = entries.partitioningIndex { $0.order >= entry.order }
    let isKnown = index < entries.count && entries[index].order == entry.order
    if isKnown { entry = entries[index] }
    entry.requests += 1
    if let charge {
      chargedRequests += 1
      tokens += charge
      if call.outcome != .answered { tokensWithoutAnswer += charge }
      entry.chargedRequests += 1
      entry.tokens += charge
    }
    if isKnown { entries[index] = entry } else { entries.insert(entry, at: index) }
  }

  private mutating func record(_ call: Call) {
    count += 1
    switch call.outcome {
    case .answered: answered += 1
    case .refused: refused += 1
    case .rejected: rejected += 1
    case .failed: failed += 1
    case .dropped: dropped += 1
    }
    var numbered = call
    numbered.number = count
    calls.append(numbered, keeping: Self.mostCalls)
  }
}
