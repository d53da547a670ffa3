import Hummingbird
import JSONText
import TollbookArchive
package import TollbookEvents
package import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// One request of a client that speaks Gemini's wire format: answered from the cache where the client wants that, from
/// Gemini, or refused as Gemini would.
struct GeminiDropIn: Sendable {
  /// The longest body of a request, in bytes: a document of 14 MB, which base64 makes a third longer, and room for words.
  static let mostBody = 20 << 20
  /// How long a client is kept waiting in all, in milliseconds: as long as a call may take.
  private static let patience = GeminiUpstream.callLimit

  private let service: HTTPService
  private let models: GeminiModels
  private let request: Request
  private let version: String
  /// Such as `gemini-3.5-flash:generateContent`; empty: the list of models is asked for.
  private let named: String
  private let query: [(name: String, value: String)]
  private let options: DemandOptions
  private let principal: Principal

  init(
    _ service: HTTPService, _ models: GeminiModels, _ request: Request, _ context: TollbookContext
  ) throws(GeminiRefusal) {
    self.service = service
    self.models = models
    self.request = request
    principal = context.principal
    // Before the version may stand options, both as the step of the path that they are.
    let first = context.parameters.get("first") ?? ""
    let version = context.parameters.get("version") ?? first
    guard version == "v1" || version == "v1beta" else {
      throw GeminiRefusal(
        404, "there is no version “\(version.inOneLine(atMost: 30))”; there are v1 and v1beta")
    }
    self.version = version
    let step = context.parameters.get("version") == nil ? nil : first
    let path = step.flatMap(DemandOptions.text(ofStep:))
    guard step == nil || path != nil else {
      throw GeminiRefusal(404, "there is nothing at \(request.uri.path.inOneLine(atMost: 200))")
    }
    do throws(DemandOptions.Fault) {
      self.options = try DemandOptions(path: path, request.headers, choosesCache: true)
    } catch { throw .invalid(error.description) }
    let call = context.parameters.get("call") ?? ""
    named = percentDecoded(call) ?? call
    // The access key goes no further.
    query = formItems(request.uri.query ?? "").filter { $0.name != "key" }
  }

  private var gateway: Gateway { service.gateway }
  private var today: CalendarDay { service.log.time.now().calendarDay }

  // MARK: Endpoints

  /// The models, or one of them, as Gemini lists them. Costs nothing, and is not kept.
  func list() async throws -> Response {
    guard named.isEmpty || GeminiModels.isName(named) else { throw Self.unknown(named) }
    let path = "/\(version)/models\(named.isEmpty ? "" : "/\(named)")"
    return try await passed(GeminiUpstream.list, PassedRequest(path: path, query: query))
  }

  /// What is asked of a model.
  func call() async throws -> Response {
    let parts = named.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, GeminiModels.isName(parts[0]) else { throw Self.unknown(named) }
    let body = try await collectedBody(of: request, limit: Self.mostBody)
    switch parts[1] {
    case "generateContent", "streamGenerateContent":
      return try await generate(parts[0], parts[1], body)
    case "countTokens":
      let path = "/\(version)/models/\(parts[0]):countTokens"
      return try await passed(
        GeminiUpstream.count, PassedRequest(path: path, query: query, body: body))
    default: throw Self.unknown(named)
    }
  }

  private static func unknown(_ name: String) -> GeminiRefusal {
    GeminiRefusal(
      404,
      "models/\(name.inOneLine(atMost: 100)) is not served here; there are generateContent,"
        + " streamGenerateContent and countTokens of a model, and the list of models")
  }

  private func generate(
    _ model: String, _ method: String, _ body: [UInt8]
  ) async throws -> Response {
    let question: GeminiRequest
    let figures: [String: Int64]
    do throws(GeminiRequest.Fault) {
      question = try GeminiRequest(
        model: model, body: body, of: models, documents: DocumentTokens.most)
      figures = try question.figures(on: today)
    } catch {
      throw GeminiRefusal(error.field == "model" ? 404 : 400, error.detail)
    }
    let sent = question.passed(method, version: version, figures: figures, query: query)
    let isStream = method == "streamGenerateContent"
    guard options.cache == true else {
      return isStream
        ? try await streamed(sent) : try await passed(GeminiUpstream.generate, sent)
    }
    return try await kept(question, sent, isStream: isStream)
  }

