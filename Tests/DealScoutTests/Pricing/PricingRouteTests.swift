import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout
@testable import TollbookHTTP

/// `POST /seller/pricing/suggest`.
@Suite struct `Prices that are suggested` {
  private static let path = "/seller/pricing/suggest"
  private static let lamp = "Exampla LX-200 desk lamp"
  private static let question = #"{"title":"Exampla LX-200 desk lamp","condition":"used"}"#

  /// Takes in sales of the lamp, each of an order of its own.
  private static func sell(
    _ prices: [String], _ stand: SellerStand, _ client: SellerCaller, currency: String = "USD",
    condition: String = "used", shipping: String = "0", from number: Int = 0
  ) async throws {
    let day = stand.time.now.calendarDay
    let lines = prices.enumerated().map { index, price -> String in
      let order = "\(currency)-\(condition)-\(number + index)"
      return "\(day),\(lamp),\(price),\(currency),\(order),\(condition),\(shipping)"
    }
    let table =
      "date,title,price,currency,order_id,condition,shipping\n" + lines.joined(separator: "\n")
    let taken = try await client.send(
      .post, "/seller/sales", [.contentType: "text/csv"], body: Array(table.utf8))
    #expect(taken.int("imported") == prices.count, "\(taken.text)")
  }

  @Test func `own sales suggest a price, with its basis and what fees leave of it`() async throws {
    try await SellerStand.serving { stand, client in
      try await Self.sell(["36", "38", "40", "42", "44"], stand, client, shipping: "5.50")
      // Of another condition and currency.
      try await Self.sell(["900"], stand, client, condition: "new")
      try await Self.sell(["900"], stand, client, currency: "EUR")
      let answer = try await client.post(
        Self.path,
        #"{"product":"Exampla LX-200 desk lamp","condition":"used","fee_percent":13.25,"#
          + #""fee_fixed":"0.40"}"#)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.string("suggested.amount") == "45.50")
      #expect(answer.string("suggested.currency") == "USD")
      // 45.50 less 13.25 % (6.03) less 0.40.
      #expect(answer.string("suggested.net") == "39.07")
      #expect(answer.string("suggested.quick.amount") == "43.50")
      #expect(answer.string("suggested.patient.amount") == "47.50")
      #expect(answer.string("confidence") == "medium")
      #expect(answer.int("basis.own_sales") == 5)
      #expect(answer.int("basis.comparables") == 0)
      #expect(answer["basis.licence"]?.isNull == true)
      #expect(answer.string("basis.rule") == "title")
      #expect(answer["why"]?.isNull == true)
      #expect(answer["reason"]?.isNull == true)
      #expect(stand.simulator.books.requests == 0)
    }
  }

  @Test
  func `listings are added where own sales are too few, of the same site, money and condition`()
    async throws
  {
    try await SellerStand.serving { stand, client in
      try await Self.sell(["40", "40"], stand, client)
      try stand.show(["41", "42", "43"], of: Self.lamp)
      try stand.show(["900", "901", "902"], of: Self.lamp, from: 10, ["conditionId": "\"1000\""])
      try stand.show(["900", "901", "902"], of: Self.lamp, from: 20, on: .germany)
      try stand.show(["900", "901"], of: "Exampla LX-300 desk lamp", from: 30)
      try stand.show(["900"], of: "2x " + Self.lamp, from: 40)
      let answer = try await client.post(Self.path, Self.question)
      #expect(answer.string("suggested.amount") == "41.00", "\(answer.text)")
      #expect(answer["suggested.net"]?.isNull == true)
      #expect(answer.int("basis.own_sales") == 2)
      #expect(answer.int("basis.comparables") == 3)
      #expect(answer.int("basis.sold_comparables") == 0)
      #expect(answer.string("basis.licence") == "simulated")
      #expect(answer.string("confidence") == "medium")
      let german = try await client.post(
        Self.path,
        #"{"title":"Exampla LX-200 desk lamp","condition":"used","marketplace":"EBAY_DE"}"#)
      #expect(german.string("marketplace") == "EBAY_DE")
      #expect(german.string("reason") == "too_few")
      #expect(
        german.string("why")
          == "0 sales and 3 comparables of this product are known; 5 are needed")
    }
  }

  @Test func `without eBay's consent own sales alone count, and that is said`() async throws {
    try await SellerStand.serving {
      $0.judges = false
    } _: { stand, client in
      try stand.show(["41", "42", "43", "44", "45", "46"], of: Self.lamp)
      try await Self.sell(["40", "40"], stand, client)
      let refused = try await client.post(Self.path, Self.question)
      #expect(refused["suggested"]?.isNull == true, "\(refused.text)")
      #expect(refused["confidence"]?.isNull == true)
      #expect(refused["basis"]?.isNull == true)
      #expect(
        refused.string("why")
          == "2 sales of this product are known; 5 are needed; listings are not used: eBay has not"
          + " agreed that prices are suggested by them (EBAY_MODELLING_CONSENT)")
      // Sold for the same each time: there is no distance from the median to tell outliers by.
      try await Self.sell(["40", "40", "40"], stand, client, from: 2)
      let own = try await client.post(Self.path, Self.question)
      #expect(own.string("suggested.amount") == "40.00", "\(own.text)")
      #expect(own.string("basis.outlier_rule") == "keep_all")
      #expect(own.int("basis.comparables") == 0)
    }
  }

