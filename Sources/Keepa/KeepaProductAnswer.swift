import JSONText
package import TollbookUpstreams

/// What Keepa's answer to a product call says, read without any I/O.
package struct KeepaProductAnswer: Hashable, Sendable {
  /// What was delivered, in the order in which it was asked for.
  package let products: [KeepaProduct]
  /// Delivered, though nobody asked for it: Keepa leads from one ASIN to another. In the order of the answer.
  package let unasked: [KeepaProduct]
  /// Asked for, and not known to Keepa; in the order asked.
  package let absent: [KeepaASIN]
  /// Asked for, and neither delivered nor known to be absent, because a part of the answer could
  /// not be understood or it says that there was an error; in the order asked. Ask again.
  package let unanswered: [KeepaASIN]
  package let reading: UpstreamReading?
  /// `.known` unless the answer's envelope is damaged; never `.none`.
  package let charge: UpstreamCharge
}

extension KeepaProductAnswer {
  /// Reads an answer.
  ///
  /// Products are found by their `asin`, never by their place: the order of Keepa's list is not
  /// promised. What was asked for counts as absent
  ///
  /// * if its entry has `productType` 4, or no title and no history: how Keepa answers for a
  ///   malformed or unknown ASIN;
  /// * if the whole list is missing from an answer without an error (Keepa's own tests: HTTP 200
  ///   without `products` for an ASIN that is none);
  /// * if its entry is missing from a list that is otherwise readable throughout and has nothing that
  ///   was not asked for. The documentation promises an entry for each ASIN, so this should not
  ///   occur; whether it does is unsure.
  ///
  /// - Parameters:
  ///   - body: the answer's body, already decompressed.
  ///   - asked: the ASINs of the call.
  ///   - contentSet: the paid parts that were asked for.
  ///   - maximumValues: how many values the answer may hold.
  /// - Throws: what went wrong, with its charge.
  package static func read(
    status: Int, body: [UInt8], asked: [KeepaASIN], contentSet: ContentSet,
    maximumValues: Int = KeepaLimits.values
  ) throws(UpstreamFailure) -> KeepaProductAnswer {
    let answer = try KeepaAnswer(
      status: status, body: body, payload: "products", maximumValues: maximumValues)
    let unread = Parts(answer.payload, asked: asked, contentSet)
    guard answer.error == nil || !unread.products.isEmpty else { throw answer.failure }
    let isComplete = answer.error == nil && unread.isReadable && unread.unasked.isEmpty
    let missing = asked.filter { unread.products[$0] == nil && !unread.absent.contains($0) }
    let sureAbsent = isComplete ? unread.absent.union(missing) : unread.absent
    return KeepaProductAnswer(
      products: asked.compactMap { unread.products[$0] },
      unasked: unread.unasked,
      absent: asked.filter(sureAbsent.contains),
      unanswered: isComplete ? [] : missing,
      reading: answer.envelope?.reading, charge: answer.charge)
  }

  /// The products of a list, each with its codes (EAN, UPC, GTIN) without their leading zeros.
  ///
  /// - Parameter most: as many as may come; what is beyond is no answer to what was asked.
  static func products(
    in list: JSONValue?, asked contentSet: ContentSet, atMost most: Int
  ) -> [(product: KeepaProduct, codes: Set<Substring>)] {
    guard let entries = list?.array else { return [] }
    return entries.prefix(most).compactMap { entry in
      guard let asin = entry["asin"]?.string.flatMap({ KeepaASIN($0) }), !Parts.isUnknown(entry)
      else { return nil }
      var codes: Set<Substring> = []
      for name in ["eanList", "upcList", "gtinList"] {
        guard let list = entry[name]?.array else { continue }
        for code in list { code.string.map { _ = codes.insert($0.drop { $0 == "0" }) } }
      }
      return (KeepaProduct(asin, entry, asked: contentSet), codes)
    }
  }

  /// The list of an answer, sorted.
  fileprivate struct Parts {
    var products: [KeepaASIN: KeepaProduct] = [:]
    var unasked: [KeepaProduct] = []
    var absent: Set<KeepaASIN> = []
    /// Whether every entry is an object with an ASIN.
    var isReadable = true

    init(_ list: JSONValue?, asked: [KeepaASIN], _ contentSet: ContentSet) {
      guard let list, !list.isNull else { return }
      guard let entries = list.array else {
        isReadable = false
        return
      }
      let wanted = Set(asked)
      var seen: Set<KeepaASIN> = []
      for entry in entries {
        guard let asin = entry["asin"]?.string.flatMap({ KeepaASIN($0) }) else {
          isReadable = false
          continue
        }
        guard wanted.contains(asin) else {
          if !Self.isUnknown(entry), unasked.count < KeepaLimits.unasked, seen.insert(asin).inserted
          {
            unasked.append(KeepaProduct(asin, entry, asked: contentSet))
          }
          continue
        }
        if Self.isUnknown(entry) {
          absent.insert(asin)
        } else {
          absent.remove(asin)
          products[asin] = KeepaProduct(asin, entry, asked: contentSet)
        }
      }
      absent.subtract(products.keys)
    }

    static func isUnknown(_ product: JSONValue) -> Bool {
      if product["productType"]?.int64 == 4 { return true }
      guard product["title"]?.string == nil else { return false }
      return !(product["csv"]?.array?.contains { !$0.isNull } ?? false)
    }
  }
}

extension KeepaProduct {
  /// - Parameter contentSet: the paid parts that were asked for.
  init(_ asin: KeepaASIN, _ product: JSONValue, asked contentSet: ContentSet) {
    // Where the offers could not be collected Keepa takes the price of a plain product, and brings one (fact sheet,
    // section 5).
    let isPlain = contentSet.covers(.offers) && product["offersSuccessful"]?.bool == false
    self.init(
      asin: asin, body: Array(product.bytes), contentSet: isPlain ? .plain : contentSet,
      cuts: ProductPart.cuts(of: product),
      summary: KeepaSummary.read(product),
      lastUpdateMilliseconds: KeepaTime.milliseconds(
        minutes: product["lastUpdate"]?.int64 ?? 0))
  }
}
