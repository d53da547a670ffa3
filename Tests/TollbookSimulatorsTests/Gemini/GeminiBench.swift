import Foundation
import Testing

@testable import TollbookSimulators

/// A simulated Gemini with a clock that stands still and the questions that tests ask it.
struct GeminiBench {
  let clock = TestClock()
  let simulator: GeminiSimulator

  init(_ change: (inout GeminiSimulatorConfiguration) -> Void = { _ in }) {
    var configuration = GeminiSimulatorConfiguration()
    configuration.now = { [clock] in clock.now }
    configuration.sleep = { _ in }
    change(&configuration)
    simulator = GeminiSimulator(configuration)
  }

  /// Posts a body to a method of a model.
  func post(
    _ body: String, _ operation: String = "generateContent", model: String = "gemini-3.8-flash",
    query: [String: String] = [:], key: String? = GeminiSimulator.sampleKey,
    version: String = "v1beta"
  ) async -> GeminiAnswer {
    await simulator.answer(
      method: "POST", path: "/\(version)/models/\(model):\(operation)", query: query,
      headers: key.map { ["x-goog-api-key": $0] } ?? [:], body: Array(body.utf8))
  }

  func get(_ path: String) async -> GeminiAnswer {
    await simulator.answer(
      method: "GET", path: path, headers: ["x-goog-api-key": GeminiSimulator.sampleKey])
  }

  /// A body with parts, each JSON, and members of `generationConfig`.
  static func body(_ parts: String..., settings: String = "") -> String {
    let config = settings.isEmpty ? "" : #","generationConfig":{\#(settings)}"#
    return #"{"contents":[{"role":"user","parts":[\#(parts.joined(separator: ","))]}]\#(config)}"#
  }

  static func text(_ text: String) -> String { #"{"text":"\#(text)"}"# }

  static func file(_ bytes: [UInt8], _ type: String = "application/pdf") -> String {
    #"{"inlineData":{"mimeType":"\#(type)","data":"\#(Data(bytes).base64EncodedString())"}}"#
  }
}

extension GeminiAnswer {
  /// The members of the body.
  func members() throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
  }

  func error() throws -> [String: Any] {
    try #require(try members()["error"] as? [String: Any])
  }

  func details() throws -> [[String: Any]] {
    try #require(try error()["details"] as? [[String: Any]])
  }

  func usage() throws -> GeminiUsage { try GeminiUsage(members()) }

  /// The first candidate.
  func candidate() throws -> [String: Any] {
    try #require((try members()["candidates"] as? [[String: Any]])?.first)
  }

  /// The texts of the first candidate's parts.
  func texts() throws -> [String] { try candidate().texts }

  /// The answer as JSON.
  func value() throws -> Any {
    try JSONSerialization.jsonObject(with: Data(try texts().joined().utf8))
  }

  /// The chunks of server-sent events.
  func events() throws -> [[String: Any]] {
    try chunks.map { chunk in
      let text = String(decoding: chunk, as: UTF8.self)
      #expect(text.hasPrefix("data: {") && text.hasSuffix("}\r\n\r\n"))
      let json = Data(text.dropFirst(6).utf8)
      return try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    }
  }
}

extension [String: Any] {
  /// The texts of a candidate's parts.
  var texts: [String] {
    let content = self["content"] as? [String: Any]
    let parts = content?["parts"] as? [[String: Any]] ?? []
    return parts.compactMap { $0["text"] as? String }
  }
}

/// A decoded `usageMetadata`; what is absent is zero.
struct GeminiUsage: Equatable {
  let tokens: GeminiTokens
  let total: Int
  let modalities: [String: Int]

  init(_ members: [String: Any]) throws {
    let usage = try #require(members["usageMetadata"] as? [String: Any])
    func count(_ name: String) -> Int { usage[name] as? Int ?? 0 }
    tokens = GeminiTokens(
      prompt: count("promptTokenCount"), cached: count("cachedContentTokenCount"),
      candidates: count("candidatesTokenCount"), thoughts: count("thoughtsTokenCount"),
      toolUse: count("toolUsePromptTokenCount"))
    total = count("totalTokenCount")
    let details = usage["promptTokensDetails"] as? [[String: Any]] ?? []
    modalities = details.reduce(into: [:]) { sums, detail in
      sums[detail["modality"] as? String ?? "", default: 0] += detail["tokenCount"] as? Int ?? 0
    }
  }

  /// Whether the total is the sum of the parts and the details are all of the prompt.
  var isConsistent: Bool {
    total == tokens.total && modalities.values.reduce(0, +) == tokens.prompt
  }
}
