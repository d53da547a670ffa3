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

  /// The parts as Keepa's parameters call them; offers alone when they are there.
  package var keepaNames: [String] {
    if isSuperset(of: .offers) { return ["offers"] }
    return (contains(.rating) ? ["rating"] : []) + (contains(.buyBox) ? ["buybox"] : [])
  }

  /// The set in one word: `plain`, `rating+buybox`, `offers`.
  package var keepaName: String {
    isEmpty ? "plain" : keepaNames.joined(separator: "+")
  }
}
