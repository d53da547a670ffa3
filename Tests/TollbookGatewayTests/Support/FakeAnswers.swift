import Keepa
import TollbookUpstreams

/// What the fake Keepa knows about products.
enum FakeAnswers {
  /// As captured (fact sheet, section 3), with the status of a well-formed key that has no access.
  static let rejectedKey: (Int, [UInt8]) = (
    402,
    Array(
      """
      {"timestamp":1,"tokensLeft":0,"refillIn":0,"refillRate":0,"tokensConsumed":0,\
      "error":{"type":"unauthorized","message":"pay first"}}
      """.utf8)
  )

  /// Never above the price list's bound, and often below it.
  static func price(of asin: KeepaASIN, _ contentSet: ContentSet) -> Int64 {
    let digit = Int64(asin.description.utf8.last ?? 48)
    if contentSet.covers(.offers) { return [1, 5, 6, 12][Int(digit % 4)] }
    return 1 + (contentSet.contains(.rating) ? digit % 2 : 0)
      + (contentSet.contains(.buyBox) ? 2 : 0)
  }

  /// A product whose title names the call that it came with.
  static func product(
    _ asin: String, call: Int, _ contentSet: ContentSet, collectsOffers: Bool = true
  ) -> String {
    """
    {"asin":"\(asin)","productType":0,"title":"\(asin) of call \(call)",\
    "lastUpdate":7800000,"csv":[[7800000,100]],"set":\(contentSet.rawValue),\
    "offersSuccessful":\(collectsOffers)}
    """
  }

  static func unknown(_ asin: String) -> String {
    "{\"asin\":\"\(asin)\",\"productType\":4,\"title\":null,\"csv\":null}"
  }
}
