import JSONText

/// What all answers about listings need to know.
struct EbayScene: Sendable {
  let market: EbayMarket
  let site: EbaySite
  /// The market's clock, milliseconds since 1970.
  let now: Int64
  /// Where the caller reaches the simulator, without a slash at the end.
  let base: String
  /// Items that are gone before their time.
  let endedItems: Set<String>
  /// Whether the caller names the place of delivery.
  let isPlaced: Bool
  /// Whether all items are gone that are asked for by id.
  var hidesItems = false

  /// A listing that a caller finds, with its family.
  struct Found: Sendable {
    let offer: EbayOffer
    let family: EbayFamily
  }

  /// The listing with a number, if it is there now.
  func found(legacy: Int64) -> Found? {
    guard !hidesItems, let offer = market.offer(legacy: legacy), offer.isThere(at: now),
      !endedItems.contains(offer.itemId)
    else { return nil }
    return Found(offer: offer, family: market.families[offer.number.family])
  }

  /// The families that a question can mean, each with what its listings' titles must have beside its name.
  func families(_ question: EbayQuestion) -> [(family: EbayFamily, rest: [[[String]]])] {
    guard !question.isEmpty else { return [] }
    return market.families.compactMap { family in
      if let id = question.category, id != family.category.id, id != family.category.parentId {
        return nil
      }
      if let epid = question.epid, epid != family.epid { return nil }
      if let gtin = question.gtin, gtin != family.gtin { return nil }
      guard question.sieve.admits(family) else { return nil }
      guard let wording = question.wording else { return (family, []) }
      return wording.rest(family).map { (family, $0) }
    }
  }
}

/// Answers `item_summary/search`.
struct EbaySearchWork: Sendable {
  let scene: EbayScene
  let question: EbayQuestion
  /// The path and the query as they stand in the URL.
  let path: String
  let query: String

  /// The body.
  func json() -> [UInt8] {
    let all = sorted(all())
    let end = min(all.count, question.offset + question.limit, EbayQuestion.mostOffset)
    let page = question.offset < end ? all[question.offset..<end] : []
    var json = JSONWriter(capacity: 1_024 + 1_600 * page.count)
    json.object { json in
      json.field("href", href(question.offset))
      json.field("total", all.count)
      let next = question.offset + question.limit
      if next < min(all.count, EbayQuestion.mostOffset) { json.field("next", href(next)) }
      if question.offset > 0 {
        json.field("prev", href(max(0, question.offset - question.limit)))
      }
      json.field("limit", question.limit)
      json.field("offset", question.offset)
      if !page.isEmpty, showsItems {
        json.array("itemSummaries", page) { json, found in
          EbaySummary(scene: scene, found: found)
            .write(isExtended: isExtended, to: &json)
        }
      }
      if !all.isEmpty { writeRefinement(all, to: &json) }
      if !question.warnings.isEmpty {
        json.array("warnings", question.warnings) { json, warning in warning.write(to: &json) }
      }
    }
    return json.bytes
  }

  private var isExtended: Bool {
    question.fieldGroups.contains("EXTENDED") || question.fieldGroups.contains("FULL")
  }

  private var showsItems: Bool {
    question.fieldGroups.isEmpty || isExtended
      || question.fieldGroups.contains("MATCHING_ITEMS")
  }

  /// The address of a page: as it was asked for, with another offset.
  private func href(_ offset: Int) -> String {
    var parts = query.split(separator: "&").filter {
      !$0.hasPrefix("limit=") && !$0.hasPrefix("offset=")
    }.map(String.init)
    parts += ["limit=\(question.limit)", "offset=\(offset)"]
    return "\(scene.base)\(path)?\(parts.joined(separator: "&"))"
  }

  // MARK: What is found

