/// What the simulated eBay counted and why, and the deals that it planted: for tests to compare with their own.
package struct EbayBooks: Sendable, Equatable, Codable {
  package typealias Outcome = CallOutcome

  /// A day in California of an application.
  package struct Day: Sendable, Equatable, Codable {
    /// Its midnight, milliseconds since 1970.
    package var at: Int64
    /// The application's id.
    package var application: String
    /// Calls that counted against a limit, by its name such as `buy.browse`.
    package var calls: [String: Int] = [:]
    /// Calls that were turned away by a limit, by its name.
    package var refused: [String: Int] = [:]
    /// Tokens, by what they were given for such as `client_credentials`.
    package var minted: [String: Int] = [:]
  }

  /// One call.
  package struct Call: Sendable, Equatable, Codable {
    /// 1, 2, 3 … in the order in which calls came.
    package var number = 0
    /// When it came by eBay's clock, milliseconds since 1970.
    package var at: Int64
    /// The application's id; nil if none was told.
    package var application: String?
    /// What it asked for; nil if there is no such thing.
    package var route: EbayRoute?
    /// Its query as it stood in the URL, cut after 512 bytes. Of tokens and codes nothing is kept.
    package var query = ""
    /// The HTTP status, 0 if no answer was sent.
    package var status = 0
    /// How it ended.
    package var outcome = Outcome.answered
    /// The fault that was injected.
    package var fault: EbayFault.Kind?
    /// Whether it counted against a limit.
    package var isCounted = false

    private enum CodingKeys: String, CodingKey {
      case number, at, application, route, query, status, outcome, fault
      case isCounted = "is_counted"
    }
  }

  /// How many calls came.
  package private(set) var count = 0
  /// How many came for each route; under an empty name for nothing that is there.
  package private(set) var byRoute: [String: Int] = [:]
  /// How many ended how.
  package private(set) var byOutcome: [String: Int] = [:]
  /// The latest days with calls, oldest first.
  package private(set) var days: [Day] = []
  /// The latest calls, oldest first; the sums above cover all.
  package private(set) var calls: [Call] = []
  /// Every deal that was to be found since the simulator began, up to now, on the sites that were asked for. The oldest
  /// ones are left out where there are too many.
  package var deals: [EbayPlantedDeal] = []

  /// How many calls are kept one by one, at least; twice as many at most.
  package static let mostCalls = 10_000
  /// How many days are kept.
  package static let mostDays = 1_000
  /// How many deals are told.
  package static let mostDeals = 20_000

  /// Empty books.
  package init() {}

  private enum CodingKeys: String, CodingKey {
    case count, days, calls, deals
    case byRoute = "by_route"
    case byOutcome = "by_outcome"
  }

  /// Tokens that were minted on all days that are kept.
  package func minted(_ grant: EbayGrant) -> Int {
    days.reduce(0) { $0 + ($1.minted[grant.rawValue] ?? 0) }
  }

  /// Calls that counted against a limit, on all days that are kept.
  package func counted(_ resource: EbayRoute.Resource) -> Int {
    days.reduce(0) { $0 + ($1.calls[resource.rawValue] ?? 0) }
  }

  /// How many calls ended in a way.
  package subscript(outcome: Outcome) -> Int { byOutcome[outcome.rawValue] ?? 0 }

  /// How many calls came for a route.
  package subscript(route: EbayRoute) -> Int { byRoute[route.rawValue] ?? 0 }

  /// Writes down a call; its number is given here.
  ///
  /// - Parameters:
  ///   - day: when the day of the call began
  ///   - minted: what a token was given for
  mutating func record(_ call: Call, day: Int64, minted: EbayGrant?) {
    count += 1
    byRoute[call.route?.rawValue ?? "", default: 0] += 1
    byOutcome[call.outcome.rawValue, default: 0] += 1
    if let application = call.application {
      let index = index(of: day, application)
      if let resource = call.route?.resource {
        if call.isCounted { days[index].calls[resource.rawValue, default: 0] += 1 }
        if call.outcome == .refused { days[index].refused[resource.rawValue, default: 0] += 1 }
      }
      if let minted { days[index].minted[minted.rawValue, default: 0] += 1 }
    }
    var numbered = call
    numbered.number = count
    calls.append(numbered, keeping: Self.mostCalls)
  }

  private mutating func index(of day: Int64, _ application: String) -> Int {
    if let index = days.lastIndex(where: { $0.at == day && $0.application == application }) {
      return index
    }
    if days.count >= Self.mostDays { days.removeFirst() }
    days.append(Day(at: day, application: application))
    return days.count - 1
  }
}
