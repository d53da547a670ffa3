import LMDB
import Synchronization
package import TollbookEvents
package import TollbookLog
package import TollbookUpstreams
package import TollbookViews

/// What happens to one request: answered from the cache, waited for, or bought; and everything it costs on the record.
///
/// A paid call runs in a task of its own, so that a client who hangs up does not stop it.
package final class Gateway: Sendable {
  package let log: EventLog
  package let settings: GatewaySettings
  package let tallies = ReadTallies()
  package let statistics = GatewayStatistics()
  let storage = StorageWatch()
  /// Whether the log holds simulated data. One of real data takes nothing from a simulator.
  package var isSimulated: Bool { log.directory.mode == .simulated }
  /// Nil if no key is configured.
  let purchaser: Purchaser?
  private let cache: CacheView
  private let ledger: LedgerView

  /// - Parameters:
  ///   - keepa: nil if no key is configured: then only the cache answers.
  ///   - random: numbers from 0 up to, not including, 1, for the jitter of retries.
  package init(
    log: EventLog, keepa: (api: any KeepaAPI, credential: String)?, settings: GatewaySettings,
    random: @escaping @Sendable () -> Double
  ) {
    self.log = log
    self.settings = settings
    cache = CacheView(log)
    ledger = LedgerView(log)
    guard let keepa else {
      purchaser = nil
      return
    }
    purchaser = Purchaser(
      log: log,
      KeepaUpstream(
        keepa.api, credential: keepa.credential, overdraft: settings.overdraft,
        freshness: settings.products),
      settings: settings, statistics: statistics, random: random)
  }

  /// The meter of Keepa's key; of no key if none is configured.
  package var keepaMeter: MeterKey {
    purchaser?.upstream.meters.first?.key
      ?? MeterKey(owner: "keepa", unit: KeepaUpstream.unit)
  }

  /// Answers from the cache what is fresh enough, buys the rest, and falls back to what is stale.
  package func products(_ request: ProductsRequest) async -> ProductsAnswer {
    let asins = Self.unique(request.asins)
    let start = log.time.now()
    let found: [KeepaASIN: CacheEntry]
    do throws(LogError) { found = try lookUp(asins, request) } catch {
      return unread(asins, PurchaseProblem(error))
    }
    var outcomes: [KeepaASIN: ProductOutcome] = [:]
    var missing: [KeepaASIN] = []
    var inGrace: [KeepaASIN] = []
    for asin in asins {
      let usability = found[asin].map {
        Usability(of: $0, at: start, maximumAge: request.maximumAge)
      }
      switch usability {
      case .fresh?, .grace?:
        outcomes[asin] = ProductOutcome(
          asin: asin, source: .cache, entry: found[asin], tokens: 0, isJoined: false, problem: nil)
        if usability == .grace { inGrace.append(asin) }
      default: missing.append(asin)
      }
    }
    var purchases: [KeepaASIN: Purchase] = [:]
    for (asin, purchase) in zip(missing, await buy(missing, for: request)) {
      outcomes[asin] = outcome(of: purchase, asin, known: found[asin], request)
      purchases[asin] = purchase
    }
    refresh(inGrace, for: request, asked: start, spent: purchases.values)
    let answers = asins.compactMap { outcomes[$0] }
    tally(answers, purchases, request, asked: start)
    return ProductsAnswer(
      outcomes: answers, meter: meter(), position: log.head, now: log.time.now())
  }

  /// The stored body of a product. Counts as a read, and never buys.
  package func product(
    _ asin: KeepaASIN, in domain: KeepaDomain, covering wanted: ContentSet = .plain
  ) throws(LogError) -> StoredProduct {
    let key = KeepaUpstream.resource(asin, domain)
    let cache = cache
    let reader = log.reader
    let found: StoredProduct = try log.read { (transaction) throws(LogError) in
      let entry: CacheEntry?
      do throws(LMDBError) {
        entry = try cache.entry(key, covering: wanted.rawValue, in: transaction)
      } catch { throw .storage(error) }
      guard let entry, entry.isPresent else { return .notCached }
      guard let body = try reader.body(digest: entry.digest, in: transaction) else {
        return .withoutBody(entry)
      }
      return .stored(entry, body, position: try reader.head(in: transaction))
    }
    let now = log.time.now()
    let demand = ReadTallies.Demand(
      key, wanted: wanted.rawValue, account: settings.account, operation: KeepaUpstream.product,
      isPeek: true)
    guard case .stored(let entry, _, _) = found else {
      tallies.record(.unmet, demand, at: now)
      return found
    }
    let isFresh = Usability(of: entry, at: now, maximumAge: nil) == .fresh
    tallies.record(isFresh ? .fresh : .stale, demand, entry, at: now)
    return found
  }

  /// What the cache has of a product.
  package enum StoredProduct: Sendable {
    case notCached
    /// The entry is there, and what it was restored from had no bodies.
    case withoutBody(CacheEntry)
    case stored(CacheEntry, Body, position: Position)
  }

  /// How the upstream stands.
  package var status: UpstreamStatus {
    purchaser?.status
      ?? UpstreamStatus(
        isConfigured: false, state: .notConfigured,
        detail: "no key for Keepa is set (KEEPA_API_KEY)", credential: nil)
  }

  /// Closes a doubt by hand.
  package func resolve(
    fetch: Position, attempt: UInt32, unit: String? = nil, settled: Int64, note: String,
    actor: String = ""
  ) async throws -> ChargeResolved {
    try await ResolveCommand(
      fetch: fetch, attempt: attempt, unit: unit, settled: settled, note: note, actor: actor
    ).run(on: log)
  }

  private static func unique(_ asins: [KeepaASIN]) -> [KeepaASIN] {
    var seen: Set<KeepaASIN> = []
    return asins.filter { seen.insert($0).inserted }
  }

  private func lookUp(
    _ asins: [KeepaASIN], _ request: ProductsRequest
  ) throws(LogError) -> [KeepaASIN: CacheEntry] {
    guard settings.isCacheOn else { return [:] }
    return try entries(asins, request)
  }

  /// The answer when the cache cannot be read: what may be in it is not bought.
  private func unread(_ asins: [KeepaASIN], _ problem: PurchaseProblem) -> ProductsAnswer {
    ProductsAnswer(
      outcomes: asins.map {
        ProductOutcome(
          asin: $0, source: .none, entry: nil, tokens: 0, isJoined: false, problem: problem)
      }, meter: meter(), position: log.head, now: log.time.now())
  }

  private func entries(
    _ asins: [KeepaASIN], _ request: ProductsRequest
  ) throws(LogError) -> [KeepaASIN: CacheEntry] {
    let cache = cache
    let wanted = request.contentSet.rawValue
    return try log.read { (transaction) throws(LogError) in
      var found: [KeepaASIN: CacheEntry] = [:]
      do throws(LMDBError) {
        for asin in asins {
          let key = KeepaUpstream.resource(asin, request.domain)
          found[asin] = try cache.entry(key, covering: wanted, in: transaction)
        }
      } catch { throw .storage(error) }
      return found
    }
  }

  private func buy(_ asins: [KeepaASIN], for request: ProductsRequest) async -> [Purchase] {
    guard let purchaser else {
      let problem = PurchaseProblem(.notConfigured, status.detail)
      return asins.map { _ in Purchase(end: .failed(problem)) }
    }
    return await purchaser.buy(PurchaseOrder(asins, request, settings))
  }

  /// Fetches again what is in grace, after the answer and within what the request left of its limit. What somebody else
  /// has fetched by then is fresh, and not fetched once more.
  private func refresh(
    _ asins: [KeepaASIN], for request: ProductsRequest, asked: Timestamp,
    spent: some Collection<Purchase>
  ) {
    guard !asins.isEmpty, let purchaser else { return }
    var behind = Self.behind(request, asked: asked)
    behind.maximumTokens = request.maximumTokens.map { limit in
      spent.reduce(limit) { $0 - $1.spent }
    }
    purchaser.buyBehind(PurchaseOrder(asins, behind, settings))
  }

  /// The request that a refresh makes: nobody waits for it, and any fresh entry will do.
  static func behind(_ request: ProductsRequest, asked: Timestamp) -> ProductsRequest {
    var behind = request
    behind.behind = .init(asked: asked, maximumAge: request.maximumAge)
    behind.wait = 0
    behind.maximumAge = nil
    return behind
  }

  private func outcome(
    of purchase: Purchase, _ asin: KeepaASIN, known: CacheEntry?, _ request: ProductsRequest
  ) -> ProductOutcome {
    var outcome: ProductOutcome
    do throws(LogError) {
      outcome = try readOutcome(of: purchase, asin, known: known, request)
    } catch {
      // It was bought, and its share of the cost is told all the same.
      outcome = ProductOutcome(
        asin: asin, source: .none, entry: nil, tokens: purchase.cost,
        isJoined: purchase.isJoined, problem: PurchaseProblem(error))
    }
    if !purchase.isJoined {
      outcome.lost = purchase.lost.charged
      outcome.inDoubt = purchase.lost.inDoubt
    }
    return outcome
  }

  private func readOutcome(
    of purchase: Purchase, _ asin: KeepaASIN, known: CacheEntry?, _ request: ProductsRequest
  ) throws(LogError) -> ProductOutcome {
    switch purchase.end {
    case .written(_, let position):
      // An older one that has all parts is not what was bought.
      if let entry = try entries([asin], request)[asin], entry.written >= position {
        return ProductOutcome(
          asin: asin, source: .keepa, entry: entry, tokens: purchase.cost,
          isJoined: purchase.isJoined, problem: nil)
      }
      // Less came than was asked for, or it is gone already.
      var plain = request
      plain.contentSet = .plain
      var entry = try entries([asin], plain)[asin]
      if let found = entry, found.written < position { entry = nil }
      return ProductOutcome(
        asin: asin, source: entry == nil ? .none : .keepa, entry: entry, tokens: purchase.cost,
        isJoined: purchase.isJoined, problem: entry == nil ? .purged : .incomplete)
    case .found:
      guard let entry = try entries([asin], request)[asin] else {
        return ProductOutcome(
          asin: asin, source: .none, entry: nil, tokens: 0, isJoined: false, problem: .purged)
      }
      return ProductOutcome(
        asin: asin, source: .cache, entry: entry, tokens: 0, isJoined: false, problem: nil)
    case .handedOn, .passedThrough:
      return ProductOutcome(
        asin: asin, source: .none, entry: nil, tokens: purchase.cost,
        isJoined: purchase.isJoined, problem: .purged)
    case .failed(let problem), .refused(let problem):
      let isUsable = known.map {
        Usability(of: $0, at: log.time.now(), maximumAge: nil) != .none
      }
      guard isUsable == true else {
        return ProductOutcome(
          asin: asin, source: .none, entry: nil, tokens: 0, isJoined: purchase.isJoined,
          problem: problem)
      }
      return ProductOutcome(
        asin: asin, source: .stale, entry: known, tokens: 0, isJoined: purchase.isJoined,
        problem: problem)
    }
  }

  /// Counts what the log does not tell otherwise: with the events of the purchases, every product that was asked for is
  /// on the record, and what became of it.
  ///
  /// What needed no purchase is counted at the instant that decided about it.
  private func tally(
    _ outcomes: [ProductOutcome], _ purchases: [KeepaASIN: Purchase], _ request: ProductsRequest,
    asked: Timestamp
  ) {
    let now = log.time.now()
    for outcome in outcomes {
      let purchase = purchases[outcome.asin]
      let isBooked = purchase?.isBooked ?? false
      let demand = ReadTallies.Demand(
        KeepaUpstream.resource(outcome.asin, request.domain),
        wanted: request.contentSet.rawValue, account: request.account,
        operation: KeepaUpstream.product, maximumAge: request.maximumAge)
      switch (outcome.source, outcome.entry) {
      case (.cache, let entry?):
        tallies.record(.fresh, demand, entry, at: purchase == nil ? asked : now)
      case (.stale, let entry?):
        tallies.record(
          isBooked ? .staleAndBooked : .stale, demand, entry, at: isBooked ? now : asked)
      case (.keepa, let entry?) where outcome.isJoined:
        tallies.record(.joined, demand, entry, at: now)
      case (.none, _) where !isBooked: tallies.record(.unmet, demand, at: asked)
      default: break
      }
    }
  }

  private func meter() -> Meter {
    let key = keepaMeter
    return (try? log.readPages([key], ledger))?[key] ?? Meter()
  }
}

