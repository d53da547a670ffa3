import Crypto
import Foundation
import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Has one document after the other read by a model, for one company.
///
/// 1. What a document is its bytes say, before anything is spent.
/// 2. The same bytes, read with the same schema, prompt and model, cost nothing the second time.
/// 3. What the model answers is believed as far as it follows the schema, and its sums are checked.
struct DocumentReader: Sendable {
  /// How long one document may take, in milliseconds.
  static let patience: Int64 = 60_000

  let gateway: Gateway
  let models: GeminiModels
  /// The name of the model that reads.
  let model: String
  /// Who asks and pays.
  let principal: Principal
  let options: DemandOptions
  /// The job that it is read for; nil: somebody waits.
  var job: Job?

  /// A job of the log, as far as a step of it has to know it.
  struct Job: Sendable {
    /// The tag of what it buys.
    var tag: String
    /// Where the step before ended: what was bought since is its own, also if it comes from the cache by now.
    var since: Position
  }

  /// Why a document was not read.
  struct Failure: Error {
    var problem: Problem
    /// Why its answer was not bought; nil: it was, or was not to be.
    var cause: PurchaseProblem?
    var hasSpent = false
  }

  /// What was read.
  struct Reading: Sendable {
    var name: String
    var facts: DocumentFacts
    var fields: InvoiceFields
    var checks: [InvoiceCheck]
    var model: String
    /// What this request used; nothing where the answer was there.
    var usage: GeminiUsage
    /// What this request paid, in nano-units.
    var nanoUnits: Int64
    /// What makes that an estimate; empty: it is exact.
    var estimates: [GeminiPrice.Estimate]
    var charge: Int64
    var inDoubt: Int64
    /// The id of the one that sent the call; nil: nobody knows.
    var credential: String?
    var isHit: Bool
  }

  /// What a document asks of the model.
  struct Question: Sendable {
    var facts: DocumentFacts
    /// With the document's digest in its place: a long document is put in only when it is sent.
    var request: GeminiRequest
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

  func question(_ file: ExtractForm.File) throws(Problem) -> Question {
    let facts: DocumentFacts
    do throws(DocumentFault) {
      let limits = DocumentLimits(bytes: ExtractForm.longestFile)
      facts = try DocumentFacts(of: file.content, declared: file.type, limits: limits)
    } catch {
      let name = file.name.isEmpty ? "the file" : file.name
      throw Problem(.invalidDocument, "\(name): \(error)", field: "file")
    }
    let digest = SHA256.hash(data: file.content).map(\.self).hexadecimal
    do throws(GeminiRequest.Fault) {
      let request = try GeminiRequest(
        model: model, body: Self.body(digest, facts.kind), of: models
      ) { _, _, model in
        facts.kind == .pdf ? Int64(facts.pages) * model.pageTokens : model.imageTokens
      }
      return Question(
        facts: facts, request: request, digest: Array(digest.utf8), content: file.content)
    } catch { throw Problem(.internalError, error.detail) }
  }

  /// The question about a document. Temperature 0: the same document shall be read the same way.
  private static func body(_ digest: String, _ kind: DocumentKind) -> [UInt8] {
    var json = JSONWriter(capacity: 16_384)
    json.object { json in
      json.array("contents") { json in
        json.object { json in
          json.field("role", "user")
          json.array("parts") { json in
            json.object { json in
              json.object("inlineData") { json in
                json.field("mimeType", kind.mediaType)
                json.field("data", digest)
              }
            }
            json.object { json in json.field("text", InvoicePrompt.text() ?? "") }
          }
        }
      }
      json.object("generationConfig") { json in
        json.field("temperature", 0)
        json.field("maxOutputTokens", GeminiRequest.Limits().output)
        json.field("responseMimeType", "application/json")
        json.rawField("responseSchema", InvoiceSchema.responseSchema)
      }
    }
    return json.bytes
  }

  /// What is to be bought for a question.
  func demand(_ question: Question) throws(Problem) -> ResourceDemand {
    let request = question.request
    let figures: [String: Int64]
    do throws(GeminiRequest.Fault) {
      figures = try request.figures(on: gateway.log.time.now().calendarDay)
    } catch { throw Problem(.priceUnknown, error.detail) }
    let resource: ResourceKey
    do throws(AccountRefusal) {
      resource = try request.resource(
        of: principal.account, form: "document", gateway.dataKeys)
    } catch { throw Problem(.storageFailed, error.description) }
    var demand = options.apply(
      to: ResourceDemand(GeminiUpstream.generate, [resource]), by: principal)
    demand.request = request.passed(
      "generateContent", version: "v1beta", figures: figures, body: question.body)
    demand.deadline = Self.patience
    return demand
  }

