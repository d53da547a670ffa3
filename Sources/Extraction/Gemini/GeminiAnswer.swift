import JSONText
import TollbookEvents

/// An answer of `generateContent` with status 200, read as far as Tollbook must.
package struct GeminiAnswer: Sendable {
  /// Nil: it says nothing that can be true of what it cost.
  package private(set) var usage: GeminiUsage?
  /// The model that really answered; empty: it does not say.
  package private(set) var model: String
  /// What every candidate says, one after the other; thoughts are left out.
  package private(set) var text: String
  /// Why it is no result though it was paid for; nil: it is one.
  package private(set) var shortfall: String?

  /// - Returns: nil if it is not Gemini's format.
  package init?(_ body: [UInt8]) {
    guard let root = try? JSONDocument(body, maximumDepth: 64, maximumValues: 1 << 20).root,
      root.kind == .object,
      root["candidates"] != nil || root["promptFeedback"] != nil || root["usageMetadata"] != nil
    else { return nil }
    self.init(root)
  }

  /// The same of an array of pieces, as a stream without server-sent events sends them: what they say together.
  init?(pieces body: [UInt8]) {
    guard let root = try? JSONDocument(body, maximumDepth: 64, maximumValues: 1 << 20).root,
      root.kind == .array
    else {
      self.init(body)
      return
    }
    let pieces = (root.array.map(Array.init) ?? []).map { GeminiAnswer($0) }
    guard let last = pieces.last else { return nil }
    self = last
    text = pieces.map(\.text).joined()
    // Only the last piece tells how the model ended.
    shortfall =
      last.shortfall == "the model answered nothing" && !text.isEmpty ? nil : last.shortfall
  }

  init(_ root: JSONValue) {
    usage = GeminiUsage(root["usageMetadata"])
    model = (root["modelVersion"]?.string ?? "").inOneLine(atMost: 100)
    var text = ""
    var shortfall: String?
    let candidates = root["candidates"]?.array.map(Array.init) ?? []
    for candidate in candidates {
      for part in candidate["content"]?["parts"]?.array.map(Array.init) ?? []
      where part["thought"]?.bool != true {
        text += part["text"]?.string ?? ""
      }
      let reason = candidate["finishReason"]?.string ?? "none"
      if reason != "STOP", shortfall == nil {
        shortfall = "the model ended with \(reason.inOneLine(atMost: 50))"
      }
    }
    if let block = root["promptFeedback"]?["blockReason"]?.string {
      shortfall = "the prompt was blocked: \(block.inOneLine(atMost: 50))"
    } else if candidates.isEmpty {
      shortfall = "the model answered nothing"
    } else if text.isEmpty, shortfall == nil {
      let isOfCalls = candidates.allSatisfy { candidate in
        let parts = candidate["content"]?["parts"]?.array.map(Array.init) ?? []
        return parts.contains { $0.either("functionCall") != nil }
      }
      if !isOfCalls { shortfall = "the model answered nothing" }
    }
    self.text = text
    self.shortfall = shortfall
  }
}
