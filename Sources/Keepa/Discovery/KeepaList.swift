import JSONText

/// The products that an answer of the finder, or a list of best sellers, names.
struct KeepaList {
  /// In Keepa's order. What is no ASIN is left out.
  let asins: [KeepaASIN]
  /// How many there are, if Keepa said so; else those that are listed.
  let total: Int64

  init(_ body: [UInt8]) throws(JSONError) {
    let root = try JSONDocument(body).root
    let list = root["asinList"] ?? root["bestSellersList"]?["asinList"]
    asins = list?.array?.compactMap { $0.string.flatMap { KeepaASIN($0) } } ?? []
    total = root["totalResults"]?.int64 ?? Int64(asins.count)
  }
}
