import JSONText
import TollbookLog

/// A product's body as pieces: what Keepa sends only to those who ask for it stands in pieces of its own, so that a body
/// serves every request without being inflated.
package enum ProductPart: UInt8, Sendable {
  /// Braces, and commas between pieces.
  case separator = 0
  case rest = 1
  /// The member `csv`.
  case csv = 2
  /// The other histories, which `history=0` drops.
  case histories = 3
  case stats = 4
  case videos = 5
  case aPlus = 6

  /// Those that `history=0` drops beside `csv` (fact sheet, section 5).
  private static let historyNames: Set<String> = [
    "salesRanks", "monthlySoldHistory", "parentAsinHistory", "couponHistory",
    "buyBoxSellerIdHistory", "buyBoxUsedHistory", "salesRankReferenceHistory",
  ]

  init(member name: String) {
    switch name {
    case "csv": self = .csv
    case "stats": self = .stats
    case "videos": self = .videos
    case "aPlus": self = .aPlus
    default: self = Self.historyNames.contains(name) ? .histories : .rest
    }
  }

  /// Where a product's bytes are cut. Empty if it has no members.
  static func cuts(of product: JSONValue) -> [Body.Cut] {
    guard let members = product.members else { return [] }
    var cuts: [Body.Cut] = []
    var place = product.range.lowerBound
    func cut(_ part: ProductPart, to end: Int) {
      guard end > place else { return }
      cuts.append(Body.Cut(part: part.rawValue, length: end - place))
      place = end
    }
    var last: ProductPart?
    for member in members {
      let part = ProductPart(member: member.name)
      let end = member.value.range.upperBound
      if part == last, part != .csv, let open = cuts.indices.last {
        cuts[open].length += end - place
        place = end
      } else {
        cut(.separator, to: member.nameRange.lowerBound)
        cut(part, to: end)
      }
      last = part
    }
    cut(.separator, to: product.range.upperBound)
    return cuts
  }
}
