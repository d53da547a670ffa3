package import TollbookUpstreams

/// Keepa's paid parts of a product (`/product`).
extension ContentSet {
  /// Rating and review count with their histories: `rating=1`. Bit 0.
  package static let rating = ContentSet(rawValue: 1)
  /// The buy box with its history: `buybox=1`. Bit 1.
  package static let buyBox = ContentSet(rawValue: 2)
  /// The marketplace offers: `offers=20`. Bit 2. Offers bring the buy box and the rating with them
  /// (fact sheet, section 2, column "gate"), so this set contains both.
  package static let offers: ContentSet = ContentSet(rawValue: 4).union([.rating, .buyBox])

  /// What is in stock of each offer: `stock=1`, with offers. Bit 3.
  package static let stock = ContentSet(rawValue: 8)
  /// The variations that there were: `historical-variations=1`. Bit 4.
  package static let historicalVariations = ContentSet(rawValue: 16)
  /// Rents of books: `rental=1`, with offers. Bit 5.
  package static let rental = ContentSet(rawValue: 32)

  /// Offers up to a number from 20 to 100: a bit, from bit 8 on, for each ten or part of ten beyond the first twenty.
  package static func offers(upTo count: Int) -> ContentSet {
    let tens = max(0, min((count - 11) / 10, 8))
    return .offers.union(ContentSet(rawValue: ((1 << UInt64(tens)) - 1) << 8))
  }

  /// How many offers each product brings at most: 20 to 100, or 0.
  package var offerCount: Int {
    contains(.offers) ? 20 + 10 * (rawValue >> 8 & 0xFF).nonzeroBitCount : 0
  }

  /// Reads a stored or foreign raw value; `offers` brings what it implies.
  package init(keepa rawValue: UInt64) {
    self.init(rawValue: rawValue & 4 == 0 ? rawValue : rawValue | 7)
  }

  /// Keepa's parts as switches.
  package init(rating: Bool, buyBox: Bool, offers: Bool) {
    self = .plain
    if rating { insert(.rating) }
    if buyBox { insert(.buyBox) }
    if offers { formUnion(.offers) }
  }

  /// Every set that Keepa's parameters can ask for, from poor to rich.
  package static let keepaSets: [ContentSet] = [
    .plain, .rating, .buyBox, [.rating, .buyBox], .offers,
  ]

  /// The parts as Keepa's parameters call them; offers in the place of what they bring with them.
  package var keepaNames: [String] {
    var names: [String] = []
    if isSuperset(of: .offers) {
      names.append(offerCount > 20 ? "offers\(offerCount)" : "offers")
    } else {
      names += (contains(.rating) ? ["rating"] : []) + (contains(.buyBox) ? ["buybox"] : [])
    }
    if contains(.stock) { names.append("stock") }
    if contains(.historicalVariations) { names.append("historical-variations") }
    if contains(.rental) { names.append("rental") }
    return names
  }

  /// The set in one word: `plain`, `rating+buybox`, `offers`.
  package var keepaName: String {
    isEmpty ? "plain" : keepaNames.joined(separator: "+")
  }
}
