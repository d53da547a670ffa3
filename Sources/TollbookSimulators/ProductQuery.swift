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
  package struct Rejection: Error, Equatable {
    /// What is wrong, for the reader.
    package let details: String
  }

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
    func number(_ name: String, _ range: ClosedRange<Int>) throws(Rejection) -> Int? {
      guard let text = parameters[name], !text.isEmpty else { return nil }
      guard let value = Int(text), range.contains(value) else {
        throw Rejection(details: "\(name) is outside \(range.lowerBound)...\(range.upperBound)")
      }
      return value
    }
    func flag(_ name: String) throws(Rejection) -> Bool {
      try number(name, 0...1) == 1
    }

    guard let domain = try number("domain", 1...12), domain != 7 else {
      throw Rejection(details: "domain must be 1 to 6 or 8 to 12")
    }
    guard parameters["code"] == nil else {
      throw Rejection(details: "the simulator looks products up by asin, not by code")
    }
    let asins = Array((parameters["asin"] ?? "").split(separator: ",").map(String.init).uniqued())
    guard !asins.isEmpty else { throw Rejection(details: "asin is missing") }
    guard asins.count <= Self.mostASINs else {
      throw Rejection(details: "more than \(Self.mostASINs) asins")
    }
    self.init(domain: domain, asins: asins)

    parts.rating = try flag("rating")
    parts.buybox = try flag("buybox")
    if parameters["offers"] != "0" { parts.offers = try number("offers", 20...100) }
    guard parts.offers == nil || asins.count <= Self.mostASINsWithOffers else {
      throw Rejection(details: "more than \(Self.mostASINsWithOffers) asins with offers")
    }
    update = try number("update", -1...1_000_000) ?? 1
    history = try number("history", 0...1) != 0
    days = try number("days", 1...100_000)
    onlyLiveOffers = try flag("only-live-offers")
    stock = try flag("stock")
    videos = try flag("videos")
    aPlus = try flag("aplus")
    historicalVariations = try flag("historical-variations")
    if let text = parameters["stats"], !text.isEmpty { stats = try Self.span(text) }
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

  /// Reads a date or a Unix time in milliseconds.
  private static func minute(_ text: String) -> Int? {
    if let milliseconds = Int64(text) { return KeepaMinutes.containing(milliseconds: milliseconds) }
    let fields = text.split(separator: "-").compactMap { Int($0) }
    guard fields.count == 3, (1...12).contains(fields[1]), (1...31).contains(fields[2]),
      (2000...3000).contains(fields[0])
    else { return nil }
    // Days since 1970 in the Gregorian calendar, the year counted from March.
    let year = fields[1] <= 2 ? fields[0] - 1 : fields[0]
    let month = (fields[1] + 9) % 12
    let dayOfYear = (153 * month + 2) / 5 + fields[2] - 1
    let days = 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    return days * 1440 - KeepaMinutes.offset
  }
}
