private import JSONText
private import Synchronization

/// A local stand-in for Google's Gemini API, its generateContent methods: tokens, quotas, errors and whims.
///
/// This is the part below HTTP; `GeminiSimulatorServer.swift` puts it on a port.
package final class GeminiSimulator: Sendable {
  /// A key that is right. Plainly no secret.
  package static let sampleKey = "simulated-gemini-key-0001"

  /// More such keys, one per number from 0 to 9999; each is a project of its own.
  package static func sampleKey(_ number: Int) -> String {
    let digits = String(min(9999, max(0, number)))
    return keyStart + String(repeating: "0", count: 4 - digits.count) + digits
  }

  private static let keyStart = "simulated-gemini-key-"

  /// How it behaves.
  package let configuration: GeminiSimulatorConfiguration

  /// What changes while it runs.
  private struct State: Sendable {
    /// By key and model.
    var meters: [String: GeminiQuotaMeter] = [:]
    var cache = GeminiPromptCache()
    var books = GeminiBooks()
    var faults: GeminiFaults
    /// How many response ids were given.
    var responses = 0
  }

  private let state: Mutex<State>

  /// A simulator with empty books, or as configured.
  package init(_ configuration: GeminiSimulatorConfiguration = .init()) {
    self.configuration = configuration
    state = Mutex(State(faults: configuration.faults))
  }

  // MARK: For tests

  /// What it charged so far.
  package var books: GeminiBooks {
    state.withLock { $0.books }
  }

  /// The faults in force; may be set at any time.
  package var faults: GeminiFaults {
    get { state.withLock { $0.faults } }
    set { state.withLock { $0.faults = newValue } }
  }

  // MARK: Calls

  /// Answers a call, after the time that it takes.
  ///
  /// - Parameters:
  ///   - method: `GET` or `POST`
  ///   - path: the path as it stands in the URL, without the query
  ///   - query: the query, percent-decoded
  ///   - headers: by their names in lower case
  ///   - body: what was posted
  package func answer(
    method: String, path: String, query: [String: String] = [:], headers: [String: String] = [:],
    body: [UInt8] = []
  ) async -> GeminiAnswer {
    var entry = GeminiBooks.Call(at: configuration.now())
    guard let route = GeminiRoute(method: method, path: path) else {
      return reject(entry, .unknownPath)
    }
    entry.operation = route.operation
    let isEvents = query["alt"] == "sse"
    let isList = route.operation == .streamGenerateContent && !isEvents
    guard let key = Self.key(query: query, headers: headers) else {
      return reject(entry, .missingKey, isList: isList)
    }
    entry.keySuffix = String(key.suffix(4))
    guard Self.isKnown(key) else { return reject(entry, .invalidKey, isList: isList) }
    let call: Call
    do throws(GeminiError) {
      call = try Call(
        route, key: key, isEvents: isEvents, body: body, configuration, entry: &entry)
    } catch {
      return reject(entry, error, isList: isList, key: key)
    }
    return await execute(call, entry)
  }

  /// The key of a call: the header goes before the query. An empty one is none.
  private static func key(query: [String: String], headers: [String: String]) -> String? {
    for key in [headers["x-goog-api-key"], query["key"]] {
      if let key, !key.isEmpty { return key }
    }
    return nil
  }

  private static func isKnown(_ key: String) -> Bool {
    let digits = key.utf8.dropFirst(keyStart.utf8.count)
    return key.hasPrefix(keyStart) && digits.count == 4
      && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  /// A call that was read and checked.
  private struct Call: Sendable {
    /// What it brings if nothing goes wrong.
    enum Work: Sendable {
      case generation(GeminiRequest, GeminiModel, GeminiPromptTokens, cacheName: UInt64?)
      case ready(GeminiAnswer)
    }

    let route: GeminiRoute
    let key: String
    let isEvents: Bool
    let work: Work

    init(
      _ route: GeminiRoute, key: String, isEvents: Bool, body: [UInt8],
      _ configuration: GeminiSimulatorConfiguration, entry: inout GeminiBooks.Call
    ) throws(GeminiError) {
      self.route = route
      self.key = key
      self.isEvents = isEvents
      guard route.operation != .listModels else {
        work = .ready(Self.list(configuration.models))
        return
      }
      guard let model = configuration.model(route.model) else { throw .unknownModel(route) }
      entry.model = model.name
      switch route.operation {
      case .listModels, .getModel:
        var json = JSONWriter(layout: .indented)
        model.write(to: &json)
        work = .ready(GeminiAnswer(status: 200, json: json.bytes))
      case .countTokens:
        let request = try GeminiRequest(counting: body)
        work = .ready(request.promptTokens(for: model).answer())
      case .generateContent, .streamGenerateContent:
        let request = try GeminiRequest(generating: body)
        let prompt = request.promptTokens(for: model)
        guard prompt.total <= model.inputLimit else {
          throw .invalid(
            body: "The input token count (\(prompt.total)) exceeds the maximum number of tokens "
              + "allowed (\(model.inputLimit)).")
        }
        let isCached = prompt.total >= GeminiTokenModel.smallestCached
        work = .generation(
          request, model, prompt,
          cacheName: isCached
            ? GeminiPromptCache.name(key: key, model: model.name, body: body) : nil)
      }
    }

    private static func list(_ models: [GeminiModel]) -> GeminiAnswer {
      var json = JSONWriter(layout: .indented)
      json.object { json in
        json.array("models", models) { json, model in model.write(to: &json) }
      }
      return GeminiAnswer(status: 200, json: json.bytes)
    }

    /// Whether errors come as an array of one.
    var isList: Bool { route.operation == .streamGenerateContent && !isEvents }
  }

  /// Turns a call away. What a known project sends wrongly to a known model counts as a request of its quota.
  private func reject(
    _ entry: GeminiBooks.Call, _ error: GeminiError, isList: Bool = false, key: String? = nil
  ) -> GeminiAnswer {
    var entry = entry
    entry.status = error.status
    state.withLock { state in
      state.books.record(turnedAway: entry)
      guard error.status == 400, let key, let model = entry.model,
        entry.operation?.isGeneration == true
      else { return }
      state.meters["\(key) \(model)", default: .init()].count(tokens: 0, at: entry.at)
    }
    return error.answer(isList: isList)
  }

  /// What the quota and the faults say to a call.
  private enum Admission {
    case turnedAway(GeminiError)
    case letIn(GeminiFault?, latency: Int)
  }

  /// Lets a call in, waits as long as it takes, does the work, charges, answers.
  private func execute(_ call: Call, _ entry: GeminiBooks.Call) async -> GeminiAnswer {
    let fault: GeminiFault?
    switch admit(call, entry) {
    case .turnedAway(let error): return error.answer(isList: call.isList)
    case .letIn(let struck, let latency):
      fault = struck
      if latency > 0 { await configuration.sleep(latency) }
    }
    var entry = entry
    entry.at = configuration.now()
    entry.fault = fault?.kind
    let failure = fault?.kind.failure
    (entry.status, entry.outcome) =
      switch fault?.kind {
      case .drop: (0, .dropped)
      case .cutJSON, .cutStream, .cutStreamAtOnce: (200, .dropped)
      default: failure.map { ($0.status, .failed) } ?? (200, .answered)
      }
    let answer = work(on: call, entry, fault)
    if let failure { return failure.answer(isList: call.isList || fault?.kind == .errorList) }
    return answer.suffering(fault?.kind)
  }

  private func admit(_ call: Call, _ entry: GeminiBooks.Call) -> Admission {
    let now = configuration.now()
    return state.withLock { state in
      var entry = entry
      entry.at = now
      var meter: GeminiQuotaMeter?
      if case .generation(_, let model, let prompt, _) = call.work {
        let name = "\(call.key) \(model.name)"
        var counted = state.meters[name] ?? GeminiQuotaMeter()
        let violation = counted.violation(
          of: configuration.quota(of: model.name), tokens: prompt.total, at: now)
        if let violation {
          entry.status = 429
          entry.outcome = .refused
          state.books.record(turnedAway: entry)
          return .turnedAway(.quota(violation, model: model.name))
        }
        counted.count(tokens: prompt.total, at: now)
        meter = counted
      }
      let fault = state.faults.strike(call.route.operation)
      if let fault, let error = refusal(fault.kind, call, entry) {
        entry.fault = fault.kind
        entry.status = error.status
        entry.outcome = error.status == 429 ? .refused : .rejected
        state.books.record(turnedAway: entry)
        return .turnedAway(error)
      }
      if let meter, let model = entry.model { state.meters["\(call.key) \(model)"] = meter }
      let latency = configuration.latency + state.faults.addedLatency + (fault?.delay ?? 0)
      return .letIn(fault, latency: latency)
    }
  }

  /// The error of a fault that turns calls away.
  private func refusal(
    _ kind: GeminiFault.Kind, _ call: Call, _ entry: GeminiBooks.Call
  ) -> GeminiError? {
    let model = entry.model ?? ""
    let quota = configuration.quota(of: model)
    return switch kind {
    case .http429Minute:
      .quota(
        GeminiQuotaViolation(
          limit: .requestsPerMinute, value: quota.requestsPerMinute,
          isFreeTier: quota.isFreeTier, retryDelay: 31_500),
        model: model)
    case .http429Day:
      .quota(
        GeminiQuotaViolation(
          limit: .requestsPerDay, value: quota.requestsPerDay, isFreeTier: quota.isFreeTier,
          retryDelay: 12_250),
        model: model)
    case .http429Bare: .exhausted
    case .http402: .unpaid
    case .http403: .denied
    case .http404: .unknownModel(call.route)
    case .keyInvalid: .invalidKey
    default: nil
    }
  }

  /// Does the work of a call that was let in and writes down what it is charged.
  private func work(
    on call: Call, _ entry: GeminiBooks.Call, _ fault: GeminiFault?
  ) -> GeminiAnswer {
    let isCharged = fault?.isCharged ?? true
    guard case .generation(let request, let model, let prompt, let cacheName) = call.work else {
      state.withLock { $0.books.record(letIn: entry, charge: nil) }
      guard case .ready(let answer) = call.work else { return .none }
      return answer
    }
    let (cached, number) = state.withLock { state in
      state.responses += 1
      // What fails before the work has been done is not remembered.
      let isKnown = isCharged && cacheName.map { state.cache.remember($0) } == true
      return (
        isKnown ? GeminiTokenModel.cached(ofPrompt: prompt.total) : 0, state.responses
      )
    }
    var generation = GeminiGeneration(
      request, model: model, prompt: prompt.total, cached: cached, seed: configuration.seed)
    generation.suffer(fault?.kind)
    state.withLock {
      $0.books.record(letIn: entry, charge: isCharged ? generation.tokens : nil)
    }
    var numbers = SeededNumbers("response", salt: number)
    numbers = SeededNumbers(seed: numbers.next() ^ configuration.seed)
    let response = GeminiResponse(
      generation: generation, prompt: prompt, model: model.name, id: numbers.code(22),
      fault: fault?.kind)
    guard call.route.operation == .streamGenerateContent else {
      return GeminiAnswer(status: 200, json: response.json())
    }
    return GeminiAnswer(
      chunks: response.chunks(isEvents: call.isEvents), isEvents: call.isEvents)
  }
}

extension GeminiFaultKind {
  /// The error of a fault on the server's side.
  fileprivate var failure: GeminiError? {
    switch self {
    case .http500: .internalError
    case .http503, .errorList: .overloaded
    default: nil
    }
  }
}

extension GeminiAnswer {
  /// The answer as it travels if this happens to it.
  fileprivate func suffering(_ fault: GeminiFault.Kind?) -> GeminiAnswer {
    switch fault {
    case .drop: return .none
    case .cutJSON:
      var answer = self
      let body = body
      answer.chunks = [Array(body[..<(body.count / 2)])]
      answer.delivery = .whole
      return answer
    case .cutStream:
      var answer = self
      answer.delivery = .cut(chunks: chunks.count / 2)
      return answer
    case .cutStreamAtOnce:
      var answer = self
      answer.delivery = .cut(chunks: 0)
      return answer
    default: return self
    }
  }
}
