package import TollbookEvents
package import TollbookLog
package import TollbookUpstreams

/// A metered API as the engine sees it: what it sells, on which meters that counts, how a purchase is cut into calls, and
/// how one call is sent. The gateway decides, sends and books; it knows no more of a provider than this says.
///
/// Nothing of it reads the log. `plan` is a pure function, and runs on the writer.
package protocol Upstream: Sendable {
  /// As it stands in events, in lower case, such as `atlas`: the names of its operations and kinds begin with it and a dot.
  var name: String { get }
  /// As people write it, such as `Atlas`.
  var title: String { get }
  /// The credentials that may send its calls, by their ids, in the order in which they are tried. All of them use the same
  /// quota group: the meters are the group's.
  var credentials: [String] { get }
  /// Whether its credentials are keys. Without, they stand for whatever its meters count, such as an address, and nobody is
  /// told of them.
  var takesKey: Bool { get }
  /// The settings that its own key comes from, such as `ATLAS_API_KEY`; empty: it has none.
  var keySetting: String { get }
  /// Every meter that its calls may use.
  var meters: [UpstreamMeter] { get }
  /// What its calls may bring.
  var kinds: [ResourceKind] { get }
  /// How long one of its calls may take, in milliseconds; nil: what the settings say. One that is given up earlier may have
  /// been paid for.
  var callLimit: Int64? { get }

  /// The most needs of an operation that one call takes.
  func callSize(of operation: String, parts: UInt64) -> Int

  /// Cuts needs into calls, in their order. All are of one operation, want the same parts, and are live or not. A need
  /// that no call buys is left out, and fails.
  func plan(_ needs: [Need]) -> [PlannedCall]

  /// What has to be bought before a call of an operation can be sent, such as a token; nil: nothing, or it is there.
  func prerequisite(of operation: String, at now: Timestamp) -> Need?

  /// Sends one call once, and never throws: what went wrong is in the exchange.
  ///
  /// - Parameters:
  ///   - credential: the id of the one that sends it.
  ///   - limit: the time for everything, from the connection to the last byte.
  func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange

  /// What buys an entry anew, as it is, by its name and its parts alone; nil: they do not tell.
  func renewal(of resource: ResourceKey, parts: UInt64) -> Need?

  /// Asks how its meters stand, without buying anything; nil if that cannot be asked.
  func readMeters(within limit: Duration) async -> Exchange?

  /// The same upstream, bought from with another credential alone and on the meters of that one's quota group; nil: it
  /// takes none but its own.
  func with(_ lease: CredentialLease) -> (any Upstream)?
}

extension Upstream {
  package var takesKey: Bool { true }
  package var keySetting: String { "" }
  package var callLimit: Int64? { nil }
  package func renewal(of resource: ResourceKey, parts: UInt64) -> Need? { nil }
  package func prerequisite(of operation: String, at now: Timestamp) -> Need? { nil }
  package func readMeters(within limit: Duration) async -> Exchange? { nil }
  package func with(_ lease: CredentialLease) -> (any Upstream)? { nil }
}

/// A limit that calls of an upstream use.
package struct UpstreamMeter: Hashable, Sendable {
  /// When a reservation on it is written down.
  package enum Durability: Sendable {
    /// Before the call is sent.
    case durable
    /// With the answer, in one commit. For windows of at most a minute without money: the next reading heals what a crash
    /// has lost.
    case withAnswer
  }

  /// Without a window.
  package var key: MeterKey
  package var rule: MeterRule
  package var doubt: DoubtRule
  package var durability: Durability
  /// What refreshing ahead may take of each window; nil: nothing.
  package var ahead: AheadAllowance?

  package init(
    _ key: MeterKey, _ rule: MeterRule, doubt: DoubtRule, durability: Durability = .durable,
    ahead: AheadAllowance? = nil
  ) {
    self.ahead = ahead
    self.key = key
    self.rule = rule
    self.doubt = doubt
    self.durability = durability
  }
}

