import JSONText
import HTTPTypes
import Testing
import TollbookEvents
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout
@testable import TollbookHTTP

@Suite("drafts of listings") struct DraftTests {
  private static let lamp =
    #"{"title":"Exampla desk lamp","condition":"used","category":"112581","#
    + #""description":"Works.\nHas a scratch.","price":{"amount":"12.50","currency":"USD"}}"#

  private static func keyed(_ key: String) -> HTTPFields { [.idempotencyKey: key] }

  @Test func `a draft is kept, and is not published`() async throws {
    try await SellerStand.serving { _, client in
      let made = try await client.post("/seller/post", Self.lamp)
      #expect(made.status == 201, "\(made.text)")
      let id = try #require(made.string("id"))
      #expect(made.headers[.location] == "/seller/drafts/\(id)")
      #expect(made["published"]?.bool == false)
      #expect(made.string("publishing")?.contains("publishes no drafts") == true)
      #expect(made.string("price.amount") == "12.50")
      #expect(made.string("marketplace") == "EBAY_US")
      #expect(made.int("quantity") == 1)
      #expect(made["missing"]?.array?.compactMap(\.string) == ["photos"])
      let shown = try await client.get("/seller/drafts/\(id)")
      #expect(shown.bytes == made.bytes)
      #expect(try await client.get("/seller/drafts").string("drafts.0.id") == id)
      #expect(try await client.send(.delete, "/seller/drafts/\(id)").status == 200)
      #expect(try await client.get("/seller/drafts/\(id)").status == 404)
      #expect(try await client.send(.delete, "/seller/drafts/\(id)").status == 404)
    }
  }

  @Test func `the same post twice is one draft`() async throws {
    try await SellerStand.serving { stand, client in
      let first = try await client.post("/seller/post", Self.lamp, Self.keyed("one"))
      let second = try await client.post("/seller/post", Self.lamp, Self.keyed("one"))
      #expect(first.status == 201 && second.status == 201, "\(second.text)")
      #expect(first.string("id") == second.string("id"))
      #expect(try await client.get("/seller/drafts").int("total") == 1)
      // Another key is another draft.
      let other = try await client.post("/seller/post", Self.lamp, Self.keyed("two"))
      #expect(other.status == 201)
      #expect(other.string("id") != first.string("id"))
      // Without a key the second of a day is told of the first.
      let plain = try await client.post("/seller/post", Self.lamp)
      #expect(plain.status == 201)
      let again = try await client.post("/seller/post", Self.lamp)
      #expect(again.status == 409)
      #expect(again.string("detail")?.contains(plain.string("id") ?? "?") == true)
      stand.time.advance(byMilliseconds: 86_400_000)
      #expect(try await client.post("/seller/post", Self.lamp).status == 201)
      #expect(try await client.get("/seller/drafts").int("total") == 4)
    }
  }

