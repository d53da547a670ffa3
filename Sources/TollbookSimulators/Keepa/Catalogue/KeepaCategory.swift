/// A node of the category tree: eight roots, a branch under each, leaves under each branch.
///
/// The tree is the same in every shop. Ids of every third leaf do not fit into 32 bits.
struct KeepaCategory: Sendable, Equatable {
  let id: Int
  let name: String
  /// 0 for a root.
  let parent: Int
  /// How sub-pages of the shop call the root it belongs to.
  let group: String
  let children: [Int]

  /// Leaves that products hang under, per branch.
  static let leavesPerBranch = 40

  /// The whole tree, every root followed by what is under it.
  static let all: [KeepaCategory] = ProductWords.families.indices.flatMap { tree(of: $0) }

  static let roots = all.filter { $0.parent == 0 }

  private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })

  /// The category with an id; nil if there is none.
  static func category(_ id: Int) -> KeepaCategory? { byID[id] }

  /// The categories above one, the nearest first.
  static func ancestors(of category: KeepaCategory) -> [KeepaCategory] {
    var ancestors: [KeepaCategory] = []
    var next = byID[category.parent]
    while let ancestor = next {
      ancestors.append(ancestor)
      next = byID[ancestor.parent]
    }
    return ancestors
  }

  /// The root whose products a group names, such as `kitchen_display_on_website`.
  static func root(ofGroup group: String) -> KeepaCategory? {
    roots.first { $0.group == group }
  }

  /// The id of a root.
  static func rootID(family: Int) -> Int { 90_000_011 + family * 1_000_000 }

  /// The id of the branch under a root.
  static func branchID(family: Int) -> Int { 900_000_011 + family * 10_000_000 }

  /// The id of a leaf. Leaf 40 is one that nothing hangs under.
  static func leafID(family: Int, leaf: Int) -> Int {
    leaf % 3 == 0
      ? 90_000_000_011 + family * 100_000_000 + leaf * 1000
      : 1_900_000_011 + family * 10_000_000 + leaf * 1000
  }

  private static func tree(of family: Int) -> [KeepaCategory] {
    let words = ProductWords.families[family]
    let branch = branchID(family: family)
    let leaves = (0...leavesPerBranch).map { leaf in
      KeepaCategory(
        id: leafID(family: family, leaf: leaf),
        name: leaf == leavesPerBranch ? "Retired \(words.leaf)" : words.leaf,
        parent: branch, group: words.group, children: [])
    }
    return [
      KeepaCategory(
        id: rootID(family: family), name: words.root, parent: 0, group: words.group,
        children: [branch]),
      KeepaCategory(
        id: branch, name: words.branch, parent: rootID(family: family), group: words.group,
        children: leaves.map(\.id)),
    ] + leaves
  }
}

/// What Keepa tells about a category, taken from the products under it.
struct KeepaCategoryFacts: Sendable {
  let category: KeepaCategory
  let domain: Int
  let products: [ProductProfile]

  /// Writes the object (fact sheet, section 6); `matched` is what a search adds.
  func write(to json: inout JSONBytes, matched: Bool? = nil) {
    let prices = products.map(\.basePrice)
    let ranks = products.map(\.baseRank)
    let offers = products.map(\.offerCount)
    let average = prices.isEmpty ? -1 : prices.reduce(0, +) / prices.count
    json.object { json in
      json.member("avgBuyBox", average)
      json.member("avgBuyBox365", average)
      json.member("avgBuyBox90", average)
      json.member("avgOfferCountNew", offers.isEmpty ? -1 : offers.reduce(0, +) / offers.count)
      json.member("avgOfferCountUsed", products.isEmpty ? -1 : percent { $0.hasUsed } * 3 / 100)
      json.member("brandCount", Set(products.map(\.brand)).count)
      json.member("catId", category.id)
      json.member("children", category.children.isEmpty ? nil : category.children)
      json.member("contextFreeName", category.name)
      json.member("domainId", domain)
      json.member("hasCouponPercent", percent { $0.hasCoupon })
      json.member("highestRank", ranks.max() ?? -1)
      json.member("isBrowseNode", category.parent != 0)
      json.member("isFBAPercent", products.isEmpty ? -1 : 60)
      json.member("lowestRank", ranks.min() ?? -1)
      if let matched { json.member("matched", matched) }
      json.member("name", category.name)
      json.member("parent", category.parent)
      json.member("productCount", products.count)
      json.member("soldByAmazonPercent", percent { $0.soldByAmazon })
      json.member("websiteDisplayGroup", category.parent == 0 ? category.group : nil)
    }
  }

  private func percent(_ counts: (ProductProfile) -> Bool) -> Int {
    products.isEmpty ? -1 : 100 * products.count(where: counts) / products.count
  }
}
