import Crypto
import Foundation
import JSONText
package import TollbookEvents
package import TollbookGateway
import TollbookLog
import TollbookUpstreams

/// A call of `generateContent` as a client makes it, read as far as Tollbook must: to bound what it costs, to tell whether
/// it is the same as another one, and to send it on.
///
/// 1. Names are taken as the provider takes them: in camel case or with underscores.
/// 2. No token is shorter than a byte. So the prompt has at most as many tokens as what is sent has bytes, documents apart;
///    of those the table of models says the most.
/// 3. Where nothing bounds the answer, a bound is set.
/// 4. What cannot be bounded, such as a file that lies at the provider or a tool that reads the web, counts as the longest
///    prompt that the model takes.
package struct GeminiRequest: Sendable {
  /// What is wrong with a request, in a sentence, and which member.
  package struct Fault: Error, Hashable, Sendable {
    package let detail: String
    package let field: String
  }

  /// What holds of every request.
  package struct Limits: Hashable, Sendable {
    /// The longest answer where the caller says nothing, in tokens, thoughts included.
    package var output: Int64 = 8_192
    package var depth = 64
    package var values = 1 << 20

    package init() {}
  }

  package let model: GeminiModels.Model
  /// As it is sent.
  package let body: [UInt8]
  /// The most tokens of the prompt, and probably.
  package let inputBound: Int64
  package let inputExpected: Int64
  /// The most tokens of all answers together, thoughts included.
  package let outputBound: Int64
  /// As the client sent it.
  private let root: JSONValue

  /// - Parameters:
  ///   - name: the model, as the client named it.
  ///   - documents: the most tokens that a document takes, by its MIME type; nil: nobody knows. What gives its content is
  ///     asked only where it is needed: a document may be long.
  package init(
    model name: String, body: [UInt8], of models: GeminiModels, limits: Limits = Limits(),
    documents: (_ type: String, _ content: () -> [UInt8], _ model: GeminiModels.Model) -> Int64?
  ) throws(Fault) {
    guard let model = models.model(name) else {
      throw Fault(
        detail: "models/\(name.inOneLine(atMost: 70)) is not among the models whose prices Tollbook"
          + " knows, and without a price nothing is bought", field: "model")
    }
    self.model = model
    do throws(JSONError) {
      root =
        try JSONDocument(body, maximumDepth: limits.depth, maximumValues: limits.values).root
    } catch { throw Fault(detail: "the body is no JSON: \(error)", field: "") }
    guard root.kind == .object else { throw Fault(detail: "the body must be an object", field: "") }
    guard let contents = root["contents"]?.array, !contents.isEmpty else {
      throw Fault(detail: "contents is missing or empty", field: "contents")
    }
    var sum = PromptSum(model)
    for content in contents { try sum.add(content) }
    if let system = root.either("systemInstruction") { try sum.add(system) }
    if root.either("cachedContent") != nil { sum.isUnbounded = true }
    for tool in root["tools"]?.array.map(Array.init) ?? [] {
      // Functions are answered by the client; all other tools put into the prompt what they find.
      let names = tool.members.map { $0.map(\.name) } ?? []
      if names.contains(where: { $0 != "functionDeclarations" && $0 != "function_declarations" }) {
        sum.isUnbounded = true
      }
    }
    let config = root.either("generationConfig")
    let candidates = try Self.number(config?.either("candidateCount"), "candidateCount", 1...8) ?? 1
    let asked = try Self.number(
      config?.either("maxOutputTokens"), "maxOutputTokens", 1...1 << 30)
    outputBound = min(asked ?? limits.output, model.outputLimit) * candidates
    self.body = asked == nil ? root.bounding(output: limits.output) : body
    let text = Int64(self.body.count) - sum.encoded
    for document in sum.documents {
      guard document.data.isBase64 else {
        throw Fault(detail: "inlineData.data is not base64", field: "inlineData.data")
      }
      let content: () -> [UInt8] = { document.data.decoded }
      if let tokens = documents(document.type, content, model) {
        sum.tokens += tokens
      } else {
        sum.isUnbounded = true
      }
    }
    let bound = text + sum.tokens
    inputBound = sum.isUnbounded ? model.inputLimit : min(model.inputLimit, bound)
    inputExpected = min(inputBound, max(1, text / 4 + sum.tokens))
  }

  /// The same for two requests that mean the same: members in the order of their names, no space, texts written one way, and
  /// long ones by their digest.
  package var canonical: [UInt8] {
    var json = JSONWriter()
    json.beginArray()
    json.string(model.name)
    json.canonical(root)
    json.endArray()
    return json.bytes
  }

  private static func number(
    _ json: JSONValue?, _ name: String, _ range: ClosedRange<Int64>
  ) throws(Fault) -> Int64? {
    guard let json, !json.isNull else { return nil }
    guard let number = json.int64, range.contains(number) else {
      throw Fault(
        detail: "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)",
        field: "generationConfig.\(name)")
    }
    return number
  }
}

