import JSONText
package import TollbookEvents
package import TollbookGateway
package import TollbookUpstreams

/// Gemini, bought from with one key, on the limits of the key's project.
///
/// 1. The provider limits requests and input tokens a minute, and requests a day, of each model, and money in ten minutes;
///    all of a project, whichever of its keys is used (ai.google.dev, Rate limits).
/// 2. All tokens are counted too, so that a key or an account may have a limit of its own in tokens.
/// 3. The charge is what the answer tells (`usageMetadata`), in money by the price of the day. An answer that does not tell
///    it leaves the reservation in doubt.
/// 4. What fails with a status of 400 or above costs no tokens, and counts as a request (ai.google.dev, Billing).
package struct GeminiUpstream: Upstream {
  package static let name = "gemini"
  package static let generate = "gemini.generateContent"
  package static let stream = "gemini.streamGenerateContent"
  package static let count = "gemini.countTokens"
  package static let list = "gemini.models"
  /// Answers that are kept, of one account each.
  package static let answer = "gemini.answer"
  /// Documents that wait to be read by a job, of one account each.
  package static let document = "gemini.document"
  /// What became of them, and how they are called.
  package static let result = "gemini.result"

  private let client: UpstreamClient
  private let credential: UpstreamCredential
  private let quotaGroup: String
  let models: GeminiModels
  private let freshness: FreshnessPolicy
  private let now: @Sendable () -> Timestamp

  /// - Parameters:
  ///   - credential: empty: there is no key, and nothing is bought until one is put in.
  ///   - quotaGroup: the project that the key belongs to; nil: one of its own.
  ///   - now: the wall clock.
  package init(
    _ client: UpstreamClient, credential: UpstreamCredential, quotaGroup: String? = nil,
    models: GeminiModels, freshness: FreshnessPolicy = GeminiUpstream.standardFreshness,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.client = client
    self.credential = credential
    self.quotaGroup = quotaGroup ?? credential.id
    self.models = models
    self.freshness = freshness
    self.now = now
  }

  /// Thirty days.
  package static let standardFreshness = freshness(days: 30)

  /// What is kept answers for as long as it is kept: the same documents with the same question have the same answer.
  ///
  /// - Parameter days: how many days of 24 hours that is; from 1 to 3,650.
  package static func freshness(days: Int64) -> FreshnessPolicy {
    kept(min(max(1, days), 3_650) * 86_400_000)
  }

  /// - Parameter time: in milliseconds.
  private static func kept(_ time: Int64) -> FreshnessPolicy {
    var policy = FreshnessPolicy()
    policy.present = FreshnessWindows(fresh: time, grace: 0, errorGrace: 0, keep: time)
    return policy
  }

  package static func kinds(_ freshness: FreshnessPolicy = standardFreshness) -> [ResourceKind] {
    [
      ResourceKind(answer, freshness: freshness, isSealed: true),
      ResourceKind(
        document, freshness: kept(ExtractOrder.documentsKept), isSealed: true, isBought: false),
      ResourceKind(
        result, freshness: kept(ExtractOrder.resultsKept), isSealed: true, isBought: false),
    ]
  }

  package var name: String { Self.name }
  package var title: String { "Gemini" }
  package var keySetting: String { "GEMINI_API_KEY" }
  package var credentials: [String] { credential.id.isEmpty ? [] : [credential.id] }
  package var kinds: [ResourceKind] { Self.kinds(freshness) }
  /// Two minutes, in milliseconds: models that think take their time.
  package static let callLimit: Int64 = 120_000
  package var callLimit: Int64? { Self.callLimit }

  package func callSize(of operation: String, parts: UInt64) -> Int { 1 }

  package func with(_ lease: CredentialLease) -> (any Upstream)? {
    GeminiUpstream(
      client, credential: UpstreamCredential(id: lease.id, key: lease.secret),
      quotaGroup: lease.quotaGroup, models: models, freshness: freshness, now: now)
  }

  // MARK: Meters

  /// All tokens: those that a request's own limit and a credential's count in.
  var tokens: MeterKey { MeterKey(owner: quotaGroup, unit: "tokens") }
  var money: MeterKey { MeterKey(owner: quotaGroup, unit: models.currency) }

  /// In what its calls are paid, whether or not there is a key.
  package var units: [String] {
    ["tokens", models.currency, "requests", "daily_requests", "input_tokens"]
  }

  private func meter(_ model: GeminiModels.Model, _ unit: String) -> MeterKey {
    var dimension = Dimension()
    dimension.name = "model"
    dimension.value = model.name
    return MeterKey(owner: quotaGroup, dimensions: [dimension], unit: unit)
  }

  func requests(_ model: GeminiModels.Model) -> MeterKey { meter(model, "requests") }
  func dailyRequests(_ model: GeminiModels.Model) -> MeterKey { meter(model, "daily_requests") }
  func input(_ model: GeminiModels.Model) -> MeterKey { meter(model, "input_tokens") }

  private static let minute: Int64 = 60_000
  private var moneyRule: MeterRule {
    .rollingWindow(RollingWindow(length: 600_000, limit: models.spendLimit))
  }

  private func requestRule(_ model: GeminiModels.Model) -> MeterRule {
    .clockWindow(ClockWindow(length: Self.minute, limit: model.requestsPerMinute))
  }

  private func inputRule(_ model: GeminiModels.Model) -> MeterRule {
    .clockWindow(ClockWindow(length: Self.minute, limit: model.inputTokensPerMinute))
  }

  /// Google's days begin at midnight in California (ai.google.dev, Rate limits). Where this machine does not know the zone,
  /// in UTC.
  private func dailyRule(_ model: GeminiModels.Model) -> MeterRule {
    let limit = model.requestsPerDay
    let zoned = CalendarWindow(.day, zone: "America/Los_Angeles", limit: limit)
    return zoned.map { .calendarWindow($0) }
      ?? .clockWindow(ClockWindow(length: 86_400_000, limit: limit))
  }

  package var meters: [UpstreamMeter] {
    guard !credential.id.isEmpty else { return [] }
    let own = [
      UpstreamMeter(tokens, .unlimited, doubt: .follows(money)),
      UpstreamMeter(money, moneyRule, doubt: .invoice),
    ]
    return own
      + models.models.flatMap { model in
        [
          UpstreamMeter(requests(model), requestRule(model), doubt: .atWindowEnd),
          UpstreamMeter(dailyRequests(model), dailyRule(model), doubt: .atWindowEnd),
          UpstreamMeter(input(model), inputRule(model), doubt: .atWindowEnd),
        ]
      }
  }

  // MARK: Calls

  /// Of a call of `generateContent` the most and probably; what is free takes nothing of any meter.
  package func plan(_ needs: [Need]) -> [PlannedCall] {
    needs.indices.map { place in
      let need = needs[place]
      return PlannedCall(
        needs: [need], places: [place], uses: uses(need.request, need.operation),
        isDivisible: false)
    }
  }

  private func uses(_ request: PassedRequest?, _ operation: String) -> [MeterUse] {
    typealias Figure = GeminiRequest.Figure
    guard operation == Self.generate || operation == Self.stream, let request,
      let model = Self.model(of: request.path).flatMap(models.model),
      let input = request.figures[Figure.input], let output = request.figures[Figure.output],
      let bound = request.figures[Figure.money]
    else { return [MeterUse(tokens, .unlimited, bounds: PrefixCosts(each: [0]))] }
    // The model says how much it read and wrote when it has done so.
    func use(
      _ meter: MeterKey, _ rule: MeterRule, _ bound: Int64, probably expected: Int64
    ) -> MeterUse {
      MeterUse(
        meter, rule, bounds: PrefixCosts(each: [bound]),
        expected: PrefixCosts(each: [min(bound, expected)]), isEstimated: true)
    }
    func one(_ meter: MeterKey, _ rule: MeterRule) -> MeterUse {
      MeterUse(meter, rule, bounds: PrefixCosts(each: [1]))
    }
    let expected = request.figures[Figure.inputExpected] ?? input
    return [
      use(
        tokens, .unlimited, input + output,
        probably: expected + GeminiRequest.expected(outOf: output)),
      use(money, moneyRule, bound, probably: request.figures[Figure.moneyExpected] ?? bound),
      one(requests(model), requestRule(model)),
      one(dailyRequests(model), dailyRule(model)),
      use(self.input(model), inputRule(model), input, probably: expected),
    ]
  }

  /// The model in a path such as `/v1beta/models/gemini-3.5-flash:generateContent`; nil: there is none.
  static func model(of path: String) -> String? {
    path.split(separator: "/").last.flatMap { $0.split(separator: ":").first }.map(String.init)
  }

  package func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    guard let need = call.needs.first, let passed = need.request else {
      let failure = UpstreamFailure(.notSent, detail: "a call for nothing", charge: .none)
      return Exchange(.failure(failure), duration: .zero)
    }
    var request = UpstreamRequest(passed.path, query: passed.query)
    request.headers = [("x-goog-api-key", self.credential.key)]
    let body = passed.body
    if !body.isEmpty {
      request.method = "POST"
      request.headers.append(("Content-Type", "application/json"))
      request.body = body
    }
    let reading = AnswerReading { (answer) throws(UpstreamFailure) in answer }
    let stream = need.operation == Self.stream ? SharedGeminiStream() : nil
    var sink: PassedRequest.Sink?
    if let stream {
      sink = { part in
        stream.read(part)
        await passed.sink?(part)
      }
    }
    let answered = await client.send(request, within: limit, partsTo: sink, reading)
    switch answered.result {
    case .failure(let failure):
      // What has gone on to a client cannot be taken back: it is not asked for once more.
      let isBegun = stream?.seen.isBegun ?? false
      let final = UpstreamFailure(
        isBegun ? .unreadable : failure.reason, status: failure.status,
        detail: isBegun ? "the stream was cut: \(failure.detail)" : failure.detail,
        charge: failure.charge)
      return Exchange(
        .failure(final), charges: stream.map { cutCharges($0.seen, call) } ?? [:],
        counts: stream?.seen.usage?.counts ?? [], duration: answered.duration,
        receivedBytes: answered.receivedBytes, isSimulated: answered.isSimulated)
    case .success(let answer):
      var exchange = self.exchange(answer, stream?.seen, call, need)
      exchange.duration = answered.duration
      exchange.receivedBytes = answered.receivedBytes
      exchange.isSimulated = answered.isSimulated
      return exchange
    }
  }

  private func exchange(
    _ answer: UpstreamAnswer, _ stream: GeminiStream?, _ call: PlannedCall, _ need: Need
  ) -> Exchange {
    guard answer.status == 200 else { return refusal(answer, call) }
    let usage: GeminiUsage?
    let shortfall: String?
    if let stream, stream.pieces > 0 {
      (usage, shortfall) = (stream.usage, stream.fault)
      if stream.isCut {
        return Exchange(
          .success(delivery(answer, shortfall, need)),
          charges: usage == nil ? charges(nil, call) : cutCharges(stream, call),
          counts: usage?.counts ?? [], duration: .zero)
      }
    } else if need.operation == Self.generate || need.operation == Self.stream {
      // A stream that was asked for without server-sent events is one array of pieces.
      guard let content = GeminiAnswer(pieces: answer.body) else { return unreadable(call) }
      usage = content.usage
      shortfall =
        content.shortfall ?? (usage == nil ? "it does not say what it cost" : nil)
    } else {
      guard (try? JSONDocument(answer.body)) != nil else { return unreadable(call) }
      return Exchange(.success(delivery(answer, nil, need)), duration: .zero)
    }
    return Exchange(
      .success(delivery(answer, shortfall, need)), charges: charges(usage, call),
      counts: usage?.counts ?? [], duration: .zero)
  }

  /// What a stream has cost that was cut: at least what its last piece told.
  private func cutCharges(_ stream: GeminiStream, _ call: PlannedCall) -> [MeterKey: MeterCharge] {
    guard stream.usage != nil else { return [:] }
    return charges(stream.usage, call).mapValues { charge in
      guard case .told(let least) = charge else { return charge }
      return .unknown(atLeast: least)
    }
  }

  /// What a call cost by what its answer tells.
  func charges(_ usage: GeminiUsage?, _ call: PlannedCall) -> [MeterKey: MeterCharge] {
    let metered = meteredByTokens(call)
    guard let usage else {
      return Dictionary(metered.map { ($0, .unknown()) }) { first, _ in first }
    }
    let model = modelName(call).flatMap(models.model)
    var charges: [MeterKey: MeterCharge] = [tokens: .told(usage.tokens)]
    if let model { charges[input(model)] = .told(usage.input) }
    let cost = model?.price(on: now().calendarDay)?.cost(of: usage)
    charges[money] = cost.map { .told($0.nanoUnits) } ?? .unknown()
    return charges
  }

  private func modelName(_ call: PlannedCall) -> String? {
    call.needs.first?.request.flatMap { Self.model(of: $0.path) }
  }

  /// The meters that count tokens, or what they cost.
  private func meteredByTokens(_ call: PlannedCall) -> [MeterKey] {
    call.uses.filter { $0.budget == nil }.map(\.meter).filter {
      $0.unit != "requests" && $0.unit != "daily_requests"
    }
  }

  private func delivery(
    _ answer: UpstreamAnswer, _ shortfall: String?, _ need: Need
  ) -> Delivery {
    let type = answer.header("Content-Type") ?? "application/json"
    guard let resource = need.resource else {
      return Delivery(
        [], raw: RawAnswer(status: answer.status, contentType: type, body: answer.body))
    }
    var write = Write(resource, body: answer.body)
    if let shortfall { write.disposition = .handOn(.incomplete, detail: shortfall) }
    return Delivery([write])
  }

  private func unreadable(_ call: PlannedCall) -> Exchange {
    let failure = UpstreamFailure(
      .unreadable, status: 200, detail: "it is not Gemini's format", charge: .unknown)
    let unknown = meteredByTokens(call).map { ($0, MeterCharge.unknown()) }
    return Exchange(
      .failure(failure), charges: Dictionary(unknown) { first, _ in first }, duration: .zero)
  }

  /// A status other than 200.
  private func refusal(_ answer: UpstreamAnswer, _ call: PlannedCall) -> Exchange {
    let error = GeminiError(status: answer.status, body: answer.body)
    let reason: FailureReason =
      error.isOfKey
      ? .keyRejected
      : answer.status == 429
        ? .insufficientTokens
        : answer.status >= 500 || answer.status == 408 ? .upstreamError : .requestRejected
    let failure = UpstreamFailure(
      reason, status: answer.status, detail: credential.masking(error.detail), charge: .known(0))
    var charges = Dictionary(meteredByTokens(call).map { ($0, MeterCharge.told(0)) }) { $1 }
    if answer.status == 429, let model = modelName(call).flatMap(models.model) {
      // What is over the limit was not counted.
      charges[requests(model)] = .told(0)
      charges[dailyRequests(model)] = .told(0)
    }
    var exchange = Exchange(.failure(failure), charges: charges, duration: .zero)
    if answer.status == 429 { exchange.closures = closures(error, call) }
    return exchange
  }

  /// Until when a 429 closes which meters. What is used up for the day stays so until the next one, whatever delay is named;
  /// where no limit is named, money or the provider's own capacity is short: then the model's calls wait.
  private func closures(_ error: GeminiError, _ call: PlannedCall) -> [MeterKey: Timestamp] {
    let now = now()
    let soon = now.advanced(byMilliseconds: max(1_000, error.retryDelay ?? Self.minute))
    guard let model = modelName(call).flatMap(models.model) else { return [:] }
    var closures: [MeterKey: Timestamp] = [:]
    for violation in error.violations {
      if violation.isPerDay {
        let next = dailyRule(model).window(at: now).ends ?? soon
        closures[dailyRequests(model)] = max(next, soon)
      } else {
        closures[violation.isOfTokens ? input(model) : requests(model)] = soon
      }
    }
    return closures.isEmpty ? [requests(model): soon] : closures
  }
}
