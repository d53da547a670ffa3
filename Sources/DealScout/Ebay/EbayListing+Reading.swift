package import JSONText
import TollbookEvents

extension EbayListing {
  /// Reads one element of `itemSummaries`.
  ///
  /// - Parameters:
  ///   - place: how an error names it.
  ///   - sellerDigest: makes of a seller's name what may be kept of it.
  /// - Throws: the member that is missing, doubled or not what it should be.
  package init(
    _ value: JSONValue, place: String = "", sellerDigest: ((String) -> String)? = nil
  ) throws(EbayReadingError) {
    let item = try EbayReader(value, place)
    itemId = try item.itemId("itemId")
    guard let title = try item.line("title", atMost: 200) else {
      throw item.fault(.missing, "title")
    }
    self.title = title
    price = try item.money("price")
    currentBid = try item.money("currentBidPrice")
    guard price != nil || currentBid != nil else {
      throw EbayReadingError(.priceless, at: place)
    }
    bidCount = try item.integer("bidCount", 0...1_000_000)
    buyingOptions = try item.buyingOptions()
    condition = try item.line("condition", atMost: 100)
    conditionId = try item.conditionId()
    shipping = try item.shipping(preferring: (price ?? currentBid)?.currency)
    seller = try item.seller(sellerDigest)
    categories = try item.categories()
    epid = try item.text("epid", most: 64)
    let location = try item.object("itemLocation")
    country = try location?.text("country", most: 16)
    let image = try item.object("image")
    imageURL = try image?.address("imageUrl")
    webURL = try item.address("itemWebUrl")
    createdAt = try item.instant("itemCreationDate")
    originAt = try item.instant("itemOriginDate")
    endsAt = try item.instant("itemEndDate")
    group = try item.group()
    marketplace = try item.text("listingMarketplaceId", most: 64)
      .flatMap { EbayMarketplace(rawValue: $0) }
    isAdultOnly = try item.flag("adultOnly") ?? false
    isPromoted = try item.flag("priorityListing") ?? false
  }
}

// MARK: - Parts that listings and items share

extension EbayReader {
  func itemId(_ name: String) throws(EbayReadingError) -> EbayItemID {
    let text = try required(try text(name, most: 256), name)
    guard let id = EbayItemID(text) else { throw fault(.badItemId(text), name) }
    return id
  }

  func buyingOptions() throws(EbayReadingError) -> [EbayBuyingOption] {
    var options: Set<EbayBuyingOption> = []
    for element in try elements("buyingOptions", most: 20) {
      let word = try Self.text(element.value, element.place, most: 64)
      if let option = EbayBuyingOption(rawValue: word) { options.insert(option) }
    }
    return options.sorted { $0.rawValue < $1.rawValue }
  }

  func conditionId() throws(EbayReadingError) -> Int? {
    guard let text = try text("conditionId", most: 16) else { return nil }
    guard EbayText.isDigits(text, 1...6), let id = Int(text) else {
      throw fault(.badNumber(text), "conditionId")
    }
    return id
  }

  /// The cheapest option whose cost is told, of those in a currency before others.
  func shipping(preferring currency: EbayCurrency?) throws(EbayReadingError) -> EbayShipping {
    var costs: [EbayMoney] = []
    for element in try elements("shippingOptions", most: 100) {
      let option = try EbayReader(element.value, element.place)
      _ = try option.text("shippingCostType", most: 64)
      if let cost = try option.money("shippingCost") { costs.append(cost) }
    }
    let own = costs.filter { $0.currency == currency }
    let others = own.isEmpty ? costs.filter { $0.currency == costs.first?.currency } : own
    guard let cheapest = others.min(by: { $0.minorUnits < $1.minorUnits }) else {
      return .unknown
    }
    return cheapest.isZero ? .free : .known(cheapest)
  }

  func seller(
    _ digest: ((String) -> String)?
  ) throws(EbayReadingError) -> EbaySellerRating? {
    guard let seller = try object("seller") else { return nil }
    let name = try seller.text("username", most: 256)
    var percentage: Int64?
    if let text = try seller.text("feedbackPercentage", most: 16) {
      guard let units = Self.hundredths(text), units <= 10_000 else {
        throw seller.fault(.badNumber(text), "feedbackPercentage")
      }
      percentage = units
    }
    return EbaySellerRating(
      feedbackScore: try seller.integer("feedbackScore", -1_000_000...1_000_000_000),
      feedbackPercentage: percentage, digest: name.flatMap { digest?($0) })
  }

  /// A decimal number in hundredths; what is smaller is cut off.
  private static func hundredths(_ text: String) -> Int64? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, EbayText.isDigits(parts[1], 1...12) else {
      return EbayMoney.minorUnits(text, exponent: 2)
    }
    return EbayMoney.minorUnits("\(parts[0]).\(parts[1].prefix(2))", exponent: 2)
  }

  /// Leaf categories first (`leafCategoryIds`), then all that `categories` names.
  func categories() throws(EbayReadingError) -> [String] {
    var ids: [String] = []
    for element in try elements("leafCategoryIds", most: 50) {
      ids.append(try Self.text(element.value, element.place, most: 32))
    }
    for element in try elements("categories", most: 50) {
      let category = try EbayReader(element.value, element.place)
      if let id = try category.text("categoryId", most: 32) { ids.append(id) }
    }
    var seen: Set<String> = []
    return ids.filter { EbaySearch.isCategory($0) && seen.insert($0).inserted }
  }

  /// `itemGroupHref` and `itemGroupType` of a listing.
  func group() throws(EbayReadingError) -> EbayItemGroup? {
    let href = try text("itemGroupHref", most: 2_048)
    let type = try text("itemGroupType", most: 64)
    guard href != nil || type != nil else { return nil }
    let query = href.flatMap { $0.firstRange(of: "item_group_id=") }
    let id = query.flatMap { range in href?[range.upperBound...].prefix { $0 != "&" } }
    return EbayItemGroup(
      id: id.flatMap { EbayText.isDigits($0, 1...20) ? String($0) : nil }, type: type)
  }
}
