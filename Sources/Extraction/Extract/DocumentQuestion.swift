import Crypto
import Foundation
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams

extension DocumentReader {
  /// What a document asks of a model.
  struct Question: Sendable {
    var facts: DocumentFacts
    /// With the document's digest in its place: a long document is put in only when it is sent.
    var request: GeminiRequest
    /// How the answer is called apart from what is asked: of a second look by the same model otherwise than of the first.
    fileprivate var form = "document"
    var isSecond: Bool { second != nil }
    fileprivate var second: SecondLook?
    /// In hexadecimal, which reads as base64 too.
    fileprivate var digest: [UInt8]
    fileprivate var content: [UInt8]

    /// As it is sent.
    @Sendable
    fileprivate func body() -> [UInt8] {
      guard let place = request.body.firstRange(of: digest) else { return [] }
      var body: [UInt8] = []
      body.reserveCapacity(request.body.count + content.count / 3 * 4 + 4)
      body += request.body[..<place.lowerBound]
      for start in stride(from: 0, to: content.count, by: Self.piece) {
        let piece = content[start..<min(start + Self.piece, content.count)]
        body += Data(piece).base64EncodedData()
      }
      body += request.body[place.upperBound...]
      return body
    }

    /// Of a document that is encoded at a time, in bytes: no padding stands between two.
    private static let piece = 3 << 14
  }

  /// The tag of what a second look takes, by which budgets and reports know it.
  static let secondTag = "look=second"
  /// At which the document is read. The same document shall be read the same way.
  private static let temperature = 0
  /// At which the same model reads it once more: at 0 it would answer what it has answered.
  private static let otherTemperature = 1
  /// Pages of a document that a model reads in half of the time. A longer one may take all of it: given up and made once
  /// more it would be paid for twice, and never be read.
  static let fewPages = 10

  func question(_ file: ExtractForm.File) throws(Problem) -> Question {
    let facts: DocumentFacts
    do throws(DocumentFault) {
      let limits = DocumentLimits(bytes: ExtractForm.longestFile)
      facts = try DocumentFacts(of: file.content, declared: file.type, limits: limits)
    } catch {
      let name = file.name.isEmpty ? "the file" : file.name
      throw Problem(.invalidDocument, "\(name): \(error)", field: "file")
    }
    let digest = Array(SHA256.hash(data: file.content).map(\.self).hexadecimal.utf8)
    return Question(
      facts: facts, request: try request(model, facts, digest, Self.temperature),
      digest: digest, content: file.content)
  }

  /// What is asked where a check fails; nil: nothing is.
  func second(after first: Question) throws(Problem) -> Question? {
    var name = first.request.model.name
    switch second {
    case .off: return nil
    case .again: break
    case .by(let model): name = models.model(model)?.name ?? model
    }
    let isAgain = name == first.request.model.name
    var question = first
    question.second = second
    if isAgain { question.form = "document again" }
    question.request = try request(
      name, first.facts, first.digest, isAgain ? Self.otherTemperature : Self.temperature)
    return question
  }

  private func request(
    _ name: String, _ facts: DocumentFacts, _ digest: [UInt8], _ temperature: Int
  ) throws(Problem) -> GeminiRequest {
    do throws(GeminiRequest.Fault) {
      return try GeminiRequest(
        model: name, body: Self.body(digest, facts.kind, temperature), of: models
      ) { _, _, model in
        facts.kind == .pdf ? Int64(facts.pages) * model.pageTokens : model.imageTokens
      }
    } catch { throw Problem(.internalError, error.detail) }
  }

  /// The question about a document.
  private static func body(
    _ digest: [UInt8], _ kind: DocumentKind, _ temperature: Int
  ) -> [UInt8] {
    var json = JSONWriter(capacity: 16_384)
    json.object { json in
      json.array("contents") { json in
        json.object { json in
          json.field("role", "user")
          json.array("parts") { json in
            json.object { json in
              json.object("inlineData") { json in
                json.field("mimeType", kind.mediaType)
                json.field("data", String(decoding: digest, as: UTF8.self))
              }
            }
            json.object { json in json.field("text", InvoicePrompt.text() ?? "") }
          }
        }
      }
      json.object("generationConfig") { json in
        json.field("temperature", temperature)
        json.field("maxOutputTokens", GeminiRequest.Limits().output)
        json.field("responseMimeType", "application/json")
        json.rawField("responseSchema", InvoiceSchema.responseSchema)
      }
    }
    return json.bytes
  }

  /// What is to be bought for a question.
  ///
  /// - Parameters:
  ///   - spent: what the request has spent already on this document, in tokens.
  ///   - time: how long it may take, in milliseconds.
  func demand(
    _ question: Question, spent: Int64 = 0, within time: Int64 = patience
  ) throws(Problem) -> ResourceDemand {
    let request = question.request
    let figures: [String: Int64]
    do throws(GeminiRequest.Fault) {
      figures = try request.figures(on: gateway.log.time.now().calendarDay)
    } catch { throw Problem(.priceUnknown, error.detail) }
    let resource: ResourceKey
    do throws(AccountRefusal) {
      resource = try request.resource(
        of: principal.account, form: question.form, gateway.dataKeys)
    } catch { throw Problem(.storageFailed, error.description) }
    var demand = options.apply(
      to: ResourceDemand(GeminiUpstream.generate, [resource]), by: principal)
    if let most = options.maximumTokens { demand.limit = max(0, most - spent) }
    if question.isSecond { demand.tags.append(Self.secondTag) }
    var passed = request.passed(
      "generateContent", version: "v1beta", figures: figures, body: question.body)
    // Who waits gets another attempt where one brings nothing for half of the time; nobody waits for a job.
    if job == nil, question.facts.pages <= Self.fewPages {
      passed.attemptLimit = min(Self.patience / 2, time)
    }
    demand.request = passed
    demand.deadline = time
    return demand
  }

  /// What may have to be bought after a demand of a first look; nil: nothing will be.
  func following(_ question: Question, _ demand: ResourceDemand) throws -> DryRunSequel? {
    guard let next = try second(after: question) else { return nil }
    var isCertain = false
    if case .success(let preview) = gateway.preview(demand),
      case .cached(let entry)? = preview.fates.first?.fate,
      let content = try gateway.content(of: entry), let found = GeminiAnswer(content),
      let fields = try? InvoiceFields(text: Array(found.text.utf8))
    {
      guard !InvoiceChecks.all(of: fields).brokenRules.isEmpty else { return nil }
      isCertain = true
    }
    return DryRunSequel(demand: try self.demand(next), isCertain: isCertain)
  }
}
