/// `/bestsellers`: the ASINs of a category by rank. 50 tokens; 0 if there is no list.
struct BestSellersCall: KeepaCall {
  /// Which ranks order the list.
  enum Span: Sendable, Equatable {
    /// The rank now.
    case now
    /// The average of the last so many days.
    case days(Int)
    /// The average of a calendar month: its Keepa minutes.
    case month(Range<Int>)
  }

  let domain: Int
  /// Nil: there is no such category.
  let category: KeepaCategory?
  let span: Span
  /// Orders by the rank within the leaf instead of the rank within the root.
  let isSublist: Bool

  /// The price of a list (fact sheet, section 5).
  static let tokens = 50

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    domain = try parameters.domain()
    let name = try parameters.text("category")
    category = Int(name).map(KeepaCategory.category) ?? KeepaCategory.root(ofGroup: name)
    isSublist = try parameters.flag("sublist")
    // No two products of the catalogue are variations of the same one: with or without, the
    // list is the same.
    _ = try parameters.flag("variations")
    span = try Self.span(parameters)
  }

  private static func span(_ parameters: KeepaParameters) throws(KeepaRejection) -> Span {
    let days = try parameters.number("range", 0...180)
    let month = try parameters.number("month", 1...12)
    let year = try parameters.number("year", 2011...2999)
    guard month != nil || year != nil else {
      guard [0, 30, 90, 180].contains(days ?? 0) else {
        throw KeepaRejection(details: "range must be 0, 30, 90 or 180")
      }
      return days.map { $0 == 0 ? .now : .days($0) } ?? .now
    }
    guard let month, let year else {
      throw KeepaRejection(details: "month and year come together")
    }
    guard days == nil else { throw KeepaRejection(details: "range excludes month and year") }
    let start = KeepaMinutes.dayStart(year: year, month: month, day: 1)
    let next = (year: month == 12 ? year + 1 : year, month: month % 12 + 1)
    return .month(start..<KeepaMinutes.dayStart(year: next.year, month: next.month, day: 1))
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    // Lists are renewed every hour.
    let minute = moment.minute - moment.minute % 60
    guard let category, isAvailable(at: minute) else { return KeepaWork(tokens: 0) }
    let aspect: HeldValues.Aspect =
      isSublist && category.children.isEmpty ? .leafRank : .csv(.sales)
    var ranked: [(rank: Int, asin: String)] = []
    for product in world.catalogue.products(in: domain, under: category.id) {
      let rank =
        span == .now
        ? world.held.value(aspect, of: product, at: minute)
        : average(aspect, of: product, at: minute)
      if rank > 0 { ranked.append((rank, product.asin)) }
    }
    guard !ranked.isEmpty else { return KeepaWork(tokens: 0) }
    ranked.sort { $0 < $1 }
    return KeepaWork(tokens: Self.tokens, capacity: ranked.count * 14) {
      [ranked, category, domain] json in
      json.key("bestSellersList")
      json.object { json in
        json.member("asinList", ranked.map(\.asin))
        json.member("categoryId", category.id)
        json.member("domainId", domain)
        json.member("lastUpdate", minute)
      }
    }
  }

  /// Months are kept for three years, and only what is over is a month.
  private func isAvailable(at minute: Int) -> Bool {
    guard case .month(let minutes) = span else { return true }
    return minutes.upperBound <= minute && minutes.lowerBound > minute - 37 * 31 * 1440
  }

  private func average(
    _ aspect: HeldValues.Aspect, of product: ProductProfile, at minute: Int
  ) -> Int {
    let minutes =
      switch span {
      case .now: minute..<minute
      case .days(let days): (minute - days * 1440)..<minute
      case .month(let minutes): minutes
      }
    guard product.trackingSince < minutes.upperBound else { return -1 }
    let histories = ProductHistories(profile: product, lastUpdate: minutes.upperBound)
    let flat = aspect == .leafRank ? histories.leafRanks() : histories.history(.sales)
    return flat.map {
      ProductStats.summary($0, stride: 2, from: minutes.lowerBound, to: minutes.upperBound).average
    } ?? -1
  }
}