/// What a prompt is made of, as far as it counts.
private struct PromptSum {
  private let model: GeminiModels.Model
  /// Documents that came with it, as they are written.
  var documents: [(type: String, data: JSONValue)] = []
  /// The length of those in the body, in bytes.
  var encoded: Int64 = 0
  /// Of documents.
  var tokens: Int64 = 0
  var isUnbounded = false

  init(_ model: GeminiModels.Model) { self.model = model }

  mutating func add(_ content: JSONValue) throws(GeminiRequest.Fault) {
    guard content.kind == .object else {
      throw GeminiRequest.Fault(detail: "a content must be an object", field: "contents")
    }
    for part in content["parts"]?.array.map(Array.init) ?? [] {
      if let data = part.either("inlineData") {
        guard let type = data.either("mimeType")?.string, let value = data["data"],
          value.kind == .string
        else {
          throw GeminiRequest.Fault(
            detail: "inlineData needs mimeType and data, both as text", field: "inlineData")
        }
        documents.append((type.lowercased(), value))
        encoded += Int64(value.bytes.count)
      }
      if part.either("fileData") != nil { isUnbounded = true }
    }
  }
}

extension JSONValue {
  /// Of a text what stands between its quotes.
  fileprivate var textBytes: ArraySlice<UInt8> { bytes.dropFirst().dropLast() }

  /// Whether it is a text in base64, in either alphabet and with its padding or without, as protobuf's JSON takes it
  /// (RFC 4648, sections 4 and 5), and nothing else.
  fileprivate var isBase64: Bool {
    guard kind == .string else { return false }
    let text = textBytes
    let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    let digits = text.dropLast(padding)
    guard digits.count % 4 != 1, padding == 0 || text.count.isMultiple(of: 4) else { return false }
    return digits.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }

  /// What it stands for as base64; empty if it is none.
  fileprivate var decoded: [UInt8] {
    var text = Data(textBytes)
    for index in text.indices {
      if text[index] == UInt8(ascii: "-") { text[index] = UInt8(ascii: "+") }
      if text[index] == UInt8(ascii: "_") { text[index] = UInt8(ascii: "/") }
    }
    while !text.count.isMultiple(of: 4) { text.append(UInt8(ascii: "=")) }
    return Data(base64Encoded: text).map { Array($0) } ?? []
  }

  /// A member by its name in camel case, or with underscores.
  func either(_ name: String) -> JSONValue? {
    let value = self[name] ?? self[Self.underscored(name)]
    return value?.isNull == true ? nil : value
  }

  private static func underscored(_ name: String) -> String {
    name.reduce(into: "") { text, letter in
      text += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
    }
  }

