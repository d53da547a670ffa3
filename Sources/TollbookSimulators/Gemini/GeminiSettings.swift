import JSONText

/// How a request wants to be answered: its `generationConfig`, read and checked.
struct GeminiSettings: Sendable {
  /// How much the model is to think.
  enum Thinking: Sendable, Hashable {
    /// As much as it does by itself.
    case automatic
    /// Not at all.
    case none
    /// At most so many tokens.
    case budget(Int)
    /// About so many tokens.
    case level(Int)
  }

  /// What the answer is written in.
  enum Format: Sendable, Hashable {
    case text, json, oneOfEnum
  }

  var format = Format.text
  var schema: GeminiSchema?
  /// The most tokens of thoughts and candidates together.
  var maximumTokens: Int?
  var candidates = 1
  var thinking = Thinking.automatic
  /// Whether a summary of the thoughts is shown.
  var showsThoughts = false

  /// What a request gets that says nothing.
  init() {}

  init(_ object: GeminiObject) throws(GeminiError) {
    try object.check("temperature", 0...2)
    try object.check("topP", 0...1)
    _ = try object.int("topK", 1...1_000_000)
    _ = try object.int("seed", Int(Int32.min)...Int(Int32.max))
    guard try object.array("stopSequences").count <= 5 else {
      throw .invalid(object.path(of: "stopSequences"), "at most 5 are allowed")
    }
    maximumTokens = try object.int("maxOutputTokens", 1...Int(Int32.max))
    candidates = try object.int("candidateCount", 1...8) ?? 1
    try readFormat(object)
    try readThinking(object)
  }

  private mutating func readFormat(_ object: GeminiObject) throws(GeminiError) {
    switch try object.string("responseMimeType") {
    case nil, "", "text/plain": format = .text
    case "application/json": format = .json
    case "text/x.enum": format = .oneOfEnum
    default:
      throw .invalid(
        object.path(of: "responseMimeType"),
        "must be text/plain, application/json or text/x.enum")
    }
    let own = object["responseSchema"]
    let plain = object["responseJsonSchema"]
    guard own == nil || plain == nil else {
      throw .invalid(
        object.path(of: "responseJsonSchema"), "give only one of it and response_schema")
    }
    guard let schema = own ?? plain else { return }
    let path = object.path(of: own == nil ? "responseJsonSchema" : "responseSchema")
    guard format == .json || format == .oneOfEnum && own != nil else {
      throw .invalid(path, "response_mime_type must be application/json")
    }
    self.schema = try GeminiSchema(schema, isJSONSchema: own == nil, at: path)
  }

  private mutating func readThinking(_ object: GeminiObject) throws(GeminiError) {
    guard let thinking = try object.object("thinkingConfig") else { return }
    showsThoughts = try thinking.bool("includeThoughts") ?? false
    let budget = try thinking.int("thinkingBudget", -1...1_000_000)
    let level = try thinking.string("thinkingLevel")
    guard budget == nil || level == nil else {
      throw .invalid(
        thinking.path(of: "thinkingLevel"), "give only one of it and thinking_budget")
    }
    switch budget {
    case nil, -1: break
    case 0: self.thinking = .none
    case let budget?: self.thinking = .budget(budget)
    }
    switch level?.uppercased() {
    case nil, "THINKING_LEVEL_UNSPECIFIED": break
    case "MINIMAL": self.thinking = .level(16)
    case "LOW": self.thinking = .level(80)
    case "MEDIUM": self.thinking = .level(240)
    case "HIGH": self.thinking = .level(640)
    default:
      throw .invalid(thinking.path(of: "thinkingLevel"), "must be MINIMAL, LOW, MEDIUM or HIGH")
    }
  }

  /// What a model thinks about a prompt, in tokens; `automatic` is what it thinks by itself.
  func thoughts(of model: GeminiModel, automatic: Int) -> Int {
    switch thinking {
    case .automatic: model.thinks ? automatic : 0
    case .none: 0
    case .budget(let most): min(most, automatic)
    case .level(let tokens): tokens
    }
  }
}
