import Algorithms

/// What a call of `/product` asks for, read from its query parameters.
package struct ProductQuery: Sendable, Equatable {
  /// The span that `stats` is computed over.
  package enum StatsSpan: Sendable, Equatable {
    /// The last so many days.
    case days(Int)
    /// Between two Keepa minutes.
    case between(Int, Int)
  }

  /// Why a query cannot be executed.
  package typealias Rejection = KeepaRejection

  /// The shop's number, 1 (US) to 12 (Brazil).
  package var domain: Int
  /// What is asked for, in order, each once.
  package var asins: [String]
  /// The parts that cost extra.
  package var parts = PaidParts()
  /// `stats`, if asked for.
  package var stats: StatsSpan?
  /// Hours after which Keepa's copy is refreshed first; 0 always, -1 never.
  package var update = 1
  /// Whether histories are wanted.
  package var history = true
  /// Cuts histories to the last so many days.
  package var days: Int?
  /// Leaves out offers that are gone.
  package var onlyLiveOffers = false
  /// Counts stock of offers.
  package var stock = false
  /// Adds `videos`.
  package var videos = false
  /// Adds `aPlus`.
  package var aPlus = false
  /// Adds `historicalVariations`.
  package var historicalVariations = false

  /// Keepa's limit of products per call, and the lower one with offers.
  package static let mostASINs = 100
  package static let mostASINsWithOffers = 20

  /// A plain query.
  package init(domain: Int = 1, asins: [String]) {
    self.domain = domain
    self.asins = asins
  }

  /// Reads the parameters of a call, already percent-decoded.
  package init(parameters: [String: String]) throws(Rejection) {
    try self.init(KeepaParameters(parameters))
  }

  /// Reads the parameters of a call (fact sheet, section 5).
  init(_ parameters: KeepaParameters) throws(Rejection) {
    self.init(domain: try parameters.domain(most: 12), asins: [])
    let asked: Int
    if parameters["code"] == nil {
      asins = try parameters.list("asin", most: Self.mostASINs)
      asked = asins.count
    } else {
      guard parameters["asin"] == nil else {
        throw Rejection(details: "asin and code exclude each other")
      }
      let codes = try parameters.list("code", most: Self.mostASINs)
      let limit = try parameters.number("code-limit", 1...1_000_000) ?? .max
      asins = Array(codes.flatMap { ProductCodes.asins(code: $0).prefix(limit) }.uniqued())
      asked = codes.count
    }
    if parameters["offers"] != "0" { parts.offers = try parameters.number("offers", 20...100) }
    guard parts.offers == nil || asked <= Self.mostASINsWithOffers else {
      throw Rejection(details: "more than \(Self.mostASINsWithOffers) products with offers")
    }
    try readParts(parameters)
    stock = try parameters.flag("stock")
    onlyLiveOffers = try parameters.flag("only-live-offers")
    days = try parameters.number("days", 1...100_000)
    videos = try parameters.flag("videos")
    aPlus = try parameters.flag("aplus")
    historicalVariations = try parameters.flag("historical-variations")
    parts.buybox = try parameters.flag("buybox")
    // Rent is a history of US books, and no invented product is a book.
    _ = try parameters.flag("rental")
  }

  /// Reads what `/search` takes too: statistics, age, histories, ratings.
  mutating func readParts(_ parameters: KeepaParameters) throws(Rejection) {
    parts.rating = try parameters.flag("rating")
    update = try parameters.number("update", -1...1_000_000) ?? 1
    history = try parameters.flag("history", absent: true)
    if let text = parameters["stats"] { stats = try Self.span(text) }
  }

  /// Reads `90`, `2026-01-01,2026-02-01` or two Unix times in milliseconds.
  private static func span(_ text: String) throws(Rejection) -> StatsSpan {
    if let days = Int(text), (0...100_000).contains(days) { return .days(days) }
    let ends = text.split(separator: ",").compactMap { minute(String($0)) }
    guard ends.count == 2, ends[0] <= ends[1] else {
      throw Rejection(details: "stats is neither days nor two dates")
    }
    return .between(ends[0], ends[1])
  }

  /// Reads a date, a date with a time (`2026-01-31T13:45`, with seconds and `Z` or not) or a Unix
  /// time in milliseconds.
  private static func minute(_ text: String) -> Int? {
    if let milliseconds = Int64(text) { return KeepaMinutes.containing(milliseconds: milliseconds) }
    let halves = text.split(maxSplits: 1) { $0 == "T" || $0 == " " }
    guard let date = halves.first.flatMap({ dayStart(String($0)) }) else { return nil }
    guard halves.count == 2 else { return date }
    let clock = (halves[1].hasSuffix("Z") ? halves[1].dropLast() : halves[1]).split(separator: ":")
    guard (2...3).contains(clock.count), let hour = Int(clock[0]), let minute = Int(clock[1]),
      (0...23).contains(hour), (0...59).contains(minute)
    else { return nil }
    return date + hour * 60 + minute
  }

  /// The first minute of a date such as `2026-01-31`.
  private static func dayStart(_ text: String) -> Int? {
    let fields = text.split(separator: "-").compactMap { Int($0) }
    guard fields.count == 3, (1...12).contains(fields[1]), (1...31).contains(fields[2]),
      (2000...3000).contains(fields[0])
    else { return nil }
    return KeepaMinutes.dayStart(year: fields[0], month: fields[1], day: fields[2])
  }
}
