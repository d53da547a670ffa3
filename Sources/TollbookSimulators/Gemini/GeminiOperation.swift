/// What a call asks for; the names are those of the provider's methods.
package enum GeminiOperation: String, Sendable, Hashable, Codable, CaseIterable {
  /// An answer in one piece.
  case generateContent
  /// An answer in pieces.
  case streamGenerateContent
  /// How many tokens a prompt has.
  case countTokens
  /// The list of models.
  case listModels
  /// One model.
  case getModel

  /// Whether the model is made to answer, which is what costs.
  package var isGeneration: Bool { self == .generateContent || self == .streamGenerateContent }
}

/// Where a call goes: the version of the API, what it asks for, and the model it names.
struct GeminiRoute: Sendable, Hashable {
  let version: String
  let operation: GeminiOperation
  /// As the caller wrote it; empty for the list of models.
  let model: String

  /// Reads a method and a path such as `/v1beta/models/gemini-3.8-flash:generateContent`; nil if nothing is there.
  init?(method: String, path: String) {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false)
      .map { QueryText.decoded($0, plusIsSpace: false) }
    if parts.count > 3, parts.last == "" { parts.removeLast() }
    guard parts.count == 3 || parts.count == 4, parts[0] == "", parts[2] == "models",
      ["v1", "v1beta"].contains(parts[1])
    else { return nil }
    version = parts[1]
    guard parts.count == 4 else {
      guard method == "GET" else { return nil }
      operation = .listModels
      model = ""
      return
    }
    let name = parts[3]
    guard method == "POST" else {
      guard method == "GET", !name.isEmpty, !name.contains(":") else { return nil }
      operation = .getModel
      model = name
      return
    }
    guard let colon = name.lastIndex(of: ":"),
      let operation = GeminiOperation(rawValue: String(name[name.index(after: colon)...])),
      operation.isGeneration || operation == .countTokens
    else { return nil }
    self.operation = operation
    model = String(name[..<colon])
  }
}
