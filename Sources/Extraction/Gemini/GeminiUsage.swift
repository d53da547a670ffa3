package import JSONText
package import TollbookEvents

/// How many tokens a call has used, by their kinds.
///
/// What the provider says is taken as it is where it fits together. Where it does not, it is read as the dearest of what it
/// may mean, and ``isUnequal`` says so: a call is never too cheap in the books.
package struct GeminiUsage: Hashable, Sendable {
  /// Of the prompt, what was cached included.
  package var prompt: Int64
  /// Of the prompt, what the provider had cached.
  package var cached: Int64 = 0
  /// Of the answer, without thoughts.
  package var candidates: Int64 = 0
  package var thoughts: Int64 = 0
  /// Of what tools have put into the prompt.
  package var toolUse: Int64 = 0
  /// Whether the parts did not make the total.
  package var isUnequal = false

  package init(
    prompt: Int64, cached: Int64 = 0, candidates: Int64 = 0, thoughts: Int64 = 0, toolUse: Int64 = 0
  ) {
    self.prompt = prompt
    self.cached = cached
    self.candidates = candidates
    self.thoughts = thoughts
    self.toolUse = toolUse
  }

  /// No call uses more tokens of a kind.
  private static let most: Int64 = 1 << 31

  /// Reads `usageMetadata`. What is zero may be missing (protobuf's JSON).
  ///
  /// - Returns: nil if nothing stands there, or something that no call can have used, such as less than nothing.
  package init?(_ json: JSONValue?) {
    guard let json, json.kind == .object else { return nil }
    func count(_ name: String) -> Int64? {
      guard let value = json[name], !value.isNull else { return 0 }
      guard let count = value.int64, (0...Self.most).contains(count) else { return nil }
      return count
    }
    guard let prompt = count("promptTokenCount"), let cached = count("cachedContentTokenCount"),
      let candidates = count("candidatesTokenCount"), let thoughts = count("thoughtsTokenCount"),
      let toolUse = count("toolUsePromptTokenCount"), let total = count("totalTokenCount")
    else { return nil }
    self.init(
      prompt: prompt, cached: cached, candidates: candidates, thoughts: thoughts, toolUse: toolUse)
    guard tokens > 0 || total > 0 else { return nil }
    if json["totalTokenCount"] != nil, total != tokens {
      isUnequal = true
      // What belongs to no part may be output, which is the dearest.
      if total > tokens { self.candidates += total - tokens }
    }
    if cached > prompt {
      isUnequal = true
      self.cached = 0
    }
  }

  /// All of them: the total by the provider's own rule.
  package var tokens: Int64 { prompt + candidates + thoughts + toolUse }

  /// What counts as input.
  package var input: Int64 { prompt + toolUse }

  /// The kinds of which input and output consist, as events name them: what is cached is of the prompt already.
  static let inputKinds = ["prompt", "tool_use"]
  static let outputKinds = ["candidates", "thoughts"]

  /// As events tell it: kinds of which there were none are left out.
  package var counts: [UsageCount] {
    let kinds: [(String, Int64)] = [
      ("prompt", prompt), ("cached", cached), ("candidates", candidates), ("thoughts", thoughts),
      ("tool_use", toolUse), ("unequal", isUnequal ? 1 : 0),
    ]
    return kinds.filter { $0.1 > 0 }.map { name, number in
      var count = UsageCount()
      count.name = name
      count.count = number
      return count
    }
  }
}
