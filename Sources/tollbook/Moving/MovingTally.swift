import Keepa
import TollbookEvents

/// What came in of a predecessor's, and what did not and why.
struct MovingTally {
  /// Of each reason so many are named.
  private static let mostNames = 5

  private(set) var seen = 0
  var kept = 0
  private var leftOut: [LeftOut.Reason: (count: Int, names: [String])] = [:]
  /// When what was seen last of each product was bought.
  private var times: [Product: Timestamp] = [:]

  private struct Product: Hashable {
    let asin: KeepaASIN
    let domain: KeepaDomain
  }

  /// Counts what was found, and gives back what is to be kept: of a product, nothing older than what stood before.
  mutating func take(_ found: [Found]) -> [MovedProduct] {
    seen += found.count
    var taken: [MovedProduct] = []
    for found in found {
      switch found {
      case .failure(let fault): add(fault)
      case .success(let product):
        let key = Product(asin: product.asin, domain: product.domain)
        if let before = times[key], before >= product.fetched {
          add(LeftOut(.doubled, product.asin.description))
        } else {
          times[key] = product.fetched
          taken.append(product)
        }
      }
    }
    return taken
  }

  mutating func add(_ fault: LeftOut, count: Int = 1) {
    guard count > 0 else { return }
    var row = leftOut[fault.reason] ?? (0, [])
    row.count += count
    if let detail = fault.detail, row.names.count < Self.mostNames { row.names.append(detail) }
    leftOut[fault.reason] = row
  }

  /// The table that is shown.
  func lines(isTrial: Bool) -> [String] {
    var table = TextTable(
      [.right, .left, .left], heading: ["PRODUCTS", "WHAT BECAME OF THEM", "WHICH"])
    table.add([kept.grouped, isTrial ? "would come in at no cost" : "came in at no cost", ""])
    for reason in LeftOut.Reason.allCases {
      guard let row = leftOut[reason] else { continue }
      let more = row.count - row.names.count
      var names = row.names.joined(separator: ", ")
      if !names.isEmpty, more > 0 { names += " and \(more.grouped) more" }
      table.add([row.count.grouped, "left out: \(reason.rawValue)", names])
    }
    table.add([seen.grouped, "in all", ""])
    return table.lines()
  }
}
