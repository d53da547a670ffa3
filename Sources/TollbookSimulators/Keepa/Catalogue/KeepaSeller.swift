/// A seller of the catalogue, drawn from its id.
struct KeepaSeller: Sendable {
  let id: String
  let domain: Int
  /// What it has on offer.
  let asins: [String]
  /// The Keepa minute of the question.
  let minute: Int
  /// The Keepa minute at which its storefront was collected: once a day of Keepa's own accord.
  var collected: Int

  init(id: String, domain: Int, asins: [String], minute: Int) {
    self.id = id
    self.domain = domain
    self.asins = asins
    self.minute = minute
    var numbers = SeededNumbers(id, salt: 8000 + domain)
    let phase = numbers.below(1440)
    collected = minute - ((minute - phase) % 1440 + 1440) % 1440
  }

  private static let all = Set((0..<ProductProfile.sellerCount).map(ProductProfile.seller))

  /// Whether a shop has a seller with this id.
  static func isKnown(_ id: String) -> Bool { all.contains(id) }

  /// Writes the object (fact sheet, section 6).
  func write(to json: inout JSONBytes, storefront: Bool) {
    var numbers = SeededNumbers(id, salt: 8100)
    let since = 2 * numbers.within(1_500_000...3_000_000)
    let rating = numbers.within(78...100)
    let count = numbers.within(20...40_000)
    let name =
      numbers.pick(ProductWords.syllables) + numbers.pick(ProductWords.endings)
      + numbers.pick([" Direct", " Store", " Outlet", " Trading"])
    let hasFBA = numbers.chance(70)
    // Four spans: 30, 90, 365 days and ever.
    let spans = [count / 60, count / 20, count / 4, count]
    json.object { json in
      if storefront {
        json.member("asinList", asins)
        json.member("asinListLastSeen", asins.map { _ in collected })
      }
      json.key("csv")
      json.array { json in
        json.ints([since, rating])
        json.ints([since, count / 3, since + (minute - since) / 2, count])
      }
      json.member("currentRating", rating)
      json.member("currentRatingCount", count)
      json.member("domainId", domain)
      json.member("hasFBA", hasFBA)
      json.member("isScammer", false)
      json.member("lastRatingUpdate", collected)
      json.member("lastUpdate", collected)
      json.member("negativeRating", spans.map { _ in (100 - rating) / 2 })
      json.member("neutralRating", spans.map { _ in (100 - rating + 1) / 2 })
      json.member("positiveRating", spans.map { _ in rating })
      json.member("ratingCount", spans)
      json.member("ratingsLast30Days", spans[0])
      json.member("sellerId", id)
      json.member("sellerName", name.prefix(1).uppercased() + name.dropFirst())
      json.member("shipsFromChina", false)
      json.member("totalStorefrontAsins", [collected, asins.count])
      json.member("trackedSince", since)
    }
  }
}
