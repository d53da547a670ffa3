private import Synchronization

/// A local stand-in for eBay's OAuth, Browse and Developer Analytics APIs: their wire format, their limits, their whims.
///
/// All that it sells is invented. This is the part below HTTP; `EbaySimulatorServer.swift` puts it on a port.
package final class EbaySimulator: Sendable {
  /// The key of examples: App ID and Cert ID with a colon between them.
  package static let sampleKey =
    "\(EbayApplication().clientId):\(EbayApplication().clientSecret)"

  /// How it behaves.
  package let configuration: EbaySimulatorConfiguration

  let market: EbayMarket
  /// From when on planted deals are told.
  private let started: Int64
  private let state: Mutex<State>

  /// What changes while it runs.
  private struct State: Sendable {
    var books = EbayBooks()
    var faults: EbayFaults
    var conditions: EbayConditions
    var mint: EbayMint
    /// By the application's place in the configuration.
    var meters: [Int: EbayMeter] = [:]
    /// Sites whose listings somebody asked for.
    var sites: Set<Int> = [0]
  }

  /// A simulator with empty books, or as configured.
  package init(_ configuration: EbaySimulatorConfiguration = .init()) {
    self.configuration = configuration
    market = EbayMarket(
      seed: configuration.seed,
      EbayExtent(
        families: configuration.families, listings: configuration.listingsPerFamily,
        deals: configuration.dealsPerFamilyDay))
    started = configuration.conditions.time(configuration.now())
    state = Mutex(
      State(
        faults: configuration.faults, conditions: configuration.conditions,
        mint: EbayMint(seed: configuration.seed)))
  }

  // MARK: For tests

  /// What it counted so far, and the deals that were to be found.
  package var books: EbayBooks {
    let machineTime = configuration.now()
    let (now, sites, counted) = state.withLock {
      ($0.conditions.time(machineTime), $0.sites.sorted(), $0.books)
    }
    var books = counted
    guard started <= now else { return books }
    let deals = sites.flatMap {
      market.deals(EbaySite.all[$0], within: started..<now + 1, limit: EbayBooks.mostDeals)
    }
    books.deals = deals.sorted { ($0.from, $0.itemId) < ($1.from, $1.itemId) }
      .suffix(EbayBooks.mostDeals)
    return books
  }

  /// The faults in force; may be set at any time.
  package var faults: EbayFaults {
    get { state.withLock { $0.faults } }
    set { state.withLock { $0.faults = newValue } }
  }

  /// What is not as usual; may be set at any time.
  package var conditions: EbayConditions {
    get { state.withLock { $0.conditions } }
    set { state.withLock { $0.conditions = newValue } }
  }

  /// The planted deals of a site that are there at some instant from `start` up to, not including, `end`.
  ///
  /// - Parameters:
  ///   - marketplace: such as `EBAY_US`
  ///   - start: milliseconds since 1970
  ///   - end: milliseconds since 1970
  package func deals(
    marketplace: String = "EBAY_US", from start: Int64, to end: Int64
  ) -> [EbayPlantedDeal] {
    guard start < end else { return [] }
    return market.deals(
      EbaySite.named(marketplace), within: start..<end, limit: EbayBooks.mostDeals)
  }

  /// Words for each family that find its listings and no others.
  package var familyWords: [String] { market.families.map(\.words) }

  // MARK: Calls

  /// A request as it came.
  struct Arrival: Sendable {
    let path: String
    let query: String
    let parameters: [String: String]
    let headers: [String: String]
    let body: [UInt8]
    let base: String
  }

  /// Answers a call, after the time that it takes.
  ///
  /// - Parameters:
  ///   - path: the path as it stands in the URL, without the query
  ///   - query: the query as it stands in the URL
  ///   - headers: by their names in lower case
  ///   - base: where the caller reaches the simulator; addresses in answers begin with it
  package func answer(
    method: String = "GET", path: String, query: String = "", headers: [String: String] = [:],
    body: [UInt8] = [], base: String = "http://127.0.0.1"
  ) async -> EbayReply {
    if method == "GET", let reply = picture(path) { return reply }
    let arrival = Arrival(
      path: path, query: query, parameters: QueryText.parameters(query), headers: headers,
      body: body, base: base)
    let target = EbayRoute.target(method: method, path: path)
    var admission = admit(target, arrival)
    if admission.latency > 0 { await configuration.sleep(admission.latency) }
    let reply = finished(admission, target, arrival)
    admission.call.status = reply.delivery == .withheld ? 0 : reply.status
    admission.call.outcome = Self.outcome(reply, admission.call.fault)
    state.withLock {
      $0.books.record(admission.call, day: admission.day, minted: admission.minted)
    }
    return reply
  }

  private static func outcome(_ reply: EbayReply, _ fault: EbayFault.Kind?) -> EbayBooks.Outcome {
    if reply.delivery != .whole { return .dropped }
    if fault == .html { return .failed }
    return switch reply.status {
    case 429: .refused
    case 400..<500: .rejected
    case 500...: .failed
    default: .answered
    }
  }

  // MARK: Admission

  /// What limits, tokens and faults say to a call.
  struct Admission {
    var call: EbayBooks.Call
    /// When the day of the call began, milliseconds since 1970.
    var day: Int64 = 0
    /// What a token was given for.
    var minted: EbayGrant?
    /// Milliseconds until it is answered.
    var latency = 0
    /// The answer, if the market has no part in it.
    var reply: EbayReply?
    /// What the application used of its limits after this call.
    var rates: [EbayRateLimitWork.Rate] = []
    var reset: Int64 = 0
  }

  /// Decides about a call and counts it.
  private func admit(_ target: EbayRoute.Target?, _ arrival: Arrival) -> Admission {
    let machineTime = configuration.now()
    return state.withLock { state in
      let now = state.conditions.time(machineTime)
      var call = EbayBooks.Call(at: now, route: target?.route)
      if target?.route != .token {
        call.query = String(decoding: arrival.query.utf8.prefix(512), as: UTF8.self)
      }
      var admission = Admission(call: call)
      admission.latency = max(0, configuration.latency) + state.faults.addedLatency
      switch target?.route {
      case nil: admission.reply = EbayReply(.noPath)
      case .token: mint(arrival, at: now, &state, &admission)
      case .authorize: consent(arrival, at: now, &state, &admission)
      case let route?: admit(route, arrival, at: now, &state, &admission)
      }
      return admission
    }
  }

  /// Remembers the fault that happens to a call.
  private func strike(
    _ route: EbayRoute, _ state: inout State, _ admission: inout Admission
  ) -> EbayFault.Kind? {
    let fault = state.faults.strike(route)
    admission.call.fault = fault?.kind
    admission.latency += fault?.delay ?? 0
    return fault?.kind
  }

  private func meter(
    _ application: Int, at now: Int64, _ state: State, _ admission: inout Admission
  ) -> EbayMeter {
    var meter = state.meters[application] ?? EbayMeter(at: now)
    meter.advance(to: now)
    admission.call.application = configuration.applications[application].clientId
    admission.day = meter.day.start
    return meter
  }

  private func mint(
    _ arrival: Arrival, at now: Int64, _ state: inout State, _ admission: inout Admission
  ) {
    do throws(EbayOAuthError) {
      let request = try EbayTokenCall(
        headers: arrival.headers, body: arrival.body, configuration.applications)
      var meter = meter(request.application, at: now, state, &admission)
      switch strike(.token, &state, &admission) {
      case .http401: throw .invalidClient
      case .http429: throw .mintedOut
      case .http500: throw .serverError
      case .http503: return admission.reply = EbayReply(.unavailable)
      default: break
      }
      var mint = state.mint
      let scopes = try mint.scopes(
        of: request, configuration.applications[request.application], state.conditions, at: now)
      let limit = configuration.mintLimits[request.grant] ?? .max
      guard meter.mint(request.grant, limit: limit) else { throw .mintedOut }
      admission.reply = EbayReply(json: mint.answer(request, scopes: scopes, at: now))
      admission.minted = request.grant
      state.mint = mint
      state.meters[request.application] = meter
    } catch {
      admission.reply = EbayReply(error)
    }
  }

  private func consent(
    _ arrival: Arrival, at now: Int64, _ state: inout State, _ admission: inout Admission
  ) {
    do throws(EbayOAuthError) {
      let work = try EbayConsentWork(
        arrival.parameters, configuration.applications, state.conditions)
      _ = meter(work.index, at: now, state, &admission)
      switch strike(.authorize, &state, &admission) {
      case .http500: return admission.reply = EbayReply(status: 500, page: "500 Internal Error")
      case .http503: return admission.reply = EbayReply(status: 503, page: "503 Unavailable")
      default: break
      }
      switch work.outcome(&state.mint, at: now) {
      case .redirect(let url):
        var reply = EbayReply(status: 302)
        reply.location = url
        admission.reply = reply
      case .page(let status, let title, let text):
        admission.reply = EbayReply(status: status, page: title, text: text)
      }
    } catch {
      admission.reply = EbayReply(
        status: 400, page: "400 \(error.error)", text: error.description)
    }
  }

  private func admit(
    _ route: EbayRoute, _ arrival: Arrival, at now: Int64, _ state: inout State,
    _ admission: inout Admission
  ) {
    do throws(EbayRefusal) {
      let token = try token(arrival.headers["authorization"], state.conditions, at: now)
      var meter = meter(token.application, at: now, state, &admission)
      try check(route, token, state.conditions)
      let fault = strike(route, &state, &admission)
      if fault == .http401 { throw .badToken }
      if fault == .http429 { throw .tooMany }
      if fault == .quotaReset { meter.reset() }
      guard let resource = route.resource else { return }
      let isCounted = meter.count(
        resource, limit: limit(resource), foreign: state.conditions.foreign(resource))
      state.meters[token.application] = meter
      guard isCounted else { throw .tooMany }
      admission.call.isCounted = true
      admission.reset = meter.day.end
      admission.rates = EbayRoute.Resource.allCases.compactMap { resource in
        guard resource != .insights || state.conditions.insightsGranted else { return nil }
        return EbayRateLimitWork.Rate(
          resource: resource,
          count: (meter.calls[resource] ?? 0) + state.conditions.foreign(resource),
          limit: limit(resource))
      }
      if route == .search { state.sites.insert(site(arrival).index) }
      if fault == .http500 { throw .internalError }
      if fault == .http503 { throw .unavailable }
    } catch {
      admission.reply = EbayReply(error)
    }
  }

  private func limit(_ resource: EbayRoute.Resource) -> Int {
    max(0, configuration.limits[resource] ?? 5_000)
  }

  /// The token of a call.
  private func token(
    _ header: String?, _ conditions: EbayConditions, at now: Int64
  ) throws(EbayRefusal) -> EbayToken {
    guard let header, !header.isEmpty else { throw .noToken }
    guard header.lowercased().hasPrefix("bearer "),
      let token = EbayToken(String(header.dropFirst(7)), seed: configuration.seed),
      [.application, .user].contains(token.kind), token.isGood(at: now),
      configuration.applications.indices.contains(token.application),
      token.kind == .application || token.minted >= conditions.refreshRevokedBefore ?? .min
    else { throw .badToken }
    return token
  }

  /// Whether a token may do what is asked.
  private func check(
    _ route: EbayRoute, _ token: EbayToken, _ conditions: EbayConditions
  ) throws(EbayRefusal) {
    let isAllowed =
      switch route {
      case .sales:
        conditions.insightsGranted && EbayScopes.has(token.scopes, EbayScopes.insights)
      case .userRateLimit: token.kind == .user
      default: EbayScopes.has(token.scopes, EbayScopes.application)
      }
    guard isAllowed else { throw .noScope }
  }

  func site(_ arrival: Arrival) -> EbaySite {
    EbaySite.named(arrival.headers["x-ebay-c-marketplace-id"])
  }
}
