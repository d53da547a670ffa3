import JSONText

/// What a model answers to a request: text, why it ends, and the tokens of all that.
struct GeminiGeneration: Sendable, Hashable {
  /// How an answer ends.
  enum Finish: String, Sendable {
    case stop = "STOP"
    case maximumTokens = "MAX_TOKENS"
  }

  /// The text; nil if the candidate has no parts.
  private(set) var text: String?
  private(set) var finish = Finish.stop
  private(set) var tokens: GeminiTokens
  /// How many candidates say this.
  let candidates: Int
  /// Whether a summary of the thoughts stands before the text.
  let showsThoughts: Bool
  /// Whether the prompt is blocked: there is no candidate.
  private(set) var isBlocked = false

  /// The shown summary of thoughts; its tokens are among those of the thoughts.
  static let thoughtSummary = "Reading the request and the documents that came with it."

  /// Lets a model answer.
  ///
  /// - Parameters:
  ///   - prompt: the tokens of the prompt
  ///   - cached: how many of these come from the implicit cache
  init(
    _ request: GeminiRequest, model: GeminiModel, prompt: Int, cached: Int, seed: UInt64
  ) {
    let settings = request.settings
    let automatic = GeminiTokenModel.thoughts(model: model.name, prompt: prompt, seed: seed)
    let most = min(settings.maximumTokens ?? model.outputLimit, model.outputLimit)
    let thoughts = min(most, settings.thoughts(of: model, automatic: automatic))
    tokens = GeminiTokens(
      prompt: prompt, cached: cached, thoughts: thoughts,
      toolUse: GeminiTokenModel.toolUse(
        tools: request.providerTools, prompt: prompt, seed: seed))
    candidates = settings.candidates
    showsThoughts = settings.showsThoughts && thoughts > 0
    let text = GeminiWords.answer(to: request, model: model)
    let room = (most - thoughts) / candidates
    self.text = text
    if GeminiTokenModel.tokens(bytes: text.utf8.count) > room {
      cut(toBytes: 4 * room)
    } else {
      tokens.candidates = candidates * GeminiTokenModel.tokens(bytes: text.utf8.count)
    }
  }

  /// Cuts the text, which then ends for want of tokens; a candidate of no text has no parts.
  mutating func cut(toBytes count: Int) {
    let short = (text ?? "").prefix(bytes: count)
    text = short.isEmpty ? nil : short
    finish = .maximumTokens
    tokens.candidates = candidates * GeminiTokenModel.tokens(bytes: short.utf8.count)
  }

  /// Does to the answer what a fault does.
  mutating func suffer(_ fault: GeminiFault.Kind?) {
    switch fault {
    case .maxTokens: cut(toBytes: (text ?? "").utf8.count / 2)
    case .emptyParts:
      text = nil
      tokens.candidates = 0
    case .blocked:
      isBlocked = true
      text = nil
      tokens = GeminiTokens(prompt: tokens.prompt, cached: tokens.cached)
    default: break
    }
  }

  /// The tokens after so many bytes of the text were sent.
  func tokens(afterBytes count: Int) -> GeminiTokens {
    var sent = tokens
    sent.candidates = candidates * GeminiTokenModel.tokens(bytes: count)
    return sent
  }
}

/// What the simulated models say.
enum GeminiWords {
  /// The text of an answer. Only the fields that a document carries with its drawing are read: whatever the drawing
  /// says, such as an instruction, changes nothing.
  static func answer(to request: GeminiRequest, model: GeminiModel) -> String {
    let settings = request.settings
    switch settings.format {
    case .text: return freeText(request, model)
    case .oneOfEnum: return settings.schema?.firstOfEnum ?? ""
    case .json: break
    }
    let documents = request.documents.map {
      InvoiceSidecar.fields(in: $0.bytes) ?? PhotoSidecar.fields(in: $0.bytes)
    }
    var json = JSONWriter()
    if let schema = settings.schema {
      schema.write(about: documents, to: &json)
    } else if let document = documents.compactMap(\.self).first {
      json.raw(document.bytes)
    } else {
      json.object { _ in }
    }
    return json.string
  }

  /// A short answer that quotes the first words of the prompt.
  private static func freeText(_ request: GeminiRequest, _ model: GeminiModel) -> String {
    let words = (request.firstText ?? "").split(whereSeparator: \.isWhitespace).prefix(8)
    let quoted = words.map { String($0.prefix(32)) }.joined(separator: " ")
    let files =
      switch request.documents.count {
      case 0: ""
      case 1: " and sent a file"
      default: " and sent \(request.documents.count) files"
      }
    return "You asked “\(quoted)”\(files). This is a simulated answer of \(model.name)."
  }
}

extension String {
  /// The first so many bytes of UTF-8, fewer if a character would be cut.
  func prefix(bytes count: Int) -> String {
    let bytes = Array(utf8)
    var end = min(max(0, count), bytes.count)
    while end > 0, end < bytes.count, bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return String(decoding: bytes[..<end], as: UTF8.self)
  }

  /// The text in pieces of about so many bytes of UTF-8, no character cut; an empty text is one empty piece.
  func pieces(ofBytes count: Int) -> [String] {
    let bytes = Array(utf8)
    var pieces: [String] = []
    var start = 0
    while start < bytes.count {
      var end = min(start + max(4, count), bytes.count)
      while end < bytes.count, bytes[end] & 0xc0 == 0x80 { end -= 1 }
      pieces.append(String(decoding: bytes[start..<end], as: UTF8.self))
      start = end
    }
    return pieces.isEmpty ? [""] : pieces
  }
}
