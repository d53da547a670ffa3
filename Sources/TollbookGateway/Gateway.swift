import Algorithms
package import Crypto
import Synchronization
package import TollbookEvents
package import TollbookLog
package import TollbookUpstreams
package import TollbookViews

/// What happens to one demand: answered from the cache, waited for, or bought; and everything it costs on the record.
///
/// 1. What is fresh enough is answered from the cache, and is not bought.
/// 2. What cannot be read is not bought: nobody knows whether it is there.
/// 3. What is bought is kept before it is answered.
/// 4. Every read is counted once: by the events of its purchase, or by a tally.
///
/// A paid call runs in a task of its own, so that a client who hangs up does not stop it.
package final class Gateway: Sendable {
  package let log: EventLog
  package let settings: GatewaySettings
  package let tallies = ReadTallies()
  package let statistics: GatewayStatistics
  package let aheadReads = AheadReads()
  /// All that goes on behind what is asked.
  package let jobs: JobRunner
  /// What open jobs of the log are still expected to cost, as far as that was looked up in this process.
  let expectations = Mutex<[Position: JobExpectation]>([:])
  let storage = StorageWatch()
  /// What is known about the room that bodies take.
  let bound = CacheBound()
  /// Whether the log holds simulated data. One of real data takes nothing from a simulator.
  package var isSimulated: Bool { log.directory.mode == .simulated }
  private let registered: [RegisteredUpstream]
  /// Of each upstream that is configured.
  let purchasers: [Purchaser]
  /// Those that refresh what is read often within what a meter allows, by the kinds that they bring.
  private let hotPurchasers: [String: Purchaser]
  let cache: CacheView
  let ledger: LedgerView
  package let alerts: AlertsView
  /// Which of the addresses that users give may be connected to.
  let addresses: AddressGuard
  /// Tells webhooks.
  let send: MessageSender.Send
  package let webhookKeys: WebhookKeys
  /// The secrets of credentials that were put in.
  let keyFile: KeyFile
  let alertState = Mutex(AlertWatch.State())

  /// - Parameters:
  ///   - upstreams: of one that is not configured only the cache answers.
  ///   - random: numbers from 0 up to, not including, 1, for the jitter of retries.
  ///   - lookUp: what names of hosts stand for; nil: what the system says.
  ///   - send: tells webhooks; nil: by HTTP.
  ///   - master: what seals the secrets of credentials; nil: none can be put in.
  package init(
    log: EventLog, upstreams: [RegisteredUpstream], settings: GatewaySettings,
    random: @escaping @Sendable () -> Double, lookUp: AddressGuard.LookUp? = nil,
    send: MessageSender.Send? = nil, master: SymmetricKey? = nil
  ) {
    self.log = log
    let keyFile = KeyFile(folder: log.directory.path, master: master)
    self.keyFile = keyFile
    alerts = AlertsView(log)
    addresses = AddressGuard(
      allowing: settings.webhookHosts, lookUp: lookUp ?? AddressGuard.system)
    let sender = MessageSender(addresses)
    self.send = send ?? { await sender.send($0) }
    webhookKeys = WebhookKeys(folder: log.directory.path)
    self.settings = settings
    jobs = JobRunner(time: log.time)
    cache = CacheView(log)
    ledger = LedgerView(log)
    registered = upstreams
    let statistics = GatewayStatistics(upstreams.map(\.name))
    self.statistics = statistics
    purchasers = upstreams.compactMap(\.upstream).map {
      Purchaser(
        log: log, $0, settings: settings, statistics: statistics, keys: DataKeys(keyFile),
        random: random)
    }
    hotPurchasers = Dictionary(
      purchasers.filter(\.isHot).flatMap { purchaser in
        purchaser.upstream.kinds.map { ($0.name, purchaser) }
      }
    ) { first, _ in first }
  }

  /// Whether what is read often is refreshed within what a meter allows.
  var refreshesHot: Bool { !hotPurchasers.isEmpty }

  /// What buys an operation: that of the upstream whose name the operation begins with.
  func purchaser(of operation: String) -> Purchaser? {
    purchasers.first { operation.hasPrefix($0.upstream.name + ".") && $0.isConfigured }
  }

  /// The kinds whose entries may come from elsewhere, of upstreams that are configured or not, and what the engine keeps.
  var importedKinds: [ResourceKind] { registered.flatMap(\.kinds) + [JobClearing.kind] }

  /// In what is paid, at upstreams that are configured or not.
  var registeredUnits: [String] { registered.flatMap(\.units) }

  /// What systems keep of accounts in files beside the log.
  var accountFiles: [AccountFiles] { registered.compactMap(\.files) }

  /// The kinds of jobs that outlive the process.
  var jobKinds: [PurchaseJobKind] { registered.flatMap(\.jobKinds) }

  /// How the upstreams stand, in the order in which they were registered.
  package var statuses: [UpstreamStatus] {
    registered.map { registered in
      purchasers.first { $0.upstream.name == registered.name && $0.isConfigured }?.status
        ?? UpstreamStatus(
          registered.name, isConfigured: false, state: .notConfigured,
          detail: registered.absence)
    }
  }

  package func status(of name: String) -> UpstreamStatus? {
    statuses.first { $0.name == name }
  }

  /// Whether an upstream that is configured has a meter: what is in doubt on another one no reading will ever settle.
  package func isRead(_ meter: MeterKey) -> Bool {
    purchasers.contains { purchaser in
      purchaser.members.upstreams.contains { upstream in
        upstream.meters.contains { $0.key == meter.inWindow("") }
      }
    }
  }

  /// A page of the books as it stands; that of a meter that nothing is known of is empty.
  package func page(_ key: MeterKey) -> Meter {
    (try? log.readPages([key], ledger))?[key] ?? Meter()
  }

  /// Asks an upstream how its meters stand, unless that was done a short while ago.
  package func readMeters(of name: String) async {
    guard let purchaser = purchasers.first(where: { $0.upstream.name == name }) else { return }
    for upstream in purchaser.members.upstreams {
      _ = await purchaser.watch(of: upstream).refresh(evenIfRead: false)
    }
  }

  /// The longest time that a call may be out, in milliseconds: so long may an orderly end wait for one.
  package var longestCall: Int64 {
    purchasers.compactMap(\.upstream.callLimit).max().map {
      max($0, settings.retries.attemptTimeout)
    } ?? settings.retries.attemptTimeout
  }

  // MARK: Demands

  /// Answers from the cache what is fresh enough, buys the rest, and falls back to what is stale.
  package func answer(_ demand: ResourceDemand) async -> DemandAnswer {
    let resources = Array(demand.resources.uniqued())
    let start = log.time.now()
    let found: [ResourceKey: CacheEntry]
    do throws(LogError) {
      let possible = resources.filter(\.isPossible)
      found = settings.isCacheOn ? try entries(possible, demand.parts) : [:]
    } catch { return unread(resources, PurchaseProblem(error)) }
    var outcomes: [ResourceKey: ResourceOutcome] = [:]
    var missing: [ResourceKey] = []
    var inGrace: [ResourceKey] = []
    for resource in resources {
      // Before anything is reserved: what cannot be a key could not be kept.
      guard resource.isPossible else {
        outcomes[resource] = ResourceOutcome(resource, .none)
        outcomes[resource]?.problem = PurchaseProblem(.requestRejected, resource.fault)
        continue
      }
      if let problem = demand.principal.problem(with: resource) {
        outcomes[resource] = ResourceOutcome(resource, .none)
        outcomes[resource]?.problem = problem
        continue
      }
      let request = demand.principal.request
      let usability = found[resource].map { entry in
        request?.brought(entry) == true ? .fresh : Usability(of: entry, at: start, demand.age)
      }
      switch usability {
      case .grace? where demand.behind != nil: missing.append(resource)
      case .fresh?, .grace?:
        outcomes[resource] = ResourceOutcome(resource, .cache, found[resource])
        // Who never buys has nothing bought behind the answer either.
        if usability == .grace, demand.age != .neverBuy { inGrace.append(resource) }
      case _ where demand.age == .neverBuy:
        let entry = found[resource]
        outcomes[resource] = ResourceOutcome(resource, entry == nil ? .none : .stale, entry)
      default:
        if let problem = request?.problem(buying: resource, by: demand.operation) {
          outcomes[resource] = ResourceOutcome(resource, .none)
          outcomes[resource]?.problem = problem
        } else {
          missing.append(resource)
        }
      }
    }
    var purchases: [ResourceKey: Purchase] = [:]
    for (resource, purchase) in zip(missing, await buy(missing, for: demand)) {
      outcomes[resource] = outcome(of: purchase, resource, known: found[resource], demand)
      purchases[resource] = purchase
    }
    refresh(inGrace, for: demand, asked: start, spent: purchases.values)
    let answers = resources.compactMap { outcomes[$0] }
    // What nobody reads is no read.
    if demand.behind == nil { tally(answers, purchases, demand, asked: start) }
    return DemandAnswer(outcomes: answers, position: log.head, now: log.time.now())
  }

  /// Sends a call on as it is, and answers what came. Nothing of it is kept but what it cost.
  package func pass(
    _ operation: String, _ request: PassedRequest, for demand: ResourceDemand
  ) async -> PassedAnswer {
    guard let purchaser = purchaser(of: operation) else {
      return PassedAnswer(result: .failure(notConfigured(operation)))
    }
    guard demand.principal.kinds.isEmpty else {
      return PassedAnswer(
        result: .failure(
          PurchaseProblem(
            .notAllowed,
            "the access key is for some kinds of resources alone, and \(operation) may bring any")))
    }
    if let problem = demand.principal.request?.problem(buying: nil, by: operation) {
      return PassedAnswer(result: .failure(problem))
    }
    var order = PurchaseOrder([], demand, settings)
    order.needs = [Need(operation, nil, parts: demand.parts, request: request)]
    guard let purchase = await purchaser.buy(order).first else {
      return PassedAnswer(result: .failure(.undecided))
    }
    return PassedAnswer(purchase)
  }

  /// What is stored of a resource. Counts as a read, and never buys.
  package func stored(
    _ resource: ResourceKey, parts: UInt64 = 0, operation: String, by principal: Principal
  ) throws(LogError) -> StoredResource {
    guard principal.problem(with: resource) == nil else { return .notCached }
    let cache = cache
    let reader = log.reader
    let found: StoredResource = try log.read { (transaction) throws(LogError) in
      guard let entry = try cache.entry(resource, covering: parts, in: transaction),
        entry.isPresent
      else { return .notCached }
      guard let body = try reader.body(digest: entry.digest, in: transaction) else {
        return .withoutBody(entry)
      }
      return .stored(entry, body, position: try reader.head(in: transaction))
    }
    let now = log.time.now()
    let demand = ReadTallies.Demand(
      resource, wanted: parts, account: principal.account, tags: principal.tags,
      operation: operation, isPeek: true)
    guard case .stored(let entry, _, _) = found else {
      tallies.record(.unmet, demand, at: now)
      return found
    }
    let isFresh = Usability(of: entry, at: now, .windows) == .fresh
    tallies.record(isFresh ? .fresh : .stale, demand, entry, at: now)
    if isFresh { noteUse(of: entry) }
    return found
  }

  /// An entry has answered, while it was fresh.
  private func noteUse(of entry: CacheEntry) {
    if settings.refreshesAhead || refreshesHot { aheadReads.read(entry.written) }
  }

  /// The same, and it would have been bought otherwise.
  private func note(_ entry: CacheEntry, at now: Timestamp) {
    noteUse(of: entry)
    guard refreshesHot, let purchaser = hotPurchasers[entry.resource.kind] else { return }
    purchaser.hot.withLock { $0.read(entry, at: now) }
  }

  /// The body of an entry that an answer brought. Counts nothing: the answer was counted.
  ///
  /// - Returns: nil if it has none, or it is not kept any more.
  package func body(of entry: CacheEntry) throws(LogError) -> Body? {
    guard entry.isPresent else { return nil }
    let reader = log.reader
    let body = try log.read { (transaction) throws(LogError) in
      try reader.body(digest: entry.digest, in: transaction)
    }
    // It may have gone to make room since the entry was found.
    return body ?? bound.evicted[entry.digest]
  }

  /// The content of an entry that an answer brought, also of one that is sealed. Counts nothing.
  ///
  /// - Returns: nil if it has none, it is not kept any more, or the key that it was sealed with is gone.
  package func content(of entry: CacheEntry) throws(LogError) -> [UInt8]? {
    guard let body = try body(of: entry), let content = try? body.content() else { return nil }
    let kind = importedKinds.first { $0.name == entry.resource.kind }
    return kind?.isSealed == true ? dataKeys.open(content, as: entry.resource) : content
  }

  /// What belongs to one account alone is sealed with these.
  package var dataKeys: DataKeys { DataKeys(keyFile) }

  /// Closes a doubt by hand.
  package func resolve(
    fetch: Position, attempt: UInt32, unit: String? = nil, settled: Int64, note: String,
    actor: String = ""
  ) async throws -> ChargeResolved {
    try await ResolveCommand(
      fetch: fetch, attempt: attempt, unit: unit, settled: settled, note: note, actor: actor
    ).run(on: log)
  }

  /// The answer when the cache cannot be read: what may be in it is not bought.
  private func unread(_ resources: [ResourceKey], _ problem: PurchaseProblem) -> DemandAnswer {
    let outcomes = resources.map { resource in
      var outcome = ResourceOutcome(resource, .none)
      outcome.problem = problem
      return outcome
    }
    return DemandAnswer(outcomes: outcomes, position: log.head, now: log.time.now())
  }

  func entries(
    _ resources: [ResourceKey], _ parts: UInt64
  ) throws(LogError) -> [ResourceKey: CacheEntry] {
    let cache = cache
    return try log.read { (transaction) throws(LogError) in
      var found: [ResourceKey: CacheEntry] = [:]
      for resource in resources {
        found[resource] = try cache.entry(resource, covering: parts, in: transaction)
      }
      return found
    }
  }

  func notConfigured(_ operation: String) -> PurchaseProblem {
    let absence = registered.first { operation.hasPrefix($0.name + ".") }?.absence
    return PurchaseProblem(.notConfigured, absence ?? "nothing sells \(operation)")
  }

  private func buy(
    _ resources: [ResourceKey], for demand: ResourceDemand
  ) async -> [Purchase] {
    guard !resources.isEmpty else { return [] }
    guard let purchaser = purchaser(of: demand.operation) else {
      let problem = notConfigured(demand.operation)
      return resources.map { _ in Purchase(end: .failed(problem)) }
    }
    return await purchaser.buy(PurchaseOrder(resources, demand, settings))
  }

  /// Fetches again what is in grace, after the answer and within what the demand left of its limit. What somebody else
  /// has fetched by then is fresh, and not fetched once more. With too many under way it is left to who asks next.
  private func refresh(
    _ resources: [ResourceKey], for demand: ResourceDemand, asked: Timestamp,
    spent: some Collection<Purchase>
  ) {
    guard !resources.isEmpty, let purchaser = purchaser(of: demand.operation) else { return }
    let limit = demand.limit.map { limit in spent.reduce(limit) { $0 - $1.spent } }
    let behind = demand.refreshing(resources, asked: asked, limit: limit)
    purchaser.buyBehind(PurchaseOrder(resources, behind, settings), as: jobs)
  }

  private func outcome(
    of purchase: Purchase, _ resource: ResourceKey, known: CacheEntry?, _ demand: ResourceDemand
  ) -> ResourceOutcome {
    var outcome: ResourceOutcome
    do throws(LogError) {
      outcome = try readOutcome(of: purchase, resource, known: known, demand)
    } catch {
      // It was bought, and its share of the cost is told all the same.
      outcome = ResourceOutcome(resource, .none)
      outcome.problem = PurchaseProblem(error)
    }
    outcome.cost = purchase.cost
    outcome.isJoined = purchase.isJoined
    if !purchase.isJoined {
      outcome.lost = purchase.lost.charged
      outcome.inDoubt = purchase.lost.inDoubt
    }
    return outcome
  }

  private func readOutcome(
    of purchase: Purchase, _ resource: ResourceKey, known: CacheEntry?, _ demand: ResourceDemand
  ) throws(LogError) -> ResourceOutcome {
    var outcome = ResourceOutcome(resource, .none)
    switch purchase.end {
    case .written(_, let position):
      // An older one that has all parts is not what was bought.
      if let entry = try entries([resource], demand.parts)[resource], entry.written >= position {
        return ResourceOutcome(resource, .upstream, entry)
      }
      // Less came than was asked for, or it is gone already.
      if let entry = try entries([resource], 0)[resource], entry.written >= position {
        outcome = ResourceOutcome(resource, .upstream, entry)
        outcome.problem = .incomplete
      } else {
        outcome.problem = .purged
      }
    case .found:
      if let entry = try entries([resource], demand.parts)[resource] {
        return ResourceOutcome(resource, .cache, entry)
      }
      outcome.problem = .purged
    case .handedOn(_, let write):
      outcome = ResourceOutcome(resource, .upstream)
      outcome.handedOn = write
    case .passedThrough: outcome.problem = .undecided
    case .failed(let problem), .refused(let problem):
      let isUsable = known.map {
        Usability(of: $0, at: log.time.now(), .windows) != .none
      }
      if isUsable == true { outcome = ResourceOutcome(resource, .stale, known) }
      outcome.problem = problem
    }
    return outcome
  }

  /// Counts what the log does not tell otherwise: with the events of the purchases, every resource that was asked for is
  /// on the record, and what became of it.
  ///
  /// What needed no purchase is counted at the instant that decided about it.
  private func tally(
    _ outcomes: [ResourceOutcome], _ purchases: [ResourceKey: Purchase], _ demand: ResourceDemand,
    asked: Timestamp
  ) {
    let now = log.time.now()
    for outcome in outcomes
    where outcome.resource.isPossible && outcome.problem?.reason != .notAllowed {
      let purchase = purchases[outcome.resource]
      let isBooked = purchase?.isBooked ?? false
      let read = ReadTallies.Demand(
        outcome.resource, wanted: demand.parts, account: demand.account, tags: demand.tags,
        operation: demand.operation, age: demand.age)
      switch (outcome.source, outcome.entry) {
      case (.cache, let entry?):
        let instant = purchase == nil ? asked : now
        note(entry, at: instant)
        tallies.record(.fresh, read, entry, at: instant)
      case (.stale, let entry?):
        tallies.record(
          isBooked ? .staleAndBooked : .stale, read, entry, at: isBooked ? now : asked)
      case (.upstream, let entry?) where outcome.isJoined:
        note(entry, at: now)
        tallies.record(.joined, read, entry, at: now)
      case (.none, _) where !isBooked: tallies.record(.unmet, read, at: asked)
      default: break
      }
    }
  }
}