  @Test(arguments: [
    (#"{"title":"used","condition":"used"}"#, "unknown_product"),
    (#"{"title":"2x Exampla LX-200","condition":"used"}"#, "excluded"),
    (#"{"title":"Exampla LX-200 lamp","condition":"parts"}"#, "excluded"),
    (#"{"title":"Exampla LX-200 lamp","condition":"used"}"#, "too_few"),
  ])
  func `where nothing can be said it says why`(body: String, reason: String) async throws {
    try await SellerStand.serving { _, client in
      let answer = try await client.post(Self.path, body)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer["suggested"]?.isNull == true)
      #expect(answer.string("reason") == reason)
      #expect(answer.string("why")?.isEmpty == false)
    }
  }

  @Test(arguments: [
    (#"{"condition":"used"}"#, "title"),
    (#"{"title":" ","condition":"used"}"#, "title"),
    (#"{"title":"a","product":"b","condition":"used"}"#, "product"),
    (#"{"title":"a"}"#, "condition"),
    (#"{"title":"a","condition":"mint"}"#, "condition"),
    (#"{"title":"a","condition":"used","gtin":"4006381333932"}"#, "gtin"),
    (#"{"title":"a","condition":"used","epid":"x"}"#, "epid"),
    (#"{"title":"a","condition":"used","marketplace":"EBAY_XX"}"#, "marketplace"),
    (#"{"title":"a","condition":"used","account":"other"}"#, "account"),
    (#"{"title":"a","condition":"used","fee_percent":"100.01"}"#, "fee_percent"),
    (#"{"title":"a","condition":"used","fee_percent":"13.255"}"#, "fee_percent"),
    (#"{"title":"a","condition":"used","fee_fixed":-1}"#, "fee_fixed"),
    (#"{"title":"a","condition":"used","price":1}"#, "price"),
  ])
  func `a member that is wrong is named`(body: String, field: String) async throws {
    try await SellerStand.serving({ $0.accessKey = "root" }) { _, client in
      let root: HTTPFields = [.accessKey: "root"]
      let made = try await client.post(
        "/admin/accounts", #"{"id":"acme","time_zone":"UTC"}"#, root)
      #expect(made.status == 201)
      let issued = try await client.post(
        "/admin/access-keys", #"{"account":"acme","scopes":["read"]}"#, root)
      let key: HTTPFields = [.accessKey: try #require(issued.string("key"), "\(issued.text)")]
      let answer = try await client.post(Self.path, body, key)
      #expect(answer.status == (field == "account" ? 403 : 400), "\(answer.text)")
      #expect(answer.string("field") == field, "\(answer.text)")
    }
  }

  @Test func `a title that is too long is refused`() async throws {
    try await SellerStand.serving { _, client in
      let title = String(repeating: "a", count: SoldItem.longestTitle + 1)
      let answer = try await client.post(
        Self.path, #"{"title":"\#(title)","condition":"used"}"#)
      #expect(answer.status == 400)
      #expect(answer.string("field") == "title")
    }
  }

  @Test func `a snap shows what to ask for what was found, and by what`() async throws {
    try await SellerStand.serving { stand, client in
      let number = try #require((1...60).first { DrawnPhoto(number: $0).condition == "used" })
      let thing = DrawnPhoto(number: number)
      try stand.show(["41", "42", "43", "44", "45"], of: thing.title)
      let taken = try await client.snap([.photo(SamplePhotos.png(number))])
      let id = try #require(taken.string("id"), "\(taken.text)")
      #expect(taken["suggested_price"]?.isNull == true)
      await stand.finish(id)
      let snap = try await client.get("/seller/snap/\(id)")
      #expect(snap.string("suggested_price.suggested.amount") == "43.00", "\(snap.text)")
      #expect(snap.string("suggested_price.marketplace") == "EBAY_US")
      #expect(snap.int("suggested_price.basis.comparables") == 5)
      #expect(snap.string("suggested_price.confidence") == "medium")
    }
  }
}