// MARK: The service's life

extension Gateway {
  /// Books the start: what the last run left under way is in doubt from here on.
  package func start(version: String) async throws(LogError) {
    let command = StartCommand(
      version: version, isSimulated: isSimulated,
      upstreams: [purchaser?.upstream].compactMap(\.self), restored: try unnotedRestore(),
      now: log.time.now())
    let ledger = ledger
    _ = try await log.decide { (state, context) throws(LMDBError) in
      try command.decide(ledger, state, context)
    }
  }

  /// How the log was restored, if no start since has noted it.
  private func unnotedRestore() throws(LogError) -> LogOrigin? {
    let log = log
    return try log.read { (transaction) throws(LogError) in
      guard let origin = try log.reader.origin(in: transaction) else { return nil }
      do throws(LMDBError) {
        let noted = try log.index.positions(
          of: .logRestored, after: origin.position, limit: 1, in: transaction)
        return noted.isEmpty ? origin : nil
      } catch { throw .storage(error) }
    }
  }

  /// Between two looks whose time is over, in milliseconds.
  private static let tickInterval: Int64 = 1_000

  /// Does the housekeeping until the task is cancelled: deadlines, tallies, expiry, the balance, space, readers that
  /// died.
  ///
  /// - Parameter tell: gets what whoever runs the service should know.
  package func runHousekeeping(tell: @escaping @Sendable (HouseNote) -> Void = { _ in }) async {
    await withTaskGroup { group in
      group.addTask { [self] in
        while !Task.isCancelled {
          purchaser?.tick()
          guard (try? await log.time.sleep(Self.tickInterval)) != nil else { return }
        }
      }
      group.addTask { [self] in
        while !Task.isCancelled {
          guard (try? await log.time.sleep(settings.tallyInterval)) != nil else { return }
          await writeTallies()
          watchStorage(tell)
        }
      }
      group.addTask { [self] in
        while !Task.isCancelled {
          guard (try? await log.time.sleep(settings.readerInterval)) != nil else { return }
          releaseDeadReaders(tell)
        }
      }
      group.addTask { [self] in
        while !Task.isCancelled {
          await sweep()
          await pruneBodies()
          guard (try? await log.time.sleep(settings.sweepInterval)) != nil else { return }
        }
      }
      group.addTask { [self] in
        while !Task.isCancelled {
          await purchaser?.watchMeters()
          guard (try? await log.time.sleep(settings.balanceInterval / 4)) != nil else { return }
        }
      }
    }
  }

  /// Waits for calls under way and writes down what was counted. Requests that come after this are not bought.
  package func stop() async {
    await purchaser?.stop()
    await writeTallies()
  }

  /// Writes down the reads and the refusals that were counted in memory.
  package func writeTallies() async {
    let reads = tallies.drain()
    let refusals = purchaser?.refusals.drain() ?? []
    let events = reads + refusals
    guard !events.isEmpty else { return }
    do throws(LogError) {
      _ = try await log.decide { (_, _) throws(LMDBError) in
        Decision(events: events, answer: ())
      }
    } catch {
      tallies.restore(reads)
      purchaser?.refusals.restore(refusals)
    }
  }

  /// Marks and removes what is due.
  package func sweep() async {
    let cache = cache
    while true {
      let command = SweepCommand(now: log.time.now())
      let isDue = try? log.read { (transaction) throws(LogError) in
        do throws(LMDBError) {
          return try !cache.dueEntries(at: command.now, limit: 1, in: transaction).isEmpty
        } catch { throw .storage(error) }
      }
      guard isDue == true else { return }
      let swept = try? await log.decide { (state, _) throws(LMDBError) in
        try command.decide(cache, state)
      }
      guard let swept, swept.answer == SweepCommand.batch else { return }
    }
  }
}
