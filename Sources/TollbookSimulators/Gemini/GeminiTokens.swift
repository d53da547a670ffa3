/// Tokens of one call or of many, by kind, as the provider reports and charges them.
package struct GeminiTokens: Sendable, Hashable, Codable {
  /// The prompt, what was cached of it included.
  package var prompt: Int
  /// The part of the prompt that came from the implicit cache; charged at a lower price.
  package var cached: Int
  /// The text of the answer.
  package var candidates: Int
  /// What the model thought before it answered.
  package var thoughts: Int
  /// What the provider's own tools read into the prompt.
  package var toolUse: Int

  /// No tokens unless given.
  package init(
    prompt: Int = 0, cached: Int = 0, candidates: Int = 0, thoughts: Int = 0, toolUse: Int = 0
  ) {
    self.prompt = prompt
    self.cached = cached
    self.candidates = candidates
    self.thoughts = thoughts
    self.toolUse = toolUse
  }

  private enum CodingKeys: String, CodingKey {
    case prompt, cached, candidates, thoughts
    case toolUse = "tool_use"
  }

  /// All of them: the prompt with its cached part once, tools, thoughts and candidates.
  package var total: Int { prompt + candidates + thoughts + toolUse }

  static func += (sum: inout GeminiTokens, more: GeminiTokens) {
    sum.prompt += more.prompt
    sum.cached += more.cached
    sum.candidates += more.candidates
    sum.thoughts += more.thoughts
    sum.toolUse += more.toolUse
  }
}

/// How the simulator counts tokens. The provider's own count of a text is not known; this one is the same every time.
enum GeminiTokenModel {
  /// Tokens of a text: a quarter of its UTF-8 bytes, rounded up.
  static func tokens(bytes: Int) -> Int { bytes / 4 + (bytes % 4 == 0 ? 0 : 1) }

  /// Tokens of a part of a prompt: at least one.
  static func tokens(part bytes: Int) -> Int { max(1, tokens(bytes: bytes)) }

  /// The smallest prompt that the implicit cache keeps.
  static let smallestCached = 4096

  /// What is taken from the cache when a prompt is asked again: whole blocks of 1,024 tokens, fewer than the prompt.
  static func cached(ofPrompt tokens: Int) -> Int {
    tokens < smallestCached ? 0 : (tokens - 1) / 1024 * 1024
  }

  /// What a model thinks about a prompt unless the request says otherwise: from 64 to 320 tokens.
  static func thoughts(model: String, prompt: Int, seed: UInt64) -> Int {
    var numbers = SeededNumbers("thoughts of \(model)", salt: prompt)
    numbers = SeededNumbers(seed: numbers.next() ^ seed)
    return numbers.within(64...320)
  }

  /// What the provider's tools read into the prompt, such as results of a search: from 128 to 640 tokens per tool.
  static func toolUse(tools: Int, prompt: Int, seed: UInt64) -> Int {
    var numbers = SeededNumbers("tools", salt: prompt)
    numbers = SeededNumbers(seed: numbers.next() ^ seed)
    return (0..<tools).reduce(0) { sum, _ in sum + numbers.within(128...640) }
  }
}

/// Kinds of content that a prompt is counted by.
enum GeminiModality: String, Sendable, CaseIterable {
  case text = "TEXT"
  case image = "IMAGE"
  case document = "DOCUMENT"
}

/// The tokens of a prompt by the kind of content.
struct GeminiPromptTokens: Sendable, Hashable {
  var text = 0
  var image = 0
  var document = 0

  var total: Int { text + image + document }

  subscript(modality: GeminiModality) -> Int {
    switch modality {
    case .text: text
    case .image: image
    case .document: document
    }
  }
}