  /// The same request with a bound for its answer.
  fileprivate func bounding(output: Int64) -> [UInt8] {
    var json = JSONWriter(capacity: bytes.count + 64)
    var hasConfig = false
    json.beginObject()
    for member in members.map(Array.init) ?? [] {
      let isConfig = member.isNamed("generationConfig") || member.isNamed("generation_config")
      guard isConfig, !hasConfig, member.value.kind == .object else {
        if !isConfig { json.rawField(member.name, member.value.bytes) }
        continue
      }
      hasConfig = true
      json.object(member.name) { json in
        for inner in member.value.members.map(Array.init) ?? []
        where !inner.isNamed("maxOutputTokens") && !inner.isNamed("max_output_tokens") {
          json.rawField(inner.name, inner.value.bytes)
        }
        json.field("maxOutputTokens", output)
      }
    }
    if !hasConfig {
      json.object("generationConfig") { json in json.field("maxOutputTokens", output) }
    }
    json.endObject()
    return json.bytes
  }
}

extension JSONWriter {
  /// In bytes, with its quotes.
  private static let longText = 1_000

  /// Writes a value so that what means the same is written the same.
  fileprivate mutating func canonical(_ value: JSONValue) {
    switch value.kind {
    case .object:
      beginObject()
      // Of two members of one name the order is kept: what they mean the provider decides.
      let members = (value.members.map(Array.init) ?? []).enumerated().sorted {
        ($0.element.name, $0.offset) < ($1.element.name, $1.offset)
      }
      for member in members {
        name(member.element.name)
        canonical(member.element.value)
      }
      endObject()
    case .array:
      beginArray()
      for element in value.array.map(Array.init) ?? [] { canonical(element) }
      endArray()
    case .string:
      // Which of both it is stands before it: no text is taken for a digest.
      let isLong = value.bytes.count > Self.longText
      beginArray()
      bool(isLong)
      string(
        isLong
          ? SHA256.hash(data: value.bytes).map(\.self).hexadecimal : value.string ?? "")
      endArray()
    case .number, .bool, .null: raw(value.bytes)
    }
  }
}

// MARK: What it costs at most

extension GeminiRequest {
  /// What a plan has to know of a request, by name.
  enum Figure {
    static let input = "input", inputExpected = "input_expected", output = "output"
    static let money = "money", moneyExpected = "money_expected"
  }

  /// What a plan has to know: how many tokens and how much money at most, and probably.
  ///
  /// - Parameter day: whose prices hold.
  /// - Throws: if no price is known, since nothing is ever free.
  package func figures(on day: CalendarDay) throws(Fault) -> [String: Int64] {
    guard let price = model.price(on: day),
      let bound = price.bound(input: inputBound, output: outputBound),
      let expected = price.bound(input: inputExpected, output: outputExpected)
    else {
      throw Fault(
        detail: "no price is known for \(model.name) on \(day), so nothing is bought; the table of"
          + " prices is a file, TOLLBOOK_GEMINI_MODELS", field: "model")
    }
    return [
      Figure.input: inputBound, Figure.inputExpected: inputExpected, Figure.output: outputBound,
      Figure.money: bound, Figure.moneyExpected: expected,
    ]
  }

  var outputExpected: Int64 { Self.expected(outOf: outputBound) }

  /// How many tokens an answer that may have so many will probably have. A guess of our own: answers are seldom longer than
  /// a kilobyte or two.
  static func expected(outOf bound: Int64) -> Int64 { min(bound, 512) }

  /// What is sent for it.
  ///
  /// - Parameters:
  ///   - version: of the provider's API, such as `v1beta`.
  ///   - body: what is sent instead of its own; nil: its own.
  package func passed(
    _ method: String, version: String, figures: [String: Int64],
    query: [(name: String, value: String)] = [], body: (@Sendable () -> [UInt8])? = nil
  ) -> PassedRequest {
    PassedRequest(
      path: "/\(version)/models/\(model.name):\(method)", query: query,
      body: body?() ?? self.body, figures: figures)
  }
}