  /// Has one document read: the way of those that wait for an answer, and of jobs.
  ///
  /// - Throws: `Failure`, or `LogError` if what is stored cannot be read.
  func read(_ file: ExtractForm.File) async throws -> Reading {
    let (question, bought): (Question, ResourceDemand)
    do throws(Problem) {
      question = try self.question(file)
      bought = try demand(question)
    } catch { throw Failure(problem: error) }
    var demand = bought
    var answer = await gateway.answer(demand)
    var spent = Spent()
    spent.add(answer.outcomes.first)
    if let entry = answer.outcomes.first?.entry, try gateway.content(of: entry) == nil {
      // It was not kept, or its key is gone.
      demand.age = .fetched(0)
      answer = await gateway.answer(demand)
      spent.add(answer.outcomes.first)
    }
    guard let outcome = answer.outcomes.first else {
      throw Failure(problem: Problem(.internalError, "nothing is known about it"))
    }
    if let problem = outcome.problem { throw spent.failure(Problem(problem), problem) }
    if let write = outcome.handedOn, case .handOn(_, let detail) = write.disposition {
      throw spent.failure(Problem(.documentNotRead, detail))
    }
    guard let entry = outcome.entry, let content = try gateway.content(of: entry),
      let found = GeminiAnswer(content)
    else { throw spent.failure(Problem(.documentNotRead, "its answer cannot be read")) }
    let fields: InvoiceFields
    do throws(InvoiceFault) { fields = try InvoiceFields(text: Array(found.text.utf8)) } catch {
      // Asked again, the model may do better: this is not what is to be answered then.
      let order = PurgeOrder(
        scope: .key(entry.resource.description), isHard: true,
        note: "it does not follow the schema", actor: "tollbook")
      _ = try? await order.carryOut(on: gateway.log)
      throw spent.failure(
        Problem(.documentNotRead, "its answer does not follow the schema: \(error)"))
    }
    let charge = try charge(of: entry)
    let isOwn = outcome.source == .upstream ? !outcome.isJoined : isOfJob(entry, charge)
    let money = entry.amounts.first { $0.unit == models.currency }?.count ?? 0
    let usage = (isOwn ? found.usage : nil) ?? GeminiUsage(prompt: 0)
    return Reading(
      name: file.name, facts: question.facts, fields: fields, checks: InvoiceChecks.all(of: fields),
      model: found.model.isEmpty ? question.request.model.name : found.model,
      usage: usage, nanoUnits: isOwn ? money : 0,
      estimates: question.request.model.price(on: entry.fetched.calendarDay)?
        .estimates(of: usage) ?? [],
      charge: spent.charge, inDoubt: spent.inDoubt, credential: charge?.credential,
      isHit: outcome.source == .cache && !isOwn)
  }

  /// Whether the job has bought an entry of the cache by an earlier try of this document, such as one that was sent before
  /// the process ended.
  private func isOfJob(_ entry: CacheEntry, _ charge: TokensCharged?) -> Bool {
    guard let job, entry.written > job.since, let charge else { return false }
    return charge.payers.contains { $0.tags.contains(job.tag) }
  }

  /// The charge of the call which brought an entry: it stands behind it in its commit.
  private func charge(of entry: CacheEntry) throws(LogError) -> TokensCharged? {
    let reader = gateway.log.reader
    return try gateway.log.read { (reading) throws(LogError) in
      var found: TokensCharged?
      var left = Self.mostBehind
      try reader.scan(after: entry.written, in: reading) { (recorded) throws(LogError) in
        if case .tokensCharged(let event) = recorded.event {
          found = event
          return .stop
        }
        left -= 1
        return left > 0 ? .next : .stop
      }
      return found
    }
  }

  /// So many events of a commit stand between an entry and its charge at most.
  private static let mostBehind = 8
}

/// What a request has spent so far.
private struct Spent {
  var charge: Int64 = 0
  var inDoubt: Int64 = 0

  mutating func add(_ outcome: ResourceOutcome?) {
    charge &+= (outcome?.cost ?? 0) &+ (outcome?.lost ?? 0)
    inDoubt &+= outcome?.inDoubt ?? 0
  }

  /// A failure that tells it.
  func failure(_ problem: Problem, _ cause: PurchaseProblem? = nil) -> DocumentReader.Failure {
    var problem = problem
    problem.headers[.charge] = "\(charge)"
    problem.headers.tell(inDoubt: inDoubt)
    return DocumentReader.Failure(
      problem: problem, cause: cause, hasSpent: charge > 0 || inDoubt > 0)
  }
}

extension Problem.Kind {
  static let invalidDocument = Problem.Kind(
    "invalid-document", .unprocessableContent, "The document cannot be read")
  static let documentNotRead = Problem.Kind(
    "document-not-read", .badGateway, "The model gave no usable answer")
  static let notReached = Problem.Kind(
    "document-not-reached", .conflict, "The job ended before the document's turn came")
  static let priceUnknown = Problem.Kind(
    "price-unknown", .serviceUnavailable, "No price is known")
}