/// A class of resources that share freshness windows and a form of their summaries.
package struct ResourceKind: Hashable, Sendable {
  package var name: String
  package var freshness: FreshnessPolicy
  package var summary: SummaryForm
  /// Whether bodies are sealed with the data key of the account that they belong to. All resources of such a kind belong to
  /// an account.
  package var isSealed: Bool
  /// Whether an upstream sells it. What a client has put in, or was made of that, cannot be had again: it stays until its
  /// system removes it or its time is over, however little room there is and whatever is purged.
  package var isBought: Bool

  package init(
    _ name: String, freshness: FreshnessPolicy, summary: SummaryForm = .none,
    isSealed: Bool = false, isBought: Bool = true
  ) {
    self.name = name
    self.freshness = freshness
    self.summary = summary
    self.isSealed = isSealed
    self.isBought = isBought
  }
}

/// One thing that is to be bought.
package struct Need: Sendable {
  package var operation: String
  /// What it will be in the cache; nil: the call is passed through, and only its answer is wanted.
  package var resource: ResourceKey?
  /// The parts that it must have.
  package var parts: UInt64
  /// What is sent, if the name of the resource alone does not tell, or the call is passed through.
  package var request: PassedRequest?
  /// Whether what the upstream has stored is too old.
  package var isLive: Bool

  package init(
    _ operation: String, _ resource: ResourceKey?, parts: UInt64 = 0,
    request: PassedRequest? = nil, isLive: Bool = false
  ) {
    self.operation = operation
    self.resource = resource
    self.parts = parts
    self.request = request
    self.isLive = isLive
  }

  /// Whether one call can buy both.
  func isLike(_ other: Need) -> Bool {
    operation == other.operation && parts == other.parts && isLive == other.isLive
  }

  /// Whether what is bought for it is all that another one of its resource wants.
  func serves(_ other: Need) -> Bool {
    parts & other.parts == other.parts && (isLive || !other.isLive)
  }
}

/// A call as a client makes it, that its upstream sends on, and where its answer goes.
package struct PassedRequest: Sendable {
  /// Takes a piece of an answer as it arrives.
  package typealias Sink = @Sendable ([UInt8]) async -> Void

  package var path: String
  package var query: [(name: String, value: String)]
  package var headers: [(name: String, value: String)]
  /// What is sent; empty: nothing. It is made each time that it is sent: a long one is in memory no longer than that.
  package var body: [UInt8] { makeBody() }
  private let makeBody: @Sendable () -> [UInt8]
  /// What a plan has to know of the body without reading it, by names of its upstream's own, such as how much it may cost.
  /// Whoever reads the body writes them down; a plan is made on the writer.
  package var figures: [String: Int64]
  /// Nil: the answer comes whole, in the outcome.
  package var sink: Sink?
  /// How long one attempt may take, in milliseconds, so that another one has time within the deadline of who asks; nil: as
  /// long as its upstream says.
  package var attemptLimit: Int64?

  package init(
    path: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [],
    body: @autoclosure @escaping @Sendable () -> [UInt8] = [],
    figures: [String: Int64] = [:], sink: Sink? = nil
  ) {
    self.path = path
    self.query = query
    self.headers = headers
    makeBody = body
    self.figures = figures
    self.sink = sink
  }
}

/// One call, before it is admitted.
package struct PlannedCall: Sendable {
  /// What it buys, in request order.
  package var needs: [Need]
  /// The place of each need among those that were planned.
  package var places: [Int]
  /// The meters that it uses, and what the needs cost on each. The first is the one that a request's
  /// own limit counts on, and by whose expected costs a cost is divided over the needs.
  package var uses: [MeterUse]
  /// Whether it may be sent for its first needs alone, if all do not fit.
  package var isDivisible: Bool

  package init(
    needs: [Need], places: [Int], uses: [MeterUse], isDivisible: Bool = true
  ) {
    self.needs = needs
    self.places = places
    self.uses = uses
    self.isDivisible = isDivisible
  }

  /// How long one attempt may take by the word of those who ask, in milliseconds: the longest of theirs; nil: one of them
  /// says nothing.
  var attemptLimit: Int64? {
    var longest: Int64?
    for need in needs {
      guard let limit = need.request?.attemptLimit else { return nil }
      longest = max(longest ?? limit, limit)
    }
    return longest
  }

  /// The call for its first needs alone.
  func first(_ count: Int) -> PlannedCall {
    guard count < needs.count else { return self }
    return PlannedCall(
      needs: Array(needs.prefix(count)), places: Array(places.prefix(count)),
      uses: uses.map { $0.first(count) }, isDivisible: isDivisible)
  }
}

