import JSONText

/// Writes a listing: as an element of `itemSummaries`, or with its details as an item.
struct EbaySummary: Sendable {
  let scene: EbayScene
  let found: EbayScene.Found

  private var offer: EbayOffer { found.offer }
  private var family: EbayFamily { found.family }

  /// The properties of a listing.
  static func aspects(
    _ offer: EbayOffer, _ family: EbayFamily
  ) -> [(name: String, value: String)] {
    [
      ("Brand", family.brand), ("Model", family.model), ("MPN", family.model),
      ("Colour", offer.colour),
    ]
  }

  /// An element of `itemSummaries`.
  func write(isExtended: Bool, to json: inout JSONWriter) {
    json.object { json in
      writeHead(to: &json)
      json.array("leafCategoryIds", [family.category.id])
      json.array("categories") { json in
        writeCategory(family.category.id, family.category.name, to: &json)
        writeCategory(family.category.parentId, family.category.parentName, to: &json)
      }
      if isExtended { json.field("shortDescription", "\(family.noun) by \(family.brand).") }
      writeCommon(showsCity: isExtended, to: &json)
      if offer.shape == .group {
        json.field("itemGroupHref", groupHref)
        json.field("itemGroupType", "SELLER_DEFINED_VARIATIONS")
      }
      if offer.hasPickup {
        json.array("pickupOptions") { json in
          json.object { $0.field("pickupLocationType", "STORE") }
        }
      }
    }
  }

  /// The item with its details.
  func writeItem(to json: inout JSONWriter) {
    json.object { json in
      writeHead(to: &json)
      json.field("categoryId", family.category.id)
      json.field("categoryPath", "\(family.category.parentName)|\(family.category.name)")
      json.field("categoryIdPath", "\(family.category.parentId)|\(family.category.id)")
      json.field("shortDescription", "\(family.noun) by \(family.brand).")
      writeCommon(showsCity: true, to: &json)
      json.field("brand", family.brand)
      json.field("mpn", family.model)
      json.field("gtin", family.gtin)
      json.field("epid", family.epid)
      if case .lot(let count) = offer.shape { json.field("lotSize", count) }
      json.array("localizedAspects", Self.aspects(offer, family)) { json, aspect in
        json.object { json in
          json.field("type", "STRING")
          json.field("name", aspect.name)
          json.field("value", aspect.value)
        }
      }
      json.array("estimatedAvailabilities") { json in
        json.object { json in
          let sold = offer.sold(at: scene.now)
          json.array("deliveryOptions", ["SHIP_TO_HOME"])
          json.field("estimatedAvailabilityStatus", "IN_STOCK")
          json.field("estimatedAvailableQuantity", max(1, offer.quantity - sold))
          json.field("estimatedSoldQuantity", sold)
        }
      }
      if offer.shape == .group {
        json.object("primaryItemGroup") { json in
          json.field("itemGroupId", String(offer.legacy))
          json.field("itemGroupType", "SELLER_DEFINED_VARIATIONS")
          json.field("itemGroupHref", groupHref)
          json.field("itemGroupTitle", offer.title(family))
        }
      }
      json.object("returnTerms") { $0.field("returnsAccepted", offer.takesReturns) }
      json.field(
        "description", "<p>\(offer.title(family)). This item and its seller are invented.</p>")
    }
  }

  private func writeHead(to json: inout JSONWriter) {
    json.field("itemId", offer.itemId)
    json.field("legacyItemId", String(offer.legacy))
    json.field("title", offer.title(family))
  }

  private func writeCategory(_ id: String, _ name: String, to json: inout JSONWriter) {
    json.object { json in
      json.field("categoryId", id)
      json.field("categoryName", name)
    }
  }

  // MARK: Members of both

  private func writeCommon(showsCity: Bool, to json: inout JSONWriter) {
    let ask = offer.ask(at: scene.now)
    json.object("image") { $0.field("imageUrl", "\(scene.base)/images/\(offer.legacy).png") }
    writeMoney("price", ask.price, to: &json)
    if let bid = ask.currentBid {
      writeMoney("currentBidPrice", bid, to: &json)
      json.field("bidCount", ask.bidCount)
    }
    if let before = ask.before { writeMarketing(before, ask.price, to: &json) }
    let step = EbayReadingText.encoded(offer.itemId)
    json.field("itemHref", "\(scene.base)/buy/browse/v1/item/\(step)")
    json.field("itemWebUrl", "\(scene.base)/itm/\(offer.legacy)")
    json.object("seller") { json in
      let feedback = offer.seller.feedback
      json.field("username", offer.seller.name)
      json.field("feedbackPercentage", "\(feedback.tenths / 10).\(feedback.tenths % 10)")
      json.field("feedbackScore", feedback.score)
      if scene.site.takesAccountTypes {
        json.field("sellerAccountType", offer.seller.isBusiness ? "BUSINESS" : "INDIVIDUAL")
      }
    }
    json.field("condition", offer.grade.label)
    json.field("conditionId", String(offer.grade.rawValue))
    json.array("buyingOptions", ask.options)
    writeShipping(to: &json)
    json.object("itemLocation") { json in
      if showsCity { json.field("city", offer.city) }
      json.field("postalCode", offer.postalCode)
      json.field("country", offer.country)
    }
    json.field("itemCreationDate", EbayReadingText.instant(offer.created))
    json.field("itemOriginDate", EbayReadingText.instant(offer.origin))
    if offer.tellsEnd { json.field("itemEndDate", EbayReadingText.instant(offer.ends)) }
    json.field("listingMarketplaceId", scene.site.id)
    json.field("priorityListing", false)
    json.field("adultOnly", false)
    json.field("topRatedBuyingExperience", offer.chance % 5 == 0)
  }

  private var groupHref: String {
    "\(scene.base)/buy/browse/v1/item/get_items_by_item_group?item_group_id=\(offer.legacy)"
  }

  /// An amount: of a seller abroad converted, or in the foreign currency alone.
  private func writeMoney(_ name: String, _ amount: Int64, to json: inout JSONWriter) {
    json.object(name) { json in
      guard let foreign = offer.foreign else {
        json.field("value", offer.coin.text(hundredths: amount))
        json.field("currency", offer.coin.code)
        return
      }
      let original = foreign.text(hundredths: offer.coin.hundredths(amount, in: foreign))
      json.field("value", offer.isConverted ? offer.coin.text(hundredths: amount) : original)
      json.field("currency", offer.isConverted ? offer.coin.code : foreign.code)
      guard offer.isConverted else { return }
      json.field("convertedFromValue", original)
      json.field("convertedFromCurrency", foreign.code)
    }
  }

  /// What the seller says that it cost before.
  private func writeMarketing(_ before: Int64, _ price: Int64, to json: inout JSONWriter) {
    json.object("marketingPrice") { json in
      writeMoney("originalPrice", before, to: &json)
      json.field("discountPercentage", String((before - price) * 100 / max(1, before)))
      writeMoney("discountAmount", before - price, to: &json)
    }
  }

  /// Of a fifth nothing tells what shipping costs: it is calculated, or there is no word about it.
  private func writeShipping(to json: inout JSONWriter) {
    guard offer.shipping != .untold else { return }
    json.array("shippingOptions") { json in
      json.object { json in
        if case .calculated = offer.shipping {
          json.field("shippingCostType", "CALCULATED")
        } else {
          json.field("shippingCostType", "FIXED")
        }
        if let cost = offer.shippingCost(toPlace: scene.isPlaced) {
          writeMoney("shippingCost", cost, to: &json)
        }
      }
    }
  }
}