  // MARK: Answers

  /// An answer that is kept for who asks the same again.
  private func kept(
    _ question: GeminiRequest, _ sent: PassedRequest, isStream: Bool
  ) async throws -> Response {
    let isEvents = isStream && query.contains { $0.name == "alt" && $0.value == "sse" }
    let form = isEvents ? "events" : isStream ? "pieces" : "whole"
    let resource: ResourceKey
    do throws(AccountRefusal) {
      resource = try question.resource(of: principal.account, form: form, gateway.dataKeys)
    } catch { throw GeminiRefusal(503, error.description) }
    var demand = prepared(
      ResourceDemand(isStream ? GeminiUpstream.stream : GeminiUpstream.generate, [resource]))
    demand.request = sent
    if let preview = try estimate(demand) { return preview }
    var answer = await gateway.answer(demand)
    // What cannot be opened any more is bought again.
    if let entry = answer.outcomes.first?.entry, try gateway.content(of: entry) == nil {
      demand.age = .fetched(0)
      answer = await gateway.answer(demand)
    }
    guard let outcome = answer.outcomes.first else { throw GeminiRefusal(500, "nothing is known") }
    let content = try outcome.handedOn?.body ?? outcome.entry.flatMap(gateway.content)
    let isUsable = outcome.problem == nil || (options.allowsStale && outcome.source == .stale)
    guard let content, isUsable else {
      throw outcome.problem.map { GeminiRefusal($0) }
        ?? GeminiRefusal(500, "nothing is known about it")
    }
    var headers: HTTPFields = [.position: "\(answer.position)"]
    headers[.charge] = "\(outcome.cost &+ outcome.lost)"
    headers.tell(inDoubt: outcome.inDoubt)
    headers[.cacheStatus] =
      outcome.source == .upstream
      ? outcome.isJoined ? "tollbook; fwd=miss; collapsed" : "tollbook; fwd=miss; stored"
      : outcome.source == .stale ? "tollbook; hit; detail=stale" : "tollbook; hit"
    if let age = outcome.entry?.ageSeconds(at: answer.now) { headers[.age] = "\(age)" }
    if outcome.source == .upstream, !outcome.isJoined {
      let usage = isEvents ? GeminiStream(content).usage : GeminiAnswer(pieces: content)?.usage
      headers[.chargeEstimated] = estimates(of: usage, sent)
    }
    let type = isEvents ? "text/event-stream" : "application/json; charset=UTF-8"
    return Self.response(content, type, headers)
  }

  /// An answer that goes to who asked, and is not kept.
  private func passed(_ operation: String, _ sent: PassedRequest) async throws -> Response {
    if try HTTPService.isDryRun(request.headers) { return estimate(of: sent) }
    return response(
      to: await gateway.pass(operation, sent, for: prepared(ResourceDemand(operation, []))), sent)
  }

  /// Why what an answer cost is an estimate; nil: it is exact, or nobody knows.
  private func estimates(of usage: GeminiUsage?, _ sent: PassedRequest) -> String? {
    guard let usage, let model = GeminiUpstream.model(of: sent.path).flatMap(models.model) else {
      return nil
    }
    return model.price(on: today)?.estimates(of: usage).text
  }

  private func response(to answer: PassedAnswer, _ sent: PassedRequest) -> Response {
    switch answer.result {
    case .success(let raw):
      var headers: HTTPFields = [.charge: "\(answer.cost)", .cacheStatus: "tollbook; fwd=bypass"]
      headers.tell(inDoubt: answer.inDoubt)
      headers[.chargeEstimated] = estimates(of: GeminiAnswer(pieces: raw.body)?.usage, sent)
      return Self.response(raw.body, raw.contentType, headers)
    case .failure(let problem):
      var headers: HTTPFields = [.charge: "\(answer.cost)"]
      headers.tell(inDoubt: answer.inDoubt)
      let now = service.log.time.now()
      headers.tell(refusals: [problem], at: now)
      return GeminiRefusal(problem).response(at: now, headers: headers)
    }
  }

