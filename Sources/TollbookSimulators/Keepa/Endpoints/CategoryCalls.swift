/// `/category`: categories by id, or all roots. One token, whatever the count.
struct CategoryCall: KeepaCall {
  let domain: Int
  let ids: [Int]
  let addsParents: Bool

  /// The price of a lookup (fact sheet, section 5).
  static let tokens = 1
  static let mostIDs = 10

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    domain = try parameters.domain()
    var ids: [Int] = []
    for text in try parameters.list("category", most: Self.mostIDs) {
      guard let id = Int(text), id >= 0 else {
        throw KeepaRejection(details: "category is no list of ids")
      }
      ids.append(id)
    }
    guard !ids.contains(0) || ids.count == 1 else {
      throw KeepaRejection(details: "category 0 stands alone")
    }
    self.ids = ids
    addsParents = try parameters.flag("parents")
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    let found = ids == [0] ? KeepaCategory.roots : ids.compactMap(KeepaCategory.category)
    return KeepaWork.categories(
      found, parents: addsParents, matched: nil, in: domain, &world, tokens: Self.tokens)
  }
}

/// `/search` with `type=category`: categories whose names have all words of a term. One token.
struct CategorySearchCall: KeepaCall {
  let domain: Int
  /// In small letters.
  let words: [String]
  let addsParents: Bool

  static let mostFound = 50

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    domain = try parameters.domain()
    words = try parameters.text("term").lowercased().split(separator: " ").map(String.init)
    // Fact sheet, section 5.
    guard !words.isEmpty, words.allSatisfy({ $0.count >= 3 }) else {
      throw KeepaRejection(details: "each word of term needs three letters or more")
    }
    addsParents = try parameters.flag("parents")
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    let found = KeepaCategory.all.lazy.filter { category in
      let name = category.name.lowercased()
      return words.allSatisfy { name.contains($0) }
    }
    return KeepaWork.categories(
      Array(found.prefix(Self.mostFound)), parents: addsParents, matched: true, in: domain,
      &world, tokens: CategoryCall.tokens)
  }
}

extension KeepaWork {
  /// The members `categories` and, if wanted, `categoryParents`: maps by id.
  fileprivate static func categories(
    _ found: [KeepaCategory], parents: Bool, matched: Bool?, in domain: Int,
    _ world: inout KeepaWorld, tokens: Int
  ) -> KeepaWork {
    let products = world.catalogue.products(in: domain)
    func facts(_ category: KeepaCategory) -> KeepaCategoryFacts {
      KeepaCategoryFacts(
        category: category, domain: domain,
        products: products.filter { $0.isListed(under: category.id) })
    }
    var above: [KeepaCategory] = []
    if parents {
      for ancestor in found.flatMap(KeepaCategory.ancestors) where !above.contains(ancestor) {
        above.append(ancestor)
      }
    }
    let foundFacts = found.map(facts)
    let aboveFacts = above.map(facts)
    return KeepaWork(tokens: tokens, capacity: 1024 * (found.count + above.count + 1)) { json in
      json.key("categories")
      json.object { json in
        for facts in foundFacts {
          json.key(String(facts.category.id))
          facts.write(to: &json, matched: matched)
        }
      }
      guard parents else { return }
      json.key("categoryParents")
      json.object { json in
        for facts in aboveFacts {
          json.key(String(facts.category.id))
          facts.write(to: &json)
        }
      }
    }
  }
}
