/// The few thousand products of each shop that lists, searches, deals and sellers draw from.
///
/// Their ASINs are a list that never changes. What they are is what any other product is: drawn
/// from the ASIN, so that a product bought afterwards agrees with the list that named it.
struct KeepaCatalogue: Sendable {
  /// Products per shop.
  static let size = 3000

  /// One shop, worked out when it is first asked for.
  private struct Shop {
    var products: [ProductProfile]
    /// The products that a seller has on offer now, by the seller's id.
    var storefronts: [String: [String]]?
  }

  private var shops: [Int: Shop] = [:]

  /// The ASIN at a place of a shop's list.
  static func asin(_ place: Int, domain: Int) -> String {
    var numbers = SeededNumbers("catalogue", salt: place * 16 + domain)
    return "B0" + numbers.code(8)
  }

  /// The products of a shop, in the order of the list.
  mutating func products(in domain: Int) -> [ProductProfile] {
    shop(domain).products
  }

  /// The products of a shop that hang somewhere under a category.
  mutating func products(in domain: Int, under category: Int) -> [ProductProfile] {
    products(in: domain).filter { $0.isListed(under: category) }
  }

  /// The ASINs that a seller has on offer, in the order of the list.
  mutating func storefront(of seller: String, in domain: Int) -> [String] {
    storefronts(in: domain)[seller] ?? []
  }

  /// The ASINs that all sellers have on offer, by the seller's id.
  mutating func storefronts(in domain: Int) -> [String: [String]] {
    var shop = shop(domain)
    if let storefronts = shop.storefronts { return storefronts }
    var storefronts: [String: [String]] = [:]
    for product in shop.products {
      for seller in Set((0..<product.offerCount).map(product.sellerNumber(at:))) {
        storefronts[ProductProfile.seller(seller), default: []].append(product.asin)
      }
    }
    shop.storefronts = storefronts
    shops[domain] = shop
    return storefronts
  }

  private mutating func shop(_ domain: Int) -> Shop {
    if let shop = shops[domain] { return shop }
    let products = (0..<Self.size).map {
      ProductProfile(asin: Self.asin($0, domain: domain), domain: domain)
    }
    let shop = Shop(products: products)
    shops[domain] = shop
    return shop
  }
}

extension ProductProfile {
  /// Whether a category is one of the product's, from the root to the leaf.
  func isListed(under category: Int) -> Bool {
    category == leafCategory || category == branchCategory || category == rootCategory
  }
}
