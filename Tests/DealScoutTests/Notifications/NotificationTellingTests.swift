import Foundation
import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import DealScout

/// What is told of scans, alerts and watches, and that nothing is told twice.
@Suite struct `Notices that are told` {
  private typealias Routes = `Channels and rules of notices`
  private typealias Samples = NotificationSamples

  /// A channel, and a rule with these members over it.
  private static func listen(_ client: ScoutCaller, _ members: String) async throws {
    _ = try await client.send(.post, "/notifications/channels", Routes.hook)
    let rule = try await Routes.addRule(client, "r", members)
    #expect(rule.status == 201, "\(rule.text)")
  }

  private static func fact(
    _ number: Int, of account: String = "default", _ stand: DealScoutStand
  ) throws -> NotificationFact {
    try .watchEnded(
      "v1|\(number)|0", of: account, title: "Widget \(number)", url: nil, at: stand.time.now)
  }

  // MARK: Facts

  @Test func `each deal of a search is told once, however often it is scanned`() async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"deal.new","min_score":40"#)
      try await Routes.scan(stand, client)
      try await Routes.tell(stand)
      let told = listener.notices.compactMap { $0["subject"]?.string }
      #expect(!told.isEmpty)
      #expect(Set(told).count == told.count)
      let rows = await stand.scout.board.content(
        of: stand.scout.index, judges: true, now: stand.time.now
      ).rows
      let deals = rows.filter { ($0.score?.tenths ?? 0) >= 400 }.map(\.listing.id.description)
      #expect(Set(told) == Set(deals))
      // Scanned again, by a Tollbook that has begun anew, nothing of it is told again.
      stand.time.advance(byMilliseconds: 400_000)
      _ = try await client.send(.post, "/scan/run", "{}")
      try await Routes.tell(stand)
      let before = listener.notices.compactMap { $0["subject"]?.string }
      #expect(Set(before).count == before.count)
      let again = Scout(stand.upstream, judges: true)
      try await again.fill(stand.gateway)
      let search = try #require(
        try SearchBook(gateway: stand.gateway).search("first", of: "default"))
      _ = try await again.scan(
        search, .scan, pages: 1, stand.gateway, Principal(account: "default"))
      try await again.lookForNews(stand.gateway)
      await again.notices.send(stand.gateway)
      // What scores higher without the listings of before may be new.
      let after = listener.notices.compactMap { $0["subject"]?.string }
      #expect(Set(after).count == after.count)
    }
  }

  @Test func `a rule of one search, and a listing that somebody has hidden, are heeded`()
    async throws
  {
    try await Routes.stand { stand, client, listener in
      _ = try await client.save("second", stand.simulator.familyWords[1])
      try await Self.listen(client, #""about":"deal.new","min_score":40,"search":"second""#)
      try await Routes.scan(stand, client)
      let all = await stand.scout.board.content(
        of: stand.scout.index, judges: true, now: stand.time.now
      ).rows.filter { ($0.score?.tenths ?? 0) >= 400 }.map(\.listing.id)
      let page = try #require(
        try SearchBook(gateway: stand.gateway).search("second", of: "default")?.page(0))
      let own = try #require(stand.scout.index.all.searches[page.keyOfAllPages])
      let wanted = all.filter { own.contains($0) }
      let hidden = try #require(wanted.first)
      try await MarkBook(gateway: stand.gateway).set(.hidden, true, on: hidden, of: "default")
      try await Routes.tell(stand)
      let told = Set(listener.notices.compactMap { $0["subject"]?.string })
      #expect(told == Set(wanted.dropFirst().map(\.description)))
      #expect(told.count < all.count)
    }
  }

  @Test func `what eBay shows no more is not told, though a table of before has it`() async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"deal.new","min_score":40"#)
      try await Routes.scan(stand, client)
      let scout = stand.scout
      let table = await scout.board.content(of: scout.index, judges: true, now: stand.time.now)
      let deals = table.rows.filter { ($0.score?.tenths ?? 0) >= 400 }.map(\.listing.id)
      let gone = try #require(deals.first)
      scout.index.remove([gone], gone: stand.time.now)
      let scan = try #require(scout.notices.news.noted.first)
      try await scout.tell(of: scan, in: table, stand.gateway)
      await scout.notices.send(stand.gateway)
      let told = Set(listener.notices.compactMap { $0["subject"]?.string })
      #expect(told == Set(deals.dropFirst().map(\.description)))
    }
  }

  @Test func `a listing that has become cheaper is told, once at each price`() async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"price.dropped""#)
      try await Routes.scan(stand, client)
      let search = try #require(
        try SearchBook(gateway: stand.gateway).search("first", of: "default"))
      let asked = try #require(search.page(0))
      let all = stand.scout.index.all
      let shown = try #require(all.searches[asked.keyOfAllPages])
      let some = try #require(
        all.listings.first { $0.price > 5_000 && shown.contains($0.id) })
      func drop(to cents: Int64) async throws {
        stand.time.advance(byMilliseconds: 1_000)
        let page = try EbaySearchPage(
          Array(
            """
            {"total":1,"limit":200,"offset":0,"itemSummaries":[{"itemId":"\(some.id)",\
            "title":"Widget","price":{"value":"\(cents / 100).00","currency":"USD"},\
            "buyingOptions":["FIXED_PRICE"]}]}
            """.utf8))
        let change = stand.scout.index.add(page, of: asked, seen: stand.time.now)
        var outcome = SearchScan.Outcome()
        outcome.cheaper = change.cheaper
        stand.scout.notices.note(search, outcome, version: stand.scout.index.version)
        try await Routes.tell(stand)
      }
      let lower = some.price * 9 / 1_000 * 100
      try await drop(to: lower)
      #expect(listener.notices.count == 1)
      #expect(listener.notices.first?["event"]?.string == "price.dropped")
      #expect(listener.notices.first?["subject"]?.string == some.id.description)
      try await drop(to: lower)
      #expect(listener.notices.count == 1)
      try await drop(to: some.price)
      try await drop(to: lower)
      #expect(listener.notices.count == 1)
      try await drop(to: lower * 9 / 1_000 * 100)
      #expect(listener.notices.count == 2)
    }
  }

  @Test func `a budget's share is told to its account, once in its window`() async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"budget.threshold","min_percent":80"#)
      var scope = BudgetRow.Scope()
      scope.account = "default"
      let order = try BudgetOrder(
        name: "calls", scope: scope, unit: "calls", limit: 1,
        window: .day, units: ["calls"], upstreams: ["ebay"])
      try await SetBudget(order, now: stand.time.now, actor: "test").run(
        on: stand.log, default: "default")
      try await Routes.scan(stand, client)
      _ = try await stand.gateway.lookForAlerts()
      try await Routes.tell(stand)
      #expect(listener.notices.count == 1)
      #expect(listener.notices.first?["event"]?.string == "budget.threshold")
      #expect(listener.notices.first?["percent"]?.int == 100)
      // A Tollbook that has begun anew reads the same alert again.
      let again = Scout(stand.upstream, judges: true)
      try await again.lookForNews(stand.gateway)
      await again.notices.send(stand.gateway)
      #expect(listener.notices.count == 1)
    }
  }

  @Test func `a watch that has ended is told to its account, and to no other`() async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"watch.ended""#)
      let scout = stand.scout
      for account in ["acme", "default", "default"] {
        try await scout.tell(
          [Self.fact(110, of: account, stand)], of: account, stand.gateway)
      }
      await scout.notices.send(stand.gateway)
      #expect(listener.notices.count == 1)
      #expect(listener.notices.first?["text"]?.string == "Widget 110, which you watch, has ended")
      let account = try JSONDocument(#require(listener.messages.first?.body)).root["account"]
      #expect(account?.string == "default")
    }
  }

  @Test func `a watched listing below its mark is told once, however often it is looked at`()
    async throws
  {
    try await Routes.stand { stand, client, listener in
      try await Routes.scan(stand, client)
      try await Self.listen(client, #""about":"price.dropped""#)
      try await Routes.tell(stand)
      let before = listener.notices.count
      let listing = try #require(
        stand.scout.index.all.listings.min { $0.id.description < $1.id.description })
      let watch = try await client.send(
        .post, "/buyer/watches", #"{"item_id":"\#(listing.id)","below":"90000"}"#)
      #expect(watch.status == 201, "\(watch.text)")
      for _ in 0..<3 {
        stand.time.advance(byMilliseconds: 60_000)
        try await Routes.tell(stand)
        #expect(listener.notices.count == before + 1)
      }
    }
  }

  // MARK: Deliveries

  @Test func `a channel that answers 500 for days is given up, and resend works`() async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"watch.ended""#)
      listener.answer(500, "broken")
      let notices = stand.scout.notices
      try await notices.tell([Self.fact(1, stand)], of: "default", stand.gateway)
      await notices.send(stand.gateway)
      let waiting = try await client.send(.get, "/notifications/deliveries?state=waiting")
      #expect(waiting.int("deliveries.0.last_status") == 500, "\(waiting.text)")
      let id = try #require(waiting.string("deliveries.0.id"))
      let resend = "/notifications/deliveries/\(id)/resend"
      #expect(try await client.send(.post, resend, "{}").status == 409)
      for pause in Gateway.deliveryPauses {
        stand.time.advance(byMilliseconds: pause)
        await notices.send(stand.gateway)
      }
      #expect(listener.messages.count == Gateway.deliveryPauses.count + 1)
      #expect(Set(listener.header("Tollbook-Delivery")) == [id])
      let dead = try await client.send(.get, "/notifications/deliveries?state=given_up")
      #expect(dead.string("deliveries.0.id") == id, "\(dead.text)")
      #expect(dead.string("deliveries.0.last_detail") == "broken")
      // A day later the listing's words are gone.
      #expect(dead.string("deliveries.0.text") == "v1|1|0, which you watch, has ended")
      listener.answer(200)
      #expect(try await client.send(.post, resend, "{}").status == 200)
      await notices.send(stand.gateway)
      let sent = try await client.send(.get, "/notifications/deliveries?state=sent")
      #expect(sent.string("deliveries.0.id") == id)
      #expect(try await client.send(.post, resend, "{}").status == 409)
      let none = try await client.send(
        .post, "/notifications/deliveries/000000000000000000000000/resend", "{}")
      #expect(none.status == 404)
    }
  }

  @Test func `what waits for the hour is told by the schedule, in one message`() async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"watch.ended","delivery":"hourly""#)
      let facts = try (0..<3).map { try Self.fact($0, stand) }
      try await stand.scout.notices.tell(facts, of: "default", stand.gateway)
      await stand.scout.notices.send(stand.gateway)
      #expect(listener.messages.isEmpty)
      await stand.scout.schedules.load(stand.gateway)
      stand.time.advance(byMilliseconds: 3_600_000)
      await stand.scout.schedules.runDue(stand.gateway) { run in
        guard run.name == "send_notifications" else { return .done() }
        return await stand.scout.run(run, stand.gateway)
      }
      #expect(listener.messages.count == 1)
      #expect(listener.notices.count == 3)
      let list = try await client.send(.get, "/notifications/deliveries?state=sent")
      #expect(list["deliveries"]?.array?.count == 3)
    }
  }

  @Test func `what waits when the process dies is sent after the start, under the same id`()
    async throws
  {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"watch.ended""#)
      let fact = try Self.fact(1, stand)
      try await stand.scout.notices.tell([fact], of: "default", stand.gateway)
      // It dies before it is sent.
      let second = NotificationDesk()
      // Another one dies after it was sent, and before that was kept.
      let third = NotificationDesk()
      await third.load(stand.gateway)
      #expect(listener.messages.isEmpty)
      await second.send(stand.gateway)
      #expect(listener.messages.count == 1)
      await third.send(stand.gateway)
      #expect(listener.messages.count == 2)
      #expect(Set(listener.header("Tollbook-Delivery")).count == 1)
      // And the fact itself is queued no more.
      let fourth = NotificationDesk()
      #expect(try await fourth.tell([fact], of: "default", stand.gateway) == 0)
      await fourth.send(stand.gateway)
      #expect(listener.messages.count == 2)
    }
  }

  @Test func `a fact that is still so after weeks is remembered anew`() async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"watch.ended""#)
      let notices = stand.scout.notices
      let fact = try Self.fact(1, stand)
      try await notices.tell([fact], of: "default", stand.gateway)
      await notices.send(stand.gateway)
      for _ in 0..<6 {
        stand.time.advance(byMilliseconds: 16 * 86_400_000)
        for _ in 0..<2 { await stand.gateway.sweep() }
        #expect(try await notices.tell([fact], of: "default", stand.gateway) == 0)
      }
      await notices.send(stand.gateway)
      #expect(listener.messages.count == 1)
      // What was not so for longer than is remembered is news again.
      stand.time.advance(byMilliseconds: NotificationBook.memory + 1_000)
      for _ in 0..<2 { await stand.gateway.sweep() }
      #expect(try await notices.tell([fact], of: "default", stand.gateway) == 1)
    }
  }

  @Test func `what is beyond the bounds is left out, counted, and told when there is room`()
    async throws
  {
    let desk = NotificationDesk(mail: nil, limits: .init(channels: 20, rules: 100, deliveries: 3))
    try await Routes.stand {
      $0.notices = desk
    } _: { stand, client, listener in
      try await Self.listen(client, #""about":"watch.ended","delivery":"hourly""#)
      let facts = try (0..<5).map { try Self.fact($0, stand) }
      #expect(try await desk.tell(facts, of: "default", stand.gateway) == 3)
      let list = try await client.send(.get, "/notifications/deliveries")
      #expect(list.int("left_out") == 2, "\(list.text)")
      #expect(list["deliveries"]?.array?.count == 3)
    }
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"watch.ended","delivery":"hourly""#)
      let notices = stand.scout.notices
      let facts = try (0..<1_001).map { try Self.fact($0, stand) }
      #expect(try await notices.tell(facts, of: "default", stand.gateway) == 1_000)
      #expect(notices.leftOut(of: "default") == 1)
      #expect(await notices.sendHourly(stand.gateway).sent == 1_000)
      #expect(listener.messages.count == 1)
      #expect(try await notices.tell(facts, of: "default", stand.gateway) == 1)
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func `a channel that hangs holds up none but itself`() async throws {
    let held = HeldCalls()
    let listener = NoticeListener()
    try await DealScoutStand.serving {
      $0.gateway.webhookHosts = ["198.51.100.7"]
      $0.send = { message in
        if message.url.text.hasSuffix("/hangs") { await held.stop() }
        return await listener.send(message)
      }
    } _: { stand, client in
      for name in ["hangs", "goes"] {
        _ = try await client.send(
          .post, "/notifications/channels",
          #"{"name":"\#(name)","kind":"slack","url":"https://198.51.100.7/\#(name)"}"#)
        let rule = try await client.send(
          .post, "/notifications/rules",
          #"{"name":"\#(name)","channel":"\#(name)","about":"watch.ended"}"#)
        #expect(rule.status == 201, "\(rule.text)")
      }
      let sending = Task { await stand.scout.keepSending(stand.gateway) }
      for number in 1...3 {
        let fact = try Self.fact(number, stand)
        try await stand.scout.notices.tell([fact], of: "default", stand.gateway)
        while listener.messages.count < number {
          stand.time.advance(byMilliseconds: 1_000)
          await stand.log.settle()
        }
      }
      #expect(held.count == 1)
      #expect(listener.messages.allSatisfy { $0.url.text.hasSuffix("/goes") })
      held.letGo()
      sending.cancel()
      await sending.value
    }
  }

  @Test func `what waits for a channel that is removed is given up`() async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"watch.ended""#)
      let notices = stand.scout.notices
      try await notices.tell([Self.fact(1, stand)], of: "default", stand.gateway)
      _ = try await client.send(.delete, "/notifications/rules/r")
      _ = try await client.send(.delete, "/notifications/channels/hook")
      #expect(await notices.send(stand.gateway).givenUp == 1)
      #expect(listener.messages.isEmpty)
      let list = try await client.send(.get, "/notifications/deliveries")
      #expect(list.string("deliveries.0.last_detail") == "the channel hook was removed")
    }
  }

  @Test(arguments: [true, false])
  func `what waits is not kept again once the data key of its account is destroyed`(
    isHourly: Bool
  ) async throws {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(
        client, #""about":"watch.ended","delivery":"\#(isHourly ? "hourly" : "at_once")""#)
      let notices = stand.scout.notices
      try await notices.tell([Self.fact(1, stand)], of: "default", stand.gateway)
      let prefix = "account/default/\(NotificationBook.deliveryKind)/"
      #expect(try stand.gateway.kept(under: prefix, atMost: 9).count == 1)
      _ = try await stand.gateway.shred("default", actor: "test")
      // So long that its words are to be forgotten, too.
      stand.time.advance(byMilliseconds: 2 * 86_400_000)
      _ = await notices.sendHourly(stand.gateway)
      #expect(listener.messages.isEmpty)
      #expect(try stand.gateway.kept(under: prefix, atMost: 9).isEmpty)
    }
  }

  @Test func `a notice forgets a listing's words after a day, also with the schedule paused`()
    async throws
  {
    try await Routes.stand { stand, client, listener in
      try await Self.listen(client, #""about":"watch.ended","delivery":"hourly""#)
      let notices = stand.scout.notices
      try await notices.tell([Self.fact(1, stand)], of: "default", stand.gateway)
      func text() async throws -> String? {
        await notices.send(stand.gateway)
        let list = try await client.send(.get, "/notifications/deliveries?state=waiting")
        return list.string("deliveries.0.text")
      }
      stand.time.advance(byMilliseconds: 86_400_000)
      #expect(try await text() == "Widget 1, which you watch, has ended")
      stand.time.advance(byMilliseconds: 1)
      #expect(try await text() == "v1|1|0, which you watch, has ended")
      #expect(listener.messages.isEmpty)
    }
  }

  @Test func `what could not be told of a scan is noted again, beside that of a later one`()
    throws
  {
    let news = NotificationNews()
    let saved = try EbaySavedSearch(name: "one", search: EbaySearch(.unitedStates, words: "x"))
    let search = SavedSearch(saved, of: "acme", created: Samples.now)
    let ids = try (1...3).map { try #require(EbayItemID("v1|\($0)|0")) }
    news.note(.init(search: search, cheaper: [ids[0], ids[1]], version: 3))
    #expect(news.take(upTo: 2).isEmpty)
    let taken = try #require(news.take(upTo: 3).first)
    news.note(.init(search: search, cheaper: [ids[2]], version: 5))
    news.note(taken)
    // It is not taken before the index shows all of it.
    #expect(news.take(upTo: 4).isEmpty)
    #expect(news.take(upTo: 5).first?.cheaper == Set(ids))
    #expect(news.noted.isEmpty)
  }

  @Test func `e-mail goes through the program, with no header that a title could add`()
    async throws
  {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/sendmail"
    try "#!/bin/sh\ncat >> '\(folder.path)/mail'\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    let desk = NotificationDesk(
      mail: .init(MailProgram(path), from: try EmailAddress("tollbook@shop.example")))
    try await Routes.stand {
      $0.notices = desk
    } _: { stand, client, _ in
      let channel = #"{"name":"hook","kind":"email","to":"a@b.example"}"#
      let made = try await client.send(.post, "/notifications/channels", channel)
      #expect(made.status == 201, "\(made.text)")
      #expect(made.string("to") == "a@b.example")
      _ = try await Routes.addRule(client, "r", #""about":"watch.ended""#)
      let fact = try NotificationFact.watchEnded(
        "v1|1|0", of: "default", title: "Widget\r\nBcc: x@y.example", url: nil,
        at: stand.time.now)
      try await desk.tell([fact], of: "default", stand.gateway)
      #expect(await desk.send(stand.gateway).sent == 1)
      let mail = try String(contentsOfFile: "\(folder.path)/mail", encoding: .utf8)
      #expect(mail.contains("\nTo: <a@b.example>\n"))
      #expect(!mail.lowercased().contains("\nbcc:"))
      let list = try await client.send(.get, "/notifications/deliveries")
      let id = try #require(list.string("deliveries.0.id"))
      #expect(mail.contains("Message-ID: <\(id)@shop.example>"))
    }
  }
}
