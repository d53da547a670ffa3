import HTTPTypes
import Extraction
import Foundation
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

/// Has a model look at the photos of one job, once.
///
/// The same photos of an account, in whatever order, asked about with the same words and the same model, cost nothing
/// the second time.
struct SnapReader: Sendable {
  /// How long it may take, in milliseconds.
  private static let patience: Int64 = 90_000

  let desk: SellerDesk
  let order: SnapOrder
  /// Who asks and pays.
  let principal: Principal
  let options: DemandOptions
  /// The tag of what the job buys, and its number: what was bought with the tag is the job's own.
  let tag: String
  let number: Position

  private var gateway: Gateway { desk.gateway }

  /// Why nothing was found.
  struct Failure: Error {
    var problem: Problem
    /// Why its answer was not bought; nil: it was, or was not to be.
    var cause: PurchaseProblem?
    var hasSpent = false
  }

  /// What was found.
  struct Reading: Sendable {
    var finding: SnapFinding
    var model: String
    /// What the job used; nothing where the answer was there.
    var usage: GeminiUsage
    /// What it paid, in nano-units.
    var nanoUnits: Int64
    /// What makes that an estimate; empty: it is exact.
    var estimates: [GeminiPrice.Estimate]
    /// The id of the one that sent the call; nil: nobody knows.
    var credential: String?
    var isHit: Bool
  }

  /// What the photos ask of the model, with their digests in their places.
  private func request(
    _ photos: [PhotoRecord], _ subject: SnapSubject
  ) throws(Failure) -> GeminiRequest {
    do throws(GeminiRequest.Fault) {
      return try GeminiRequest(
        model: order.model, body: Self.body(photos, subject), of: desk.settings.models
      ) { _, _, model in model.imageTokens }
    } catch { throw Failure(problem: Problem(.internalError, error.detail)) }
  }

  /// Temperature 0: the same photos shall be read the same way.
  private static func body(_ photos: [PhotoRecord], _ subject: SnapSubject) -> [UInt8] {
    var json = JSONWriter(capacity: 8_192)
    json.object { json in
      json.array("contents") { json in
        json.object { json in
          json.field("role", "user")
          json.array("parts") { json in
            // Before the words: the first place of a digest is the photo's.
            for photo in photos {
              json.object { json in
                json.object("inlineData") { json in
                  json.field("mimeType", photo.kind.mediaType)
                  json.field("data", photo.digest)
                }
              }
            }
            json.object { json in
              json.field("text", SnapPrompt.text(subject.marketplace, note: subject.note))
            }
          }
        }
      }
      json.object("generationConfig") { json in
        json.field("temperature", 0)
        json.field("maxOutputTokens", GeminiRequest.Limits().output)
        json.field("responseMimeType", "application/json")
        json.rawField("responseSchema", SnapSchema.responseSchema)
      }
    }
    return json.bytes
  }

  /// The same with the photos in base64 in the places of their digests: work for a processor, not for whoever else runs
  /// on this task's executor.
  @concurrent
  private static func filled(
    _ body: [UInt8], _ photos: [(digest: String, bytes: [UInt8])]
  ) async -> [UInt8] {
    var filled: [UInt8] = []
    filled.reserveCapacity(photos.reduce(body.count) { $0 + $1.bytes.count / 3 * 4 + 4 })
    var rest = body[...]
    for photo in photos {
      guard let place = rest.firstRange(of: Array(photo.digest.utf8)) else { return [] }
      filled += rest[..<place.lowerBound]
      // In pieces of a multiple of three bytes: no padding stands between two.
      for start in stride(from: 0, to: photo.bytes.count, by: 3 << 14) {
        filled += Data(photo.bytes[start..<min(start + 3 << 14, photo.bytes.count)])
          .base64EncodedData()
      }
      rest = rest[place.upperBound...]
    }
    return filled + rest
  }

  private func demand(_ subject: SnapSubject) async throws -> ResourceDemand {
    var photos: [PhotoRecord] = []
    var contents: [(digest: String, bytes: [UInt8])] = []
    // In one order, whichever they were sent in: they ask the same.
    for digest in subject.photos.sorted() {
      guard let photo = try desk.photos.record(digest, of: order.account),
        let bytes = try await Problem.ofPhotos({
          try await desk.photos.bytes(photo, of: order.account)
        })
      else {
        throw Failure(
          problem: Problem(.gone, "the photo \(digest) was deleted before its turn", field: "photo")
        )
      }
      photos.append(photo)
      contents.append((digest, bytes))
    }
    let request = try request(photos, subject)
    let figures: [String: Int64]
    do throws(GeminiRequest.Fault) {
      figures = try request.figures(on: gateway.log.time.now().calendarDay)
    } catch { throw Failure(problem: Problem(.priceUnknown, error.detail)) }
    let resource: ResourceKey
    do throws(AccountRefusal) {
      resource = try request.resource(of: order.account, form: "photos", gateway.dataKeys)
    } catch { throw Failure(problem: Problem(.storageFailed, error.description)) }
    var demand = options.apply(
      to: ResourceDemand(GeminiUpstream.generate, [resource]), by: principal)
    let body = await Self.filled(request.body, contents)
    demand.request = request.passed("generateContent", version: "v1beta", figures: figures) { body }
    demand.deadline = Self.patience
    return demand
  }

