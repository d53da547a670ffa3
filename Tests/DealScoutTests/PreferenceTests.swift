import HTTPTypes
import JSONText
import Testing
import TollbookGateway
import TollbookTestSupport

@testable import DealScout

/// `/buyer/preferences`, and deals that keep to them.
@Suite struct `Preferences for deals` {
  private static let path = "/buyer/preferences"

  @Test func `preferences are kept whole, and told as they are kept`() async throws {
    try await DealScoutStand.serving { stand, client in
      let none = try await client.send(.get, Self.path)
      #expect(none.status == 200)
      #expect(none["preferences.min_score"]?.isNull == true)
      let put = try await client.send(
        .put, Self.path,
        #"{"marketplace":"EBAY_US","min_score":40,"confidence":"medium","condition":"used","#
          + #""max_price":"300","sort":"price"}"#
      )
      #expect(put.status == 200, "\(put.text)")
      let kept = try await client.send(.get, Self.path)
      #expect(kept["preferences"]?.bytes.elementsEqual(put["preferences"]?.bytes ?? []) == true)
      #expect(kept.string("preferences.max_price") == "300.00")
      #expect(kept.int("preferences.min_score") == 40)
      #expect(kept.string("preferences.sort") == "price")
      // What is left out is not preferred any more.
      _ = try await client.send(.put, Self.path, #"{"condition":"new"}"#)
      let fewer = try await client.send(.get, Self.path)
      #expect(fewer.string("preferences.condition") == "new")
      #expect(fewer["preferences.sort"]?.isNull == true)
      // Nobody reads them without the account's key.
      #expect(try stand.bodies().allSatisfy { !$0.contains("\"condition\":\"new\"") })
    }
  }

  @Test(arguments: [
    (#"{"marketplace":"EBAY_XX"}"#, "marketplace"), (#"{"min_score":101}"#, "min_score"),
    (#"{"min_score":"40"}"#, "min_score"), (#"{"confidence":"sure"}"#, "confidence"),
    (#"{"condition":"shiny"}"#, "condition"), (#"{"max_price":"-3"}"#, "max_price"),
    (#"{"max_price":19.9}"#, "max_price"), (#"{"sort":"best"}"#, "sort"),
    (#"{"colour":"red"}"#, "colour"),
  ])
  func `what cannot be preferred is refused by its name, and what was kept stays`(
    body: String, field: String
  ) async throws {
    try await DealScoutStand.serving { _, client in
      _ = try await client.send(.put, Self.path, #"{"condition":"used"}"#)
      let refused = try await client.send(.put, Self.path, body)
      #expect(refused.status == 400, "\(refused.text)")
      #expect(refused.string("field") == field)
      let kept = try await client.send(.get, Self.path)
      #expect(kept.string("preferences.condition") == "used")
    }
  }

  @Test func `deals keep to preferences where the query says nothing, and say which`() async throws
  {
    try await DealScoutStand.serving { stand, client in
      _ = try await stand.scanned(client)
      stand.time.advance(byMilliseconds: 5_000)
      let all = try await client.send(.get, "/buyer/deals?limit=200")
      #expect(all["preferences"]?.array?.isEmpty == true)
      let conditions = Set(all["deals"]?.array?.compactMap { $0["condition"]?.string } ?? [])
      #expect(conditions.count > 1)
      _ = try await client.send(.put, Self.path, #"{"condition":"used","sort":"price"}"#)
      func shown(_ query: String) async throws -> (Set<String>, [String]) {
        let answer = try await client.send(.get, "/buyer/deals?limit=200\(query)")
        #expect(answer.status == 200, "\(answer.text.prefix(400))")
        return (
          Set(answer["deals"]?.array?.compactMap { $0["condition"]?.string } ?? []),
          answer["preferences"]?.array?.compactMap(\.string) ?? []
        )
      }
      let preferred = try await shown("")
      #expect(preferred == (["used"], ["condition", "sort"]))
      let asked = try await shown("&condition=new")
      #expect(asked == (["new"], ["sort"]))
      let off = try await shown("&preferences=off")
      #expect(off == (conditions, []))
      let wrong = try await client.send(.get, "/buyer/deals?preferences=maybe")
      #expect(wrong.string("field") == "preferences")
      let site = try await client.send(.get, "/buyer/deals?marketplace=EBAY_DE")
      #expect(site["deals"]?.array?.isEmpty == true)
      let noSite = try await client.send(.get, "/buyer/deals?marketplace=EBAY_XX")
      #expect(noSite.status == 400)
      #expect(noSite.string("field") == "marketplace")
    }
  }

  @Test func `where no price may be judged a preferred score is not asked for`() async throws {
    try await DealScoutStand.serving {
      $0.judges = false
    } _: { stand, client in
      _ = try await stand.scanned(client)
      _ = try await client.send(
        .put, Self.path, #"{"min_score":40,"confidence":"high","condition":"used"}"#)
      let deals = try await client.send(.get, "/buyer/deals")
      #expect(deals.status == 200, "\(deals.text.prefix(400))")
      #expect(deals["preferences"]?.array?.compactMap(\.string) == ["condition"])
    }
  }

  @Test func `the page shows what is preferred in its form, and takes all of it away`() async throws
  {
    try await DealScoutStand.serving { stand, client in
      _ = try await stand.scanned(client)
      _ = try await client.send(
        .put, Self.path, #"{"condition":"used","max_price":"300","marketplace":"EBAY_US"}"#)
      let page = try await client.send(.get, "/deals")
      #expect(page.status == 200, "\(page.text.prefix(400))")
      #expect(page.text.contains("<option value=\"used\" selected>"))
      #expect(page.text.contains("value=\"300.00\""))
      #expect(page.text.contains("value=\"EBAY_US\""))
      #expect(page.text.contains("href=\"/deals?preferences=off\""))
      let plain = try await client.send(.get, "/deals?preferences=off")
      #expect(!plain.text.contains("<option value=\"used\" selected>"))
      // A form sends its empty fields too.
      let form = try await client.send(.get, "/deals?condition=&max_price=&q=")
      #expect(!form.text.contains("<option value=\"used\" selected>"))
    }
  }
}
