import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookUpstreams

/// Sums of a price and its shipping that are beyond all numbers.
struct HostileSumTests {
  @Test func `a price that is beyond all numbers with its shipping is none, and not below nothing`()
    throws
  {
    let body = """
      {"products":[{"asin":"B09T2ZLMHB","title":"x","csv":[null],"stats":{"buyBoxPrice":\(Int64.max),
      "buyBoxShipping":5}}],"refillRate":5,"timestamp":1700000000000,"tokensLeft":1,"refillIn":1,
      "tokensConsumed":1}
      """
    let asin = try #require(KeepaASIN("B09T2ZLMHB"))
    let answer = try KeepaProductAnswer.read(
      status: 200, body: Array(body.utf8), asked: [asin], contentSet: .plain)
    let summary = try #require(answer.products.first?.summary)
    #expect(!summary.buyBox.hasCurrent)
  }
}