  /// - Throws: `Failure`, or `LogError` if what is stored cannot be read.
  func read(_ subject: SnapSubject) async throws -> Reading {
    var demand: ResourceDemand
    do { demand = try await self.demand(subject) } catch let problem as Problem {
      throw Failure(problem: problem)
    }
    var spent: Int64 = 0
    func ask(_ demand: ResourceDemand) async -> ResourceOutcome? {
      let answered: DemandAnswer = await gateway.answer(demand)
      let outcome = answered.outcomes.first
      spent &+= (outcome?.cost ?? 0) &+ (outcome?.lost ?? 0) &+ (outcome?.inDoubt ?? 0)
      return outcome
    }
    func failure(_ problem: Problem, _ cause: PurchaseProblem? = nil) -> Failure {
      Failure(problem: problem, cause: cause, hasSpent: spent > 0)
    }
    var answer = await ask(demand)
    if let entry = answer?.entry, try gateway.content(of: entry) == nil {
      // It was not kept, or its key is gone.
      demand.age = .fetched(0)
      answer = await ask(demand)
    }
    guard let outcome = answer else {
      throw Failure(problem: Problem(.internalError, "nothing is known about it"))
    }
    if let problem = outcome.problem { throw failure(Problem(problem), problem) }
    if let write = outcome.handedOn, case .handOn(_, let detail) = write.disposition {
      throw failure(Problem(.photosNotRead, detail))
    }
    guard let entry = outcome.entry, let content = try gateway.content(of: entry),
      let found = GeminiAnswer(content)
    else { throw failure(Problem(.photosNotRead, "its answer cannot be read")) }
    let finding: SnapFinding
    do throws(SnapFault) { finding = try SnapFinding(text: Array(found.text.utf8)) } catch {
      // Asked again, the model may do better: this is not what is to be answered then.
      let purge = PurgeOrder(
        scope: .key(entry.resource.description), isHard: true,
        note: "it does not follow the schema", actor: "tollbook")
      _ = try? await purge.carryOut(on: gateway.log)
      throw failure(Problem(.photosNotRead, "its answer does not follow the schema: \(error)"))
    }
    let charge = try charge(of: entry)
    let isBought = outcome.source == .upstream && !outcome.isJoined
    // By an earlier try, such as one that was sent before the process ended.
    let isOfJob =
      entry.written > number && charge?.payers.contains { $0.tags.contains(tag) } == true
    let isOwn = isBought || isOfJob
    let models = desk.settings.models
    let usage = (isOwn ? found.usage : nil) ?? GeminiUsage(prompt: 0)
    let money = entry.amounts.first { $0.unit == models.currency }?.count ?? 0
    return Reading(
      finding: finding, model: found.model.isEmpty ? order.model : found.model, usage: usage,
      nanoUnits: isOwn ? money : 0,
      estimates: models.model(order.model)?.price(on: entry.fetched.calendarDay)?
        .estimates(of: usage) ?? [],
      credential: charge?.credential, isHit: outcome.source == .cache && !isOwn)
  }

  /// The charge of the call which brought an entry: it stands behind it in its commit.
  private func charge(of entry: CacheEntry) throws(LogError) -> TokensCharged? {
    let reader = gateway.log.reader
    return try gateway.log.read { (reading) throws(LogError) in
      var found: TokensCharged?
      // So many events stand between the two at most.
      var left = 8
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
}

extension SnapReader.Reading {
  /// - Parameter currency: of the cost.
  func writeMembers(_ currency: String, to json: inout JSONWriter) {
    json.field("finding", finding)
    json.field("model", model)
    json.object("tokens") { json in
      json.field("prompt", usage.prompt)
      json.field("cached", usage.cached)
      json.field("candidates", usage.candidates)
      json.field("thoughts", usage.thoughts)
      json.field("tool", usage.toolUse)
      json.field("total", usage.tokens)
    }
    json.object("cost") { json in
      json.field("amount", DecimalText.text(nanoUnits: nanoUnits))
      json.field("currency", currency)
      json.field("estimated", !estimates.isEmpty)
      json.field("estimated_because", estimates.text)
    }
    json.field("credential", credential)
    json.field("source", isHit ? "cache" : "gemini_api")
    json.field("cache_hit", isHit)
  }
}

extension Problem.Kind {
  static let invalidPhoto = Problem.Kind(
    "invalid-photo", .unprocessableContent, "The photo cannot be taken")
  static let photosNotRead = Problem.Kind(
    "photos-not-read", .badGateway, "The model gave no usable answer")
  static let priceUnknown = Problem.Kind(
    "price-unknown", .serviceUnavailable, "No price is known")
}
