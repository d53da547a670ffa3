import JSONText

/// Writes what a model answered as the provider does: in one piece or as a stream.
struct GeminiResponse: Sendable {
  let generation: GeminiGeneration
  let prompt: GeminiPromptTokens
  let model: String
  let id: String
  let fault: GeminiFault.Kind?

  /// About so many bytes of text travel in a chunk of a stream.
  static let bytesPerChunk = 40

  /// One step of an answer.
  private struct Step {
    var text: String?
    var isThought = false
    var finish: GeminiGeneration.Finish?
    var tokens: GeminiTokens
  }

  /// The whole answer.
  func json() -> [UInt8] {
    var texts: [Step] = []
    if generation.showsThoughts { texts.append(thought) }
    texts.append(
      Step(text: generation.text, finish: generation.finish, tokens: generation.tokens))
    return json(texts, layout: .indented)
  }

  /// The answer in chunks: server-sent events, or the elements of an array.
  func chunks(isEvents: Bool) -> [[UInt8]] {
    let steps = steps
    return steps.enumerated().map { index, step in
      let json = json([step], layout: isEvents ? .compact : .indented)
      if isEvents { return Array("data: ".utf8) + json + Array("\r\n\r\n".utf8) }
      let start = index == 0 ? "[" : ",\r\n"
      let end = index == steps.count - 1 ? "]" : ""
      return Array(start.utf8) + json + Array(end.utf8)
    }
  }

  private var thought: Step {
    Step(
      text: GeminiGeneration.thoughtSummary, isThought: true,
      tokens: generation.tokens(afterBytes: 0))
  }

  private var steps: [Step] {
    var steps: [Step] = []
    if generation.showsThoughts && !generation.isBlocked { steps.append(thought) }
    var sent = 0
    for piece in (generation.text ?? "").pieces(ofBytes: Self.bytesPerChunk) {
      sent += piece.utf8.count
      steps.append(
        Step(text: piece.isEmpty ? nil : piece, tokens: generation.tokens(afterBytes: sent)))
    }
    steps[steps.count - 1].finish = generation.finish
    steps[steps.count - 1].tokens = generation.tokens
    return steps
  }

  /// One body of one or more parts; the last one tells the tokens.
  private func json(_ parts: [Step], layout: JSONWriter.Layout) -> [UInt8] {
    var json = JSONWriter(layout: layout, capacity: 1024)
    json.object { json in
      if generation.isBlocked {
        json.object("promptFeedback") { $0.field("blockReason", "PROHIBITED_CONTENT") }
      } else {
        json.array("candidates", 0..<generation.candidates) { json, index in
          write(candidate: index, parts, to: &json)
        }
      }
      if fault != .usageMissing, let tokens = parts.last?.tokens { write(tokens, to: &json) }
      json.field("modelVersion", model)
      json.field("responseId", id)
    }
    return json.bytes
  }

  private func write(candidate index: Int, _ parts: [Step], to json: inout JSONWriter) {
    json.object { json in
      json.object("content") { json in
        let spoken = parts.filter { $0.text != nil }
        if !spoken.isEmpty {
          json.array("parts", spoken) { json, part in
            json.object { json in
              json.fieldIfPresent("text", part.text)
              if part.isThought { json.field("thought", true) }
            }
          }
        }
        json.field("role", "model")
      }
      json.fieldIfPresent("finishReason", parts.last?.finish?.rawValue)
      json.field("index", index)
    }
  }

  /// Zero counters are left out, as the JSON of protobuf leaves them out.
  private func write(_ tokens: GeminiTokens, to json: inout JSONWriter) {
    let candidates = fault == .negativeCount ? -max(1, tokens.candidates) : tokens.candidates
    let total = tokens.total + (fault == .usageUnequal ? 7 : 0)
    json.object("usageMetadata") { json in
      let counters = [
        ("promptTokenCount", tokens.prompt), ("cachedContentTokenCount", tokens.cached),
        ("candidatesTokenCount", candidates), ("toolUsePromptTokenCount", tokens.toolUse),
        ("thoughtsTokenCount", tokens.thoughts), ("totalTokenCount", total),
      ]
      for (name, count) in counters where count != 0 { json.field(name, count) }
      prompt.write(to: &json)
    }
  }
}

extension GeminiPromptTokens {
  /// Writes `promptTokensDetails`.
  func write(to json: inout JSONWriter) {
    let modalities = GeminiModality.allCases.filter { self[$0] > 0 }
    json.array("promptTokensDetails", modalities) { json, modality in
      json.object { json in
        json.field("modality", modality.rawValue)
        json.field("tokenCount", self[modality])
      }
    }
  }

  /// The answer of `countTokens`.
  func answer() -> GeminiAnswer {
    var json = JSONWriter(layout: .indented)
    json.object { json in
      json.field("totalTokens", total)
      write(to: &json)
    }
    return GeminiAnswer(status: 200, json: json.bytes)
  }
}

extension GeminiModel {
  /// Writes the model as the list of models has it.
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("name", "models/\(name)")
      json.field("version", "001")
      json.field("displayName", "\(name) (simulated)")
      json.field("inputTokenLimit", inputLimit)
      json.field("outputTokenLimit", outputLimit)
      json.array("supportedGenerationMethods", ["generateContent", "countTokens"])
      if thinks { json.field("thinking", true) }
    }
  }
}