  @Test func `a draft of a snap says what was found`() async throws {
    try await SellerStand.serving { stand, client in
      let taken = try await client.snap([.photo(SamplePhotos.png(4))])
      let id = try #require(taken.string("id"), "\(taken.text)")
      let early = try await client.post(
        "/seller/post", #"{"snap":"999999","price":{"amount":"5","currency":"USD"}}"#)
      #expect(early.status == 404)
      #expect(early.string("field") == "snap")
      await stand.finish(id)
      let made = try await client.post(
        "/seller/post", #"{"snap":"\#(id)","price":{"amount":5,"currency":"USD"},"quantity":2}"#)
      #expect(made.status == 201, "\(made.text)")
      let photo = DrawnPhoto(number: 4)
      #expect(made.string("title") == photo.title)
      #expect(made.string("condition") == photo.condition)
      #expect(made.string("gtin") == photo.gtin)
      #expect(made.string("photos.0") == taken.string("photos.0.digest"))
      #expect(made.string("price.amount") == "5.00")
      #expect(made.string("snap") == id)
    }
  }

  @Test(arguments: [
    (#"{}"#, "price"),
    (#"{"title":"a","condition":"used","price":{"amount":"0","currency":"USD"}}"#, "price.amount"),
    (
      #"{"title":"a","condition":"used","price":{"amount":"1.234","currency":"USD"}}"#,
      "price.amount"
    ),
    (
      #"{"title":"a","condition":"used","price":{"amount":"-1","currency":"USD"}}"#,
      "price.amount"
    ),
    (
      #"{"title":"a","condition":"used","price":{"amount":"1","currency":"EUR"}}"#,
      "price.currency"
    ),
    (#"{"title":"a","condition":"used","price":{"amount":"1"}}"#, "price.currency"),
    (
      #"{"title":"a","condition":"used","price":{"amount":"1","currency":"USD","x":1}}"#,
      "price.x"
    ),
    (#"{"title":"a","condition":"mint","price":{"amount":"1","currency":"USD"}}"#, "condition"),
    (#"{"title":"a","price":{"amount":"1","currency":"USD"}}"#, "condition"),
    (#"{"condition":"used","price":{"amount":"1","currency":"USD"}}"#, "title"),
    (
      #"{"title":"a","condition":"used","price":{"amount":"1","currency":"USD"},"quantity":0}"#,
      "quantity"
    ),
    (
      #"{"title":"a","condition":"used","price":{"amount":"1","currency":"USD"},"category":"x"}"#,
      "category"
    ),
    (
      #"{"title":"a","condition":"used","price":{"amount":"1","currency":"USD"},"photos":["x"]}"#,
      "photos[0]"
    ),
    (
      #"{"title":"a","condition":"used","price":{"amount":"1","currency":"USD"},"sku":"x"}"#,
      "sku"
    ),
    (
      #"{"title":"a","condition":"used","price":{"amount":"1","currency":"USD"},"#
        + #""marketplace":"X"}"#,
      "marketplace"
    ),
  ])
  func `a field that is wrong is named`(body: String, field: String) async throws {
    try await SellerStand.serving { _, client in
      let answer = try await client.post("/seller/post", body)
      #expect(answer.status == 400, "\(answer.text)")
      #expect(answer.string("field") == field, "\(answer.text)")
    }
  }

  @Test func `a title that is too long is refused, and a photo that is not there`() async throws {
    try await SellerStand.serving { _, client in
      let rest = #""condition":"used","price":{"amount":"1","currency":"USD"}"#
      let long = String(repeating: "a", count: 81)
      let title = try await client.post("/seller/post", #"{"title":"\#(long)",\#(rest)}"#)
      #expect(title.string("field") == "title")
      let digest = String(repeating: "0", count: 64)
      let photo = try await client.post(
        "/seller/post", #"{"title":"a",\#(rest),"photos":["\#(digest)"]}"#)
      #expect(photo.string("field") == "photos[0]")
    }
  }

  @Test func `the file for eBay holds what is open, and no formula`() async throws {
    try await SellerStand.serving { _, client in
      let evil =
        #"{"title":"=HYPERLINK(\"http://x.example\")","condition":"parts","#
        + #""description":"+1, \"quoted\"","price":{"amount":"3","currency":"USD"}}"#
      let made = try await client.post("/seller/post", evil)
      let id = try #require(made.string("id"), "\(made.text)")
      let file = try await client.get("/seller/drafts/export")
      #expect(file.status == 200)
      #expect(file.headers[.contentType]?.hasPrefix("text/csv") == true)
      #expect(
        file.text
          == "Action(SiteID=US|Country=US|Currency=USD|Version=1193|CC=UTF-8),"
          + "Custom label (SKU),Category ID,Title,UPC,Price,Quantity,Item photo URL,Condition ID,"
          + "Description,Format\r\n"
          + "Draft,\(id),,\"'=HYPERLINK(\"\"http://x.example\"\")\",,3.00,1,,7000,"
          + "\"'+1, \"\"quoted\"\"\",FixedPrice\r\n")
      #expect(try await client.get("/seller/drafts/\(id)/export").text == file.text)
      let german =
        #"{"title":"Lampe","condition":"new","price":{"amount":"3","currency":"EUR"},"#
        + #""marketplace":"EBAY_DE"}"#
      #expect(try await client.post("/seller/post", german).status == 201)
      let both = try await client.get("/seller/drafts/export")
      #expect(both.status == 400)
      #expect(both.string("field") == "marketplace")
      let one = try await client.get("/seller/drafts/export?marketplace=EBAY_DE")
      #expect(one.text.hasPrefix("Action(SiteID=Germany|Country=DE|Currency=EUR|"))
      #expect(one.text.split(separator: "\r\n").count == 2)
    }
  }
}
