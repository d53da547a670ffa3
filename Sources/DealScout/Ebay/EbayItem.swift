package import JSONText
package import TollbookEvents

/// An item with its details (`item/{item_id}`): the listing, and what a search does not show.
package struct EbayItem: Hashable, Sendable {
  /// A property in the words of the seller, such as `Colour` and `Red`.
  package struct Aspect: Hashable, Sendable {
    package let name: String
    package let value: String
  }

  package enum Availability: String, Hashable, Sendable, CaseIterable {
    case inStock = "IN_STOCK"
    case limitedStock = "LIMITED_STOCK"
    case outOfStock = "OUT_OF_STOCK"
  }

  package static let mostAspects = 200

  /// Prices, shipping, dates and the like. Its categories are the leaf category.
  package let listing: EbayListing
  package let gtin: String?
  package let brand: String?
  /// The manufacturer's number of the part.
  package let mpn: String?
  package let aspects: [Aspect]
  /// Nil: it is not told, or in a word that is not known here.
  package let availability: Availability?
  /// How many can be bought, as eBay estimates; a threshold where the seller tells no more.
  package let estimatedAvailableQuantity: Int64?
  /// How many were sold, as eBay estimates.
  package let estimatedSoldQuantity: Int64?
  /// In the seller's words.
  package let conditionDescription: String?
  /// How many pieces are sold as one.
  package let lotSize: Int64?

  package var endsAt: Timestamp? { listing.endsAt }

  /// Whether nobody can buy it at an instant: it is over, or there is none left.
  package func isGone(at now: Timestamp) -> Bool {
    availability == .outOfStock || endsAt.map { $0 <= now } ?? false
  }

  /// Reads an answer with status 200.
  ///
  /// - Throws: the member that is missing, doubled or not what it should be.
  package init(
    _ bytes: [UInt8], sellerDigest: ((String) -> String)? = nil
  ) throws(EbayReadingError) {
    let root = try EbayReader.root(
      bytes, most: EbaySearchPage.mostBytes, values: EbaySearchPage.mostValues)
    if let first = try root.elements("errors", most: EbayErrorBody.mostEntries).first {
      throw EbayReadingError(.refused(EbayErrorEntry(first.value).text), at: "errors[0]")
    }
    try self.init(root.whole, place: "", sellerDigest: sellerDigest)
  }

  /// - Parameter place: how an error names it.
  package init(
    _ value: JSONValue, place: String, sellerDigest: ((String) -> String)? = nil
  ) throws(EbayReadingError) {
    let item = try EbayReader(value, place)
    listing = try EbayListing(item: item, sellerDigest: sellerDigest)
    let product = try item.object("product")
    gtin = try item.gtin(product)
    brand = try item.line("brand", atMost: 200)
    mpn = try item.line("mpn", atMost: 200)
    aspects = try item.aspects()
    let stock = try item.stock()
    availability = stock.availability
    estimatedAvailableQuantity = stock.available
    estimatedSoldQuantity = stock.sold
    conditionDescription = try item.line("conditionDescription", atMost: 1_000)
    lotSize = try item.integer("lotSize", 0...1_000_000_000)
  }
}

extension EbayReader {
  /// The item's own number, or the first of its product.
  fileprivate func gtin(_ product: EbayReader?) throws(EbayReadingError) -> String? {
    if let own = try text("gtin", most: 64) { return Self.gtin(own) }
    guard let first = try product?.elements("gtins", most: 100).first else { return nil }
    return Self.gtin(try Self.text(first.value, first.place, most: 64))
  }

  /// Sellers write "Does not apply" and the like: what is no number is none.
  private static func gtin(_ text: String) -> String? {
    EbayText.isDigits(text, 8...14) ? text : nil
  }

  fileprivate func aspects() throws(EbayReadingError) -> [EbayItem.Aspect] {
    var aspects: [EbayItem.Aspect] = []
    for element in try elements("localizedAspects", most: EbayItem.mostAspects) {
      let aspect = try EbayReader(element.value, element.place)
      guard let name = try aspect.line("name", atMost: 200),
        let value = try aspect.line("value", atMost: 1_000)
      else { continue }
      aspects.append(EbayItem.Aspect(name: name, value: value))
    }
    return aspects
  }

  /// The first of `estimatedAvailabilities` that tells something.
  fileprivate func stock() throws(EbayReadingError) -> (
    availability: EbayItem.Availability?, available: Int64?, sold: Int64?
  ) {
    let counts: ClosedRange<Int64> = 0...1_000_000_000_000
    var found: (availability: EbayItem.Availability?, available: Int64?, sold: Int64?) = (
      nil, nil, nil
    )
    for element in try elements("estimatedAvailabilities", most: 100) {
      let stock = try EbayReader(element.value, element.place)
      let word = try stock.text("estimatedAvailabilityStatus", most: 64)
      let quantity = try stock.integer("estimatedAvailableQuantity", counts)
      let threshold = try stock.integer("availabilityThreshold", counts)
      let sold = try stock.integer("estimatedSoldQuantity", counts)
      found.availability = found.availability ?? word.flatMap { .init(rawValue: $0) }
      found.available = found.available ?? quantity ?? threshold
      found.sold = found.sold ?? sold
    }
    return found
  }
}

extension EbayListing {
  /// An item has its category and its group under other names than a listing of a search.
  fileprivate init(
    item: EbayReader, sellerDigest: ((String) -> String)?
  ) throws(EbayReadingError) {
    var listing = try EbayListing(item.whole, place: item.place, sellerDigest: sellerDigest)
    if let category = try item.text("categoryId", most: 32), EbaySearch.isCategory(category) {
      listing.categories = [category]
    }
    if let group = try item.object("primaryItemGroup") {
      let id = try group.text("itemGroupId", most: 64)
      listing.group = EbayItemGroup(
        id: id.flatMap { EbayText.isDigits($0, 1...20) ? $0 : nil },
        type: try group.text("itemGroupType", most: 64))
    }
    self = listing
  }
}
