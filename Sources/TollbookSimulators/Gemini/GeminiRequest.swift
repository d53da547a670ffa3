import JSONText

/// The body of a call, read and checked: the prompt and how it is to be answered.
struct GeminiRequest: Sendable {
  /// The files that were sent along, in order.
  private(set) var documents: [GeminiDocument] = []
  /// The first text of the contents.
  private(set) var firstText: String?
  /// How it is to be answered.
  private(set) var settings = GeminiSettings()
  /// Tools of the provider that may read more into the prompt, such as a search.
  private(set) var providerTools = 0

  /// Tokens of all texts.
  private var textTokens = 0

  /// The longest body (provider's page on file input).
  static let longestBody = 100 << 20

  /// Reads the body of `generateContent` and of `streamGenerateContent`.
  init(generating body: [UInt8]) throws(GeminiError) {
    try self.init(try Self.root(of: body))
  }

  /// Reads the body of `countTokens`: contents, or a whole request as `generateContentRequest`.
  init(counting body: [UInt8]) throws(GeminiError) {
    let root = try Self.root(of: body)
    guard let request = try root.object("generateContentRequest") else {
      try self.init(root)
      return
    }
    guard root["contents"] == nil else {
      throw .invalid("contents", "give only one of it and generate_content_request")
    }
    try self.init(request)
  }

  private static func root(of body: [UInt8]) throws(GeminiError) -> GeminiObject {
    guard body.count <= longestBody else {
      throw .invalid(body: "Request payload size exceeds the limit: \(longestBody) bytes.")
    }
    let document: JSONDocument
    do throws(JSONError) {
      document = try JSONDocument(body, maximumDepth: 100, maximumValues: 1_000_000)
    } catch {
      throw .invalid(body: "Invalid JSON payload received: \(error)")
    }
    guard document.root.kind == .object else {
      throw .invalid(
        body: "Invalid JSON payload received: it must be an object, not \(document.root.kind)")
    }
    return try GeminiObject(document.root, at: "")
  }

  private init(_ root: GeminiObject) throws(GeminiError) {
    let contents = try root.objects("contents")
    guard !contents.isEmpty else {
      throw .invalid(root.path(of: "contents"), "contents is not specified")
    }
    if let instruction = try root.object("systemInstruction") {
      for part in try instruction.objects("parts") { try read(instruction: part) }
    }
    for content in contents { try read(content: content) }
    for tool in try root.objects("tools") { read(tool: tool) }
    if try root.string("cachedContent") != nil {
      throw GeminiError(404, "NOT_FOUND", "cached_content: there are no explicit caches here.")
    }
    if let settings = try root.object("generationConfig") {
      self.settings = try GeminiSettings(settings)
    }
    if let schema = self.settings.schema {
      textTokens += GeminiTokenModel.tokens(part: schema.length)
    }
  }

  private mutating func read(instruction part: GeminiObject) throws(GeminiError) {
    guard let text = try part.string("text") else {
      throw .invalid(part.path(of: "text"), "is missing; only text is read here")
    }
    textTokens += GeminiTokenModel.tokens(part: text.utf8.count)
  }

  private mutating func read(content: GeminiObject) throws(GeminiError) {
    let role = try content.string("role") ?? "user"
    guard ["", "user", "model", "function"].contains(role) else {
      throw .invalid(content.path(of: "role"), "Please use a valid role: user, model.")
    }
    let parts = try content.objects("parts")
    guard !parts.isEmpty else {
      throw .invalid(content.path(of: "parts"), "must not be empty")
    }
    for part in parts { try read(part: part) }
  }

  /// Members of a part of which exactly one must be there.
  private static let kinds = [
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode",
    "codeExecutionResult",
  ]

  private mutating func read(part: GeminiObject) throws(GeminiError) {
    let kinds = Self.kinds.filter { part[$0] != nil }
    guard let kind = kinds.first, kinds.count == 1 else {
      throw .invalid(
        part.path(of: "data"), "exactly one of text, inline_data, file_data … must be there")
    }
    switch kind {
    case "text":
      let text = try part.string("text") ?? ""
      textTokens += GeminiTokenModel.tokens(part: text.utf8.count)
      if firstText == nil { firstText = text }
    case "inlineData":
      guard let data = try part.object("inlineData") else { return }
      documents.append(try GeminiDocument(inline: data))
    case "fileData":
      guard let data = try part.object("fileData") else { return }
      if let type = try data.string("mimeType") {
        try GeminiDocument.check(type, at: data.path(of: "mimeType"))
      }
      throw GeminiError(
        404, "NOT_FOUND", "\(data.path(of: "fileUri")): there are no uploaded files here.")
    default: textTokens += GeminiTokenModel.tokens(part: part[kind]?.bytes.count ?? 0)
    }
  }

  private static let toolNames = [
    "googleSearch", "googleSearchRetrieval", "urlContext", "codeExecution",
  ]

  private mutating func read(tool: GeminiObject) {
    providerTools += Self.toolNames.count { tool[$0] != nil }
    if let functions = tool["functionDeclarations"] {
      textTokens += GeminiTokenModel.tokens(part: functions.bytes.count)
    }
  }

  /// What the prompt is to a model, in tokens.
  func promptTokens(for model: GeminiModel) -> GeminiPromptTokens {
    var tokens = GeminiPromptTokens(text: textTokens)
    for document in documents {
      switch document.kind {
      case .pdf(let pages): tokens.document += pages * model.tokensPerPage
      case .image: tokens.image += model.tokensPerImage
      }
    }
    return tokens
  }
}