  /// The same in pieces, each as it arrives. The call goes on to its end when the client leaves, and is charged by what
  /// came. What it cost is known when it has ended, and stands behind the body (RFC 9110, section 6.5).
  private func streamed(_ sent: PassedRequest) async throws -> Response {
    if try HTTPService.isDryRun(request.headers) { return estimate(of: sent) }
    let relay = PartRelay()
    var sent = sent
    sent.sink = { await relay.write($0) }
    let demand = prepared(ResourceDemand(GeminiUpstream.stream, []))
    let call = Task { [gateway, sent] in
      let answer = await gateway.pass(GeminiUpstream.stream, sent, for: demand)
      relay.end()
      return answer
    }
    guard let first = await relay.next() else { return response(to: await call.value, sent) }
    let isEvents = query.contains { $0.name == "alt" && $0.value == "sse" }
    let body = ResponseBody { [self, sent] writer in
      do {
        try await writer.write(ByteBuffer(bytes: first))
        while let part = await relay.next() { try await writer.write(ByteBuffer(bytes: part)) }
      } catch {
        relay.leave()
        throw error
      }
      // An answer that was cut ends as it did here: before its end.
      let answer = await call.value
      let raw = try answer.result.get()
      try await writer.finish(trailer(of: answer, raw.body, sent, isEvents: isEvents))
    }
    var headers: HTTPFields = [.cacheStatus: "tollbook; fwd=bypass"]
    let told = [HeaderName.charge, .chargeInDoubt, .chargeEstimated]
    headers[.trailer] = told.map(\.rawName).joined(separator: ", ")
    headers[.contentType] = isEvents ? "text/event-stream" : "application/json; charset=UTF-8"
    return Response(status: .ok, headers: headers, body: body)
  }

  /// What is told of a stream when it has ended, as of any other answer before its body.
  private func trailer(
    of answer: PassedAnswer, _ body: [UInt8], _ sent: PassedRequest, isEvents: Bool
  ) -> HTTPFields {
    var trailer: HTTPFields = [.charge: "\(answer.cost)"]
    trailer.tell(inDoubt: answer.inDoubt)
    let usage = isEvents ? GeminiStream(body).usage : GeminiAnswer(pieces: body)?.usage
    trailer[.chargeEstimated] = estimates(of: usage, sent)
    return trailer
  }

  private func prepared(_ demand: ResourceDemand) -> ResourceDemand {
    var demand = options.apply(to: demand, by: principal)
    demand.deadline = Self.patience
    return demand
  }

  private static func response(
    _ body: [UInt8], _ type: String, _ headers: HTTPFields
  ) -> Response {
    var headers = headers
    headers[.contentType] = type.inOneLine(atMost: 100)
    return Response(
      status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
  }

  // MARK: Looking ahead

  private func estimate(_ demand: ResourceDemand) throws -> Response? {
    do throws(Problem) { return try service.dryRun(demand, request.headers) } catch {
      throw GeminiRefusal(error.status.code, error.detail)
    }
  }

  /// What a call that is not kept would cost: nothing is bought.
  private func estimate(of sent: PassedRequest) -> Response {
    typealias Figure = GeminiRequest.Figure
    let figures = sent.figures
    let most = (figures[Figure.input] ?? 0) + (figures[Figure.output] ?? 0)
    let expected =
      (figures[Figure.inputExpected] ?? 0)
      + GeminiRequest.expected(outOf: figures[Figure.output] ?? 0)
    var response = Response.object(position: service.log.head) { json in
      json.field("dry_run", true)
      json.field("cached", 0)
      json.field("would_buy", 1)
      json.field("units_expected", expected)
      json.field("units_bound", most)
      json.array("costs") { json in
        for (unit, expected, most) in [
          ("tokens", expected, most),
          (models.currency, figures[Figure.moneyExpected] ?? 0, figures[Figure.money] ?? 0),
        ] {
          json.object { json in
            json.field("unit", unit)
            json.amount("expected", expected, unit)
            json.amount("at_most", most, unit)
          }
        }
      }
    }
    response.headers[.charge] = "0"
    return response
  }
}

extension GeminiRequest {
  /// What its answer is called in the cache: it belongs to one account, and its name tells nothing of it.
  ///
  /// - Parameter form: in which it is kept: `whole`, or a stream's `events` or `pieces`; of what a document asks `document`.
  package func resource(
    of account: String, form: String = "whole", _ keys: DataKeys
  ) throws(AccountRefusal) -> ResourceKey {
    ResourceKey(
      account: account, kind: GeminiUpstream.answer,
      path: try keys.digest(Array("\(form)\n".utf8) + canonical, of: account))
  }
}
