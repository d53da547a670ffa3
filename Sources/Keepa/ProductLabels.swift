import SwiftProtobuf
import TollbookEvents
import TollbookHTTP
import TollbookViews

extension HTTPSystem.Labels {
  /// What products can be found by: `asin:`, and as far as their summaries tell `brand:` and `category:`, the root category
  /// by its number or its name. One that was not found, or came without a summary, bears `asin:` alone.
  static let products = HTTPSystem.Labels(["asin", "brand", "category"]) { entry in
    guard let product = KeepaUpstream.product(of: entry.resource) else { return [] }
    var labels = ["asin:\(product.asin)"]
    guard let summary = try? ProductSummary(serializedBytes: entry.summary) else { return labels }
    if summary.hasBrand { labels.append("brand:\(summary.brand)") }
    if summary.hasRootCategory { labels.append("category:\(summary.rootCategory)") }
    if summary.hasRootCategoryName { labels.append("category:\(summary.rootCategoryName)") }
    return labels
  }
}
