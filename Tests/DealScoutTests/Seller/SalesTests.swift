import HTTPTypes
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout
@testable import TollbookHTTP

@Suite("sales of the user's own") struct SalesTests {
  private static let today = Timestamp.testStart.calendarDay
  private static let heading = "date,title,price,currency,order_id,condition,gtin,shipping,fees"

  private func read(_ text: String) throws -> SalesFile {
    try SalesFile(csv: Array(text.utf8), today: Self.today)
  }

  @Test func `a table is read line by line, and what cannot be read is named`() throws {
    let day = "\(Self.today)"
    let file = try read(
      """
      \(Self.heading)
      \(day),Lamp,12.50,USD,1,used,,3.00,1.20
      \(day),"Lamp, large",20,USD,2,Open Box,4006381333931,,
      soon,Lamp,1,USD,3,,,,
      \(Self.today.next),Lamp,1,USD,4,,,,
      \(day),Lamp,1.234,USD,5,,,,
      \(day),Lamp,1,dollars,6,,,,
      \(day),Lamp,1,USD,7,mint,,,
      \(day),,1,USD,8,,,,
      \(day),Lamp,1,USD,,,,,
      \(day),Lamp,1,USD
      \(day),Lamp,1,USD,9,,4006381333932,,
      \(day),Second,5,USD,1,4000,,,
      """)
    #expect(file.sales.map(\.title) == ["Lamp", "Lamp, large", "Second"])
    #expect(file.sales.map(\.line) == [1, 1, 2])
    #expect(file.sales.map(\.condition) == [.used, .openBox, .used])
    #expect(file.sales[0].shipping?.plainText == "3.00")
    #expect(file.sales[0].fees?.plainText == "1.20")
    #expect(file.sales[1].shipping == nil)
    #expect(file.faults.map(\.line) == Array(4...12))
    #expect(
      file.faults.map(\.field)
        == ["date", "date", "price", "currency", "condition", "title", "order_id", "", "gtin"])
  }

  @Test func `columns have other names too, and none stands twice`() throws {
    let file = try read("sale_id,sold_on,title,price,currency\na,\(Self.today),Lamp,1,USD\n")
    #expect(file.sales.map(\.order) == ["a"])
    for (heading, field) in [
      ("date,title,price,currency", "order_id"),
      ("date,sold_on,title,price,currency,order_id", "date"),
      ("date,title,price,currency,order_id,sku", "sku"),
    ] {
      do throws(Problem) {
        _ = try SalesFile(csv: Array(heading.utf8), today: Self.today)
        Issue.record("\(heading) was read")
      } catch { #expect(error.field == field) }
    }
    #expect(throws: Problem.self) { try read("") }
    #expect(throws: Problem.self) { try read("\(Self.heading)\n\"open") }
  }

  @Test func `one line of an order stands once`() throws {
    let day = "\(Self.today)"
    let file = try SalesFile(
      json: Array(
        """
        {"sales":[
          {"date":"\(day)","title":"Lamp","price":"1","currency":"USD","order_id":"1","line":1},
          {"date":"\(day)","title":"Lamp","price":2,"currency":"USD","order_id":"1","line":1},
          {"date":"\(day)","title":"Lamp","price":2,"currency":"USD","order_id":"1","tax":1},
          7]}
        """.utf8), today: Self.today)
    #expect(file.sales.count == 1)
    #expect(file.faults.map(\.line) == [2, 3, 4])
    #expect(file.faults.map(\.field) == ["line", "tax", ""])
  }

  @Test func `a file is taken in once, and a line that has changed replaces`() async throws {
    try await SellerStand.serving { _, client in
      let lines = (1...300).map { "\(Self.today),Lamp \($0),\($0).50,USD,order-\($0),used,,," }
      let table = ([Self.heading] + lines).joined(separator: "\n")
      let csv: HTTPFields = [.contentType: "text/csv"]
      let first = try await client.send(.post, "/seller/sales", csv, body: Array(table.utf8))
      #expect(first.status == 200, "\(first.text)")
      #expect(first.int("imported") == 300)
      let again = try await client.send(.post, "/seller/sales", csv, body: Array(table.utf8))
      #expect(again.int("imported") == 0)
      #expect(again.int("unchanged") == 300)
      let changed = table.replacing("Lamp 7,7.50", with: "Lamp 7,8.00") + "\nbad,line\n"
      let third = try await client.send(.post, "/seller/sales", csv, body: Array(changed.utf8))
      #expect(third.int("replaced") == 1)
      #expect(third.int("unreadable") == 1)
      #expect(third.int("problems.0.line") == 302)
      let page = try await client.get("/seller/sales?limit=200")
      #expect(page.int("total") == 300)
      #expect(page.count("sales") == 200)
      let rest = try await client.get("/seller/sales?limit=200&cursor=\(page.string("next") ?? "")")
      #expect(rest.count("sales") == 100)
      #expect(rest.string("next") == nil)
      let id = try #require(page.string("sales.0.id"))
      #expect(try await client.send(.delete, "/seller/sales/\(id)").status == 200)
      #expect(try await client.send(.delete, "/seller/sales/\(id)").status == 404)
      #expect(try await client.get("/seller/sales").int("total") == 299)
      let form = try await client.send(
        .post, "/seller/sales", [.contentType: "text/plain"], body: Array(table.utf8))
      #expect(form.status == 415)
    }
  }

  @Test func `a sale is found in its draft, once`() async throws {
    try await SellerStand.serving { stand, client in
      let made = try await client.post(
        "/seller/post",
        #"{"title":"Exampla desk-lamp","condition":"used","quantity":2,"#
          + #""price":{"amount":"20","currency":"USD"}}"#)
      let id = try #require(made.string("id"), "\(made.text)")
      let today = stand.time.now.calendarDay
      let table = """
        date,title,price,currency,order_id
        \(today),EXAMPLA DESK LAMP,19.00,USD,a
        \(today),Exampla desk lamp,17.00,USD,b
        \(today),Exampla desk lamp,20.00,EUR,c
        \(today),Another lamp,20.00,USD,d
        """
      _ = try await client.send(
        .post, "/seller/sales", [.contentType: "text/csv"], body: Array(table.utf8))
      #expect(try await stand.desk.reconcileAll() == 1)
      #expect(try await stand.desk.reconcileAll() == 0)
      let half = try await client.get("/seller/drafts/\(id)")
      #expect(half.string("state") == "draft")
      #expect(half.count("sales") == 1)
      let more = "date,title,price,currency,order_id\n\(today),Exampla Desk Lamp,20,USD,e\n"
      _ = try await client.send(
        .post, "/seller/sales", [.contentType: "text/csv"], body: Array(more.utf8))
      #expect(try await stand.desk.reconcile("default") == 1)
      let sold = try await client.get("/seller/drafts/\(id)")
      #expect(sold.string("state") == "sold")
      #expect(sold.string("sold_on") == "\(today)")
      let file = try await client.get("/seller/drafts/export")
      #expect(file.text.split(separator: "\r\n").count == 1)
    }
  }
}

@Suite("which sales were of which drafts") struct SalesReconciliationTests {
  private static let start = Timestamp.testStart

  private func draft(
    _ id: String, _ price: String, title: String = "Lamp", quantity: Int = 1,
    day: Int64 = 0, sales: [String] = []
  ) throws -> Draft {
    let content = DraftContent(
      title: title, condition: .used, price: try #require(EbayMoney(price, .dollar)),
      quantity: quantity, marketplace: .unitedStates, photos: [])
    var draft = Draft(
      content, id: id, of: "default",
      created: Self.start.advanced(byMilliseconds: day * 86_400_000))
    draft.sales = sales
    return draft
  }

  private func sale(
    _ id: String, _ price: String, title: String = "Lamp", day: Int64 = 0
  ) throws -> SoldItem {
    var sale = SoldItem(
      order: id, line: 1, soldOn: CalendarDay(number: Self.start.calendarDay.number + day),
      title: title, price: try #require(EbayMoney(price, .dollar)), shipping: nil, fees: nil,
      condition: nil, gtin: nil)
    sale.id = id
    return sale
  }

  private func matches(_ drafts: [Draft], _ sales: [SoldItem]) -> [String] {
    SalesReconciliation.matches(drafts, sales).map { "\($0.draft)=\($0.sale.id)" }.sorted()
  }

  @Test func `the nearest price comes first`() throws {
    let drafts = try [draft("a", "100"), draft("b", "104")]
    #expect(matches(drafts, try [sale("x", "104"), sale("y", "99")]) == ["a=y", "b=x"])
    #expect(matches(drafts, try [sale("x", "95")]) == ["a=x"])
    #expect(matches(drafts, try [sale("x", "114.41")]) == [])
    #expect(matches(drafts, try [sale("x", "114.40")]) == ["b=x"])
    #expect(matches(drafts, try [sale("x", "90.00")]) == ["a=x"])
    #expect(matches(drafts, try [sale("x", "89.99")]) == [])
  }

  @Test func `no more are sold than there were, and none before it was there`() throws {
    let sales = try [sale("x", "10"), sale("y", "10"), sale("z", "10", day: 1)]
    #expect(matches(try [draft("a", "10", quantity: 2)], sales) == ["a=x", "a=y"])
    #expect(matches(try [draft("a", "10", day: 1)], sales) == ["a=z"])
    let begun = try draft("a", "10", quantity: 2, sales: ["x"])
    #expect(matches([begun], sales) == ["a=y"])
    #expect(matches(try [draft("b", "10", sales: ["y"]), draft("c", "10")], sales) == ["c=x"])
    #expect(matches(try [draft("a", "10", title: "Other lamp")], sales) == [])
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `each sale is of one draft at most, in whatever order they come`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let drafts = try (0..<random.int(0...12)).map { number in
      try draft(
        "d\(number)", "\(random.int(90...110))", title: random.pick(["Lamp", "Saw"]),
        quantity: random.int(1...3), day: Int64(random.int(0...3)))
    }
    let sales = try (0..<random.int(0...20)).map { number in
      try sale(
        "s\(number)", "\(random.int(85...115))", title: random.pick(["lamp", "SAW!"]),
        day: Int64(random.int(0...4)))
    }
    let found = SalesReconciliation.matches(drafts, sales)
    #expect(Set(found.map(\.sale.id)).count == found.count, "seed \(seed)")
    for draft in drafts {
      #expect(found.count { $0.draft == draft.id } <= draft.content.quantity, "seed \(seed)")
    }
    let turned = SalesReconciliation.matches(drafts.reversed(), sales.reversed())
    #expect(Set(turned) == Set(found), "seed \(seed)")
  }
}