  /// Everything that is found, in no order.
  private func all() -> [EbayScene.Found] {
    var all: [EbayScene.Found] = []
    for (family, rest) in scene.families(question) {
      for offer in scene.market.offers(scene.site, family.index, at: scene.now)
      where question.sieve.admits(offer, scene.site, at: scene.now)
        && (rest.isEmpty || EbayWording.meets(rest, offer.extraTokens))
        && (scene.endedItems.isEmpty || !scene.endedItems.contains(offer.itemId))
        && question.aspects.allSatisfy({ hasAspect($0, offer, family) })
      {
        all.append(EbayScene.Found(offer: offer, family: family))
      }
    }
    return all
  }

  private func hasAspect(
    _ aspect: EbayQuestion.Aspect, _ offer: EbayOffer, _ family: EbayFamily
  ) -> Bool {
    EbaySummary.aspects(offer, family).contains {
      $0.name.lowercased() == aspect.name && aspect.values.contains($0.value.lowercased())
    }
  }

  /// In the order of the question; where that does not tell, by number.
  private func sorted(_ all: [EbayScene.Found]) -> [EbayScene.Found] {
    let keys: [(UInt64, Int64, Int)] = all.enumerated().map { index, found in
      let offer = found.offer
      let key: Int64? =
        switch question.sort {
        case .bestMatch, .distance: nil
        case .price: offer.current(at: scene.now)
        case .priceDescending: -offer.current(at: scene.now)
        case .newlyListed: -offer.origin
        case .endingSoonest: offer.tellsEnd ? offer.ends : .max
        }
      // The sign is turned so that numbers below zero come first.
      let order = key.map { UInt64(bitPattern: $0) ^ (1 << 63) } ?? offer.rank
      return (order, offer.legacy, index)
    }
    return keys.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { all[$0.2] }
  }

  // MARK: Refinements

  private func writeRefinement(_ all: [EbayScene.Found], to json: inout JSONWriter) {
    let groups = question.fieldGroups
    let isFull = groups.contains("FULL")
    guard isFull || groups.contains(where: { $0.hasSuffix("_REFINEMENTS") }) else { return }
    func counts(_ name: (EbayScene.Found) -> String) -> [(name: String, count: Int)] {
      Dictionary(grouping: all, by: name).map { ($0.key, $0.value.count) }
        .sorted { $0.0 < $1.0 }
    }
    json.object("refinement") { json in
      if isFull || groups.contains("CONDITION_REFINEMENTS") {
        json.array("conditionDistributions", counts { String($0.offer.grade.rawValue) }) {
          json, row in
          json.object { json in
            let grade = Int(row.name).flatMap(EbayGrade.init)
            json.field("condition", grade?.label ?? "")
            json.field("conditionId", row.name)
            json.field("matchCount", row.count)
          }
        }
      }
      if isFull || groups.contains("CATEGORY_REFINEMENTS") {
        json.array("categoryDistributions", counts { $0.family.category.id }) { json, row in
          json.object { json in
            json.field("categoryId", row.name)
            json.field(
              "categoryName", EbayWords.categories.first { $0.id == row.name }?.name ?? "")
            json.field("matchCount", row.count)
          }
        }
      }
      if isFull || groups.contains("BUYING_OPTION_REFINEMENTS") {
        let rows = counts { $0.offer.sale == .auction ? "AUCTION" : "FIXED_PRICE" }
        json.array("buyingOptionDistributions", rows) { json, row in
          json.object { json in
            json.field("buyingOption", row.name)
            json.field("matchCount", row.count)
          }
        }
      }
      if isFull || groups.contains("ASPECT_REFINEMENTS") {
        json.array("aspectDistributions") { json in
          writeAspect("Brand", counts { $0.family.brand }, to: &json)
          writeAspect("Colour", counts { $0.offer.colour }, to: &json)
        }
      }
    }
  }

  private func writeAspect(
    _ name: String, _ rows: [(name: String, count: Int)], to json: inout JSONWriter
  ) {
    json.object { json in
      json.field("localizedAspectName", name)
      json.array("aspectValueDistributions", rows) { json, row in
        json.object { json in
          json.field("localizedAspectValue", row.name)
          json.field("matchCount", row.count)
        }
      }
    }
  }
}
