import Foundation
package import TollbookEvents
package import TollbookLog

package import TollbookViews

/// What somebody wants of an upstream.
package struct ResourceDemand: Sendable {
  /// What buys it.
  package var operation: String
  /// In the order in which they are to be bought if not all can be; duplicates are answered once.
  package var resources: [ResourceKey]
  /// The parts that must be in the answer.
  package var parts: UInt64
  /// How old the answer may be.
  package var age: AgeLimit
  /// How long to go on buying as refills arrive, in milliseconds.
  package var wait: Int64
  /// The most that it may cost on the first meter of its calls; nil for no limit of its own.
  package var limit: Int64?
  /// Whether all that is missing is bought, or nothing of it.
  package var isWhole = false
  /// How long its answer may take, in milliseconds, beside what it wants to wait; nil: what the settings say.
  package var deadline: Int64?
  /// Whether it leaves alone what is kept for those who wait for an answer.
  package var isBackground = false
  /// What is sent for it, if its name alone does not tell. Only of a demand for one resource.
  package var request: PassedRequest?
  /// Who asks, and pays.
  package var principal: Principal
  /// Set if nobody waits for the answer.
  var behind: Behind?

  /// Why something is bought though nobody waits for it.
  enum Behind: Sendable, Hashable {
    /// A reader was answered from an entry in grace.
    ///
    /// - Parameters:
    ///   - asked: when the reader was answered.
    ///   - age: how old it might have been for the reader.
    case grace(asked: Timestamp, age: AgeLimit)
    /// It is on a list of what is to be fresh.
    case warm
  }

  package init(
    _ operation: String, _ resources: [ResourceKey], parts: UInt64 = 0, age: AgeLimit = .windows,
    wait: Int64 = 0, limit: Int64? = nil, account: String = "default", tags: [String] = []
  ) {
    self.operation = operation
    self.resources = resources
    self.parts = parts
    self.age = age
    self.wait = wait
    self.limit = limit
    principal = Principal(account: account, tags: tags)
  }

  package var account: String {
    get { principal.account }
    set { principal.account = newValue }
  }
  package var tags: [String] {
    get { principal.tags }
    set { principal.tags = newValue }
  }

  /// The same for nobody who reads it: what is fresh stays, what is not is bought, entries in grace too.
  package var warming: ResourceDemand {
    var demand = self
    demand.behind = .warm
    return demand
  }

  /// The demand that a refresh makes: nobody waits for it, and any fresh entry will do.
  func refreshing(_ resources: [ResourceKey], asked: Timestamp, limit: Int64?) -> ResourceDemand {
    var demand = self
    demand.resources = resources
    demand.behind = .grace(asked: asked, age: age)
    demand.wait = 0
    demand.age = .windows
    demand.isWhole = false
    demand.limit = limit
    return demand
  }
}

/// What became of one resource of a demand.
package struct ResourceOutcome: Sendable {
  /// Where the answer comes from.
  package enum Source: Hashable, Sendable {
    /// Bought for this demand, or by one that was already at it.
    case upstream
    case cache
    /// From the cache, past its time, because nothing better could be had.
    case stale
    case none
  }

  package let resource: ResourceKey
  package var source: Source
  /// The entry that answers; for what the upstream does not have, an entry that is not present.
  package var entry: CacheEntry?
  /// What answers, if it is not kept.
  package var handedOn: Write?
  /// This demand's share of what the call that brought it has cost; 0 for who joined.
  package var cost: Int64 = 0
  /// Its share of attempts that brought nothing; 0 for who joined.
  package var lost: Int64 = 0
  /// What may have been spent on attempts that brought nothing.
  package var inDoubt: Int64 = 0
  /// Whether another demand was already buying it.
  package var isJoined = false
  /// Why there is no answer, or only a stale one.
  package var problem: PurchaseProblem?

  init(_ resource: ResourceKey, _ source: Source, _ entry: CacheEntry? = nil) {
    self.resource = resource
    self.source = source
    self.entry = entry
  }
}

/// The answer to a ``ResourceDemand``.
package struct DemandAnswer: Sendable {
  /// One for each different resource, in the order of the demand.
  package let outcomes: [ResourceOutcome]
  /// What the answer reflects.
  package let position: Position
  /// When it was put together.
  package let now: Timestamp

  /// The same with newer outcomes of some of its resources.
  package func with(_ newer: DemandAnswer) -> DemandAnswer {
    let found = Dictionary(newer.outcomes.map { ($0.resource, $0) }) { _, last in last }
    return DemandAnswer(
      outcomes: outcomes.map { found[$0.resource] ?? $0 }, position: newer.position,
      now: newer.now)
  }
}

/// What the cache has of a resource.
package enum StoredResource: Sendable {
  case notCached
  /// The entry is there, and what it was restored from had no bodies.
  case withoutBody(CacheEntry)
  case stored(CacheEntry, Body, position: Position)
}

extension PurchaseOrder {
  /// What is to be bought of a demand.
  init(_ resources: [ResourceKey], _ demand: ResourceDemand, _ settings: GatewaySettings) {
    needs = resources.map {
      Need(
        demand.operation, $0, parts: demand.parts, request: demand.request,
        isLive: demand.age == .live)
    }
    self.demand = Demand(demand)
    age = demand.age
    isWhole = demand.isWhole
    patience = demand.wait
    limit = demand.limit
    deadline = (demand.deadline ?? settings.answerTimeout) + demand.wait
    isBackground = demand.isBackground
  }
}

extension Demand {
  /// A demand as events tell it.
  init(_ demand: ResourceDemand) {
    self.init()
    account = demand.principal.account
    accessKey = demand.principal.accessKey
    tags = demand.principal.tags
    if let request = demand.principal.request { idempotency = Data(request.key) }
    contentSet = demand.parts
    var age = demand.age
    switch demand.behind {
    case nil: break
    case .grace(let asked, let demanded):
      refresh = .grace
      askedMs = asked.milliseconds
      age = demanded
    case .warm: refresh = .warm
    }
    ageBasis = age.basis
    if let seconds = age.seconds { maxAgeSeconds = seconds }
  }
}

/// What became of a call that was sent on as it is.
package struct PassedAnswer: Sendable {
  package var result: Result<RawAnswer, PurchaseProblem>
  /// What it has cost, attempts that brought nothing included.
  package var cost: Int64 = 0
  /// What may have been spent beside that.
  package var inDoubt: Int64 = 0

  init(result: Result<RawAnswer, PurchaseProblem>) { self.result = result }

  init(_ purchase: Purchase) {
    result =
      switch purchase.end {
      case .passedThrough(_, let answer): .success(answer)
      case .failed(let problem), .refused(let problem): .failure(problem)
      case .written, .handedOn, .found: .failure(.undecided)
      }
    cost = purchase.cost &+ purchase.lost.charged
    inDoubt = purchase.lost.inDoubt
  }
}