/// What one attempt brought, and what it cost.
package struct Exchange: Sendable {
  /// What an answer was good for; or why there was none.
  package var result: Result<Delivery, UpstreamFailure>
  /// The cost on the meters of which the answer says something. On every other meter of the call it
  /// settles by price if it was answered, is in doubt if it may have been sent, and is released if
  /// it was not.
  package var charges: [MeterKey: MeterCharge]
  package var readings: [MeterReading]
  /// Until when, by the upstream's own word, it takes no call on a meter. Without one, what is used up is what a call's
  /// first meter counts, until it refills or its window ends.
  package var closures: [MeterKey: Timestamp] = [:]
  /// What the answer was made of, where that is told.
  package var counts: [UsageCount]
  package var duration: Duration
  /// Length of the answer's body after decompression; 0 if none was complete.
  package var receivedBytes: Int
  /// Whether the answer says that it comes from a simulator.
  package var isSimulated: Bool

  package init(
    _ result: Result<Delivery, UpstreamFailure>, charges: [MeterKey: MeterCharge] = [:],
    readings: [MeterReading] = [], counts: [UsageCount] = [], duration: Duration,
    receivedBytes: Int = 0, isSimulated: Bool = false
  ) {
    self.result = result
    self.charges = charges
    self.readings = readings
    self.counts = counts
    self.duration = duration
    self.receivedBytes = receivedBytes
    self.isSimulated = isSimulated
  }
}

/// What an attempt cost on one meter, as far as is known.
package enum MeterCharge: Hashable, Sendable {
  /// Nothing reached the upstream: the reservation can be released.
  case notSent
  /// The upstream's word.
  case told(Int64)
  /// The upstream tells no cost: the price list says it.
  case byPrice(Int64)
  /// It was sent, and nobody said what it cost. So much is certain; the rest of the reservation is in doubt.
  case unknown(atLeast: Int64 = 0)
}

/// What an answer says of a meter.
package struct MeterReading: Hashable, Sendable {
  package enum Figure: Hashable, Sendable {
    /// Of a refill bucket.
    case balance(UpstreamReading)
    /// Of a window.
    case usage(WindowUsage)
  }

  /// Without a window.
  package var meter: MeterKey
  package var figure: Figure

  package init(_ meter: MeterKey, _ figure: Figure) {
    self.meter = meter
    self.figure = figure
  }
}

/// What an answer brought.
package struct Delivery: Sendable {
  /// What was brought, whoever asked for it; each resource once.
  package var writes: [Write]
  /// What is to be told of needs that it brought nothing for, by their resources.
  package var silence: [ResourceKey: String]
  /// The answer of a call that was passed through.
  package var raw: RawAnswer?

  package init(_ writes: [Write], silence: [ResourceKey: String] = [:], raw: RawAnswer? = nil) {
    self.writes = writes
    self.silence = silence
    self.raw = raw
  }
}

/// An answer as it came.
package struct RawAnswer: Hashable, Sendable {
  package var status: Int
  package var contentType: String
  package var body: [UInt8]

  package init(status: Int, contentType: String, body: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }
}

/// One thing that an answer brought.
package struct Write: Sendable {
  package enum Disposition: Hashable, Sendable {
    case store
    /// It is given to who asked, and not kept.
    case handOn(HandOnReason, detail: String)
  }

  package var resource: ResourceKey
  /// Nil: the upstream does not have it.
  package var body: [UInt8]?
  /// Where the body is cut into pieces that can be sent without each other; empty: it is one.
  package var cuts: [Body.Cut]
  /// The parts that the answer really brought.
  package var parts: UInt64
  package var summary: [UInt8]
  /// When the upstream's own data is from, in milliseconds since 1970 UTC; 0: unknown.
  package var upstreamUpdated: Int64
  package var disposition: Disposition
  /// How long it may answer; nil: as long as its kind says.
  package var windows: FreshnessWindows?

  package init(
    _ resource: ResourceKey, body: [UInt8]?, cuts: [Body.Cut] = [], parts: UInt64 = 0,
    summary: [UInt8] = [], upstreamUpdated: Int64 = 0, disposition: Disposition = .store,
    windows: FreshnessWindows? = nil
  ) {
    self.resource = resource
    self.body = body
    self.cuts = cuts
    self.parts = parts
    self.summary = summary
    self.upstreamUpdated = upstreamUpdated
    self.disposition = disposition
    self.windows = windows
  }
}
