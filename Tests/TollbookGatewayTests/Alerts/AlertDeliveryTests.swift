import Foundation
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `Alerts are delivered` {
  /// A world in which one alert waits to be told.
  private func alerted(
    _ events: [String] = ["budget.threshold"], format: String = "signed"
  ) async throws -> AlertWorld {
    let world = try await AlertWorld()
    try await world.addWebhook(events, format: format)
    try await world.setBudget()
    await world.buy(0..<5)
    try await world.look()
    return world
  }

  @Test func `a webhook is told what it asked for, once, and the try is an event`() async throws {
    let world = try await alerted()
    for _ in 0..<2 { try await world.deliver() }
    let body = try #require(world.bodies.first)
    let json = try JSONDocument(Array(body.utf8)).root
    #expect(world.messages.count == 1)
    #expect(json["event"]?.string == "budget.threshold")
    #expect(json["budget"]?.string == "daily")
    #expect(json["percent"]?.int64 == 50)
    #expect(json["at"]?.string == "2026-11-21T08:00:00.000Z")
    #expect(json["settled"]?.int64 == 5)
    let sent = try world.sent()
    #expect(sent.map(\.outcome) == [.delivered])
    #expect(sent.map(\.status) == [200])
    #expect(world.header("Tollbook-Delivery") == [sent.first?.delivery])
    #expect(try world.deliveries().isEmpty)
  }

  @Test func `what a webhook did not ask for it is not told`() async throws {
    let world = try await alerted(["meter.low", "alert.cleared"])
    try await world.deliver()
    #expect(world.messages.isEmpty)
    world.time.advance(byMilliseconds: day)
    try await world.look()
    try await world.deliver()
    let json = try JSONDocument(Array(try #require(world.bodies.first).utf8)).root
    #expect(json["event"]?.string == "alert.cleared")
    #expect(json["alert"]?.string == "budget.threshold")
    #expect(json["reason"]?.string == "its window is over")
  }

  @Test func `Slack is told in its own shape`() async throws {
    let world = try await alerted(format: "slack")
    try await world.deliver()
    let json = try JSONDocument(Array(try #require(world.bodies.first).utf8)).root
    #expect(json.members?.map(\.name) == ["text"])
    #expect(json["text"]?.string?.contains("daily") == true)
  }

  /// python3 -c 'import hmac, hashlib; print(hmac.new(b"canary-secret",
  /// b"1795248000.{\"event\":\"budget.threshold\"}", hashlib.sha256).hexdigest())'
  @Test func `the signature is what others compute`() throws {
    let signature = OutgoingMessage.signature(
      of: Array(#"{"event":"budget.threshold"}"#.utf8), by: AlertWorld.secret,
      at: .testStart.advanced(byMilliseconds: 999))
    #expect(
      signature
        == "t=1795248000,v1=adf97e9191c8b49bb26473b454227499de651f665d967e44e086865c9a5ea94b")
  }

  @Test func `what is sent is signed over the body that is sent`() async throws {
    let world = try await alerted()
    try await world.deliver()
    let message = try #require(world.messages.first)
    let expected = OutgoingMessage.signature(
      of: message.body, by: AlertWorld.secret, at: .testStart)
    #expect(world.header("Tollbook-Signature") == [expected])
  }

  @Test func `a hook that asks to be left alone is, for a day at most`() async throws {
    for (asked, pause) in [(90_000, 90_000), (1_000, 10_000), (999 * day, day)]
      as [(Int64, Int64)]
    {
      let world = try await alerted()
      world.answer { _ in MessageReceipt(status: 429, retryAfter: asked) }
      try await world.deliver()
      world.time.advance(byMilliseconds: pause - 1)
      try await world.deliver()
      #expect(world.messages.count == 1)
      world.time.advance(byMilliseconds: 1)
      try await world.deliver()
      #expect(world.messages.count == 2)
    }
  }

  @Test func `a hook that fails for days is tried with longer and longer pauses, then given up`()
    async throws
  {
    let world = try await alerted()
    world.answer { _ in MessageReceipt(status: 500) }
    for pause in [0] + Gateway.deliveryPauses {
      if pause > 0 {
        // A moment before its time it is left alone.
        world.time.advance(byMilliseconds: pause - 1)
        let tries = world.messages.count
        try await world.deliver()
        #expect(world.messages.count == tries)
        world.time.advance(byMilliseconds: 1)
      }
      try await world.deliver()
    }
    let sent = try world.sent()
    #expect(sent.count == 8)
    #expect(sent.map(\.attempt) == Array(1...8))
    #expect(sent.map(\.outcome) == Array(repeating: .failed, count: 7) + [.dead])
    #expect(Set(sent.map(\.delivery)).count == 1)
    #expect(Set(world.bodies).count == 1)
    #expect(try world.deliveries(isDead: true).count == 1)
    world.time.advance(byMilliseconds: 30 * day)
    try await world.deliver()
    #expect(world.messages.count == 8)
  }

  @Test func `what was given up is sent again when somebody asks, as the same delivery`()
    async throws
  {
    let world = try await alerted()
    world.answer { _ in MessageReceipt(status: 500) }
    try await world.deliver()
    let id = try #require(try world.deliveries().first)
    await #expect(throws: AccountRefusal.self) {
      try await world.gateway.resend(
        ResendDelivery(id.description, now: world.time.now, actor: "test"))
    }
    for pause in Gateway.deliveryPauses {
      world.time.advance(byMilliseconds: pause)
      try await world.deliver()
    }
    world.answer { _ in MessageReceipt(status: 204) }
    try await world.gateway.resend(
      ResendDelivery(id.description, now: world.time.now, actor: "test"))
    try await world.deliver()
    #expect(try world.sent().last?.outcome == .delivered)
    #expect(Set(world.header("Tollbook-Delivery")) == [id.description])
    #expect(try world.deliveries().isEmpty)
    #expect(try world.events(.notificationRequeued).count == 1)
  }

  @Test func `a process that dies before it delivers delivers when it is back`() async throws {
    let world = try await alerted()
    let id = try #require(try world.deliveries().first)
    try await world.crash()
    try await world.deliver()
    #expect(world.header("Tollbook-Delivery") == [id.description])
    #expect(try world.sent().map(\.outcome) == [.delivered])
  }

  @Test func `a process that dies while it delivers does so again, as the same delivery`()
    async throws
  {
    let world = try await alerted()
    world.answer { [weak world] _ in
      world?.log.close()
      return MessageReceipt(status: 200)
    }
    await #expect(throws: LogError.self) { try await world.deliver() }
    world.answer { _ in MessageReceipt(status: 200) }
    try await world.crash()
    try await world.deliver()
    #expect(world.messages.count == 2)
    #expect(Set(world.header("Tollbook-Delivery")).count == 1)
    #expect(Set(world.bodies).count == 1)
  }

  @Test func `a hook that hangs holds up no other, and gets no second message meanwhile`()
    async throws
  {
    let world = try await AlertWorld()
    let slow = try await world.addWebhook(url: "http://slow.example/")
    try await world.addWebhook()
    try await world.setBudget()
    let (held, free) = AsyncStream.makeStream(of: Void.self)
    world.answer { message in
      if message.url.host == "slow.example" { for await _ in held {} }
      return MessageReceipt(status: 200)
    }
    await world.buy(0..<8)
    try await world.look()
    let delivering = Task { try await world.deliver() }
    while try world.sent().isEmpty { await Task.yield() }
    #expect(world.messages.count { $0.url.host == "slow.example" } == 1)
    #expect(try world.sent().allSatisfy { $0.webhook != slow.id })
    free.finish()
    try await delivering.value
    #expect(try world.sent().count == 2)
  }

  @Test func `what is secret stands in no file but its own, which only the owner reads`()
    async throws
  {
    let world = try await alerted()
    world.answer { _ in MessageReceipt(status: 500, detail: "no") }
    try await world.deliver()
    let secrets = [AlertWorld.secret, "canary-path", "canary-query"]
    try await world.crash { folder in
      let files = try folder.contents()
      let own = try #require(files.first { $0.key.contains(WebhookKeys.fileName) })
      #expect(own.key.hasSuffix(" 600"))
      // What it holds is no plain text, so that a search for it would not find it either.
      #expect(own.value?.count ?? 0 > 0)
      for (name, bytes) in files where name != own.key {
        for secret in secrets {
          let found = bytes?.firstRange(of: Data(secret.utf8))
          #expect(found == nil, "\(secret) stands in \(name)")
        }
      }
    }
    world.time.advance(byMilliseconds: day)
    world.answer { _ in MessageReceipt(status: 200) }
    try await world.deliver()
    #expect(world.messages.last?.url.text == AlertWorld.url)
  }

  @Test func `a webhook whose secret is lost is told nothing, and says so`() async throws {
    let world = try await alerted()
    try await world.crash { folder in
      try FileManager.default.removeItem(atPath: "\(folder.path)/data/\(WebhookKeys.fileName)")
    }
    try await world.deliver()
    #expect(world.messages.isEmpty)
    #expect(try world.sent().map(\.outcome) == [.dead])
    #expect(try world.sent().first?.detail.contains("lost") == true)
  }

  @Test func `what waits for a webhook that was removed is given up`() async throws {
    let world = try await alerted()
    let id = try #require(try world.deliveries().first)
    try await world.gateway.remove(RemoveWebhook(id.webhook, actor: "test"))
    try await world.deliver()
    #expect(world.messages.isEmpty)
    #expect(try world.sent().map(\.detail) == ["the webhook was removed"])
  }

  @Test func `an address that is not public is refused, unless its host is named`() async throws {
    let world = try await AlertWorld()
    world.lookUp(gives: "10.0.0.7")
    await #expect(throws: AccountRefusal.self) {
      try await world.addWebhook(url: "http://inside.example/")
    }
    try await world.addWebhook()
    #expect(try world.events(.webhookSet).count == 1)
  }

  @Test func `there are a hundred webhooks at the most`() async throws {
    let world = try await AlertWorld()
    for _ in 0..<AddWebhook.most { try await world.addWebhook() }
    await #expect(throws: AccountRefusal.self) { try await world.addWebhook() }
    #expect(try world.events(.webhookSet).count == 100)
  }

  @Test(arguments: [
    ("ftp://hooks.example/", "signed", ["alert.raised"]),
    ("hooks.example", "signed", ["alert.raised"]),
    ("https://u:p@hooks.example/", "signed", ["alert.raised"]),
    ("https://hooks.example/#x", "signed", ["alert.raised"]),
    ("https://hooks.example/", "xml", ["alert.raised"]), ("https://hooks.example/", "signed", []),
    ("https://hooks.example/", "signed", ["budget.unknown"]),
  ])
  func `a webhook that could not be told is refused by the name of what is wrong`(
    url: String, format: String, events: [String]
  ) {
    #expect(throws: AccountRefusal.self) {
      try AddWebhook(url: url, secret: nil, format: format, events: events, actor: "test")
    }
  }

  @Test func `deliveries that wait are bounded`() async throws {
    let world = try await AlertWorld()
    for _ in 0..<AddWebhook.most { try await world.addWebhook() }
    var raised: [Event] = []
    for number in 0...(AlertsFold.mostWaiting / AddWebhook.most) {
      var event = AlertRaised()
      event.alert.name = AlertName.rejected.rawValue
      event.alert.credential = "c\(number)"
      event.alert.atMs = world.time.now.milliseconds
      raised.append(.alertRaised(event))
    }
    let events = raised
    _ = try await world.log.decide { (_, _) throws(LogError) in
      Decision(events: events, answer: ())
    }
    let alerts = world.gateway.alerts
    let counts = try world.log.read { (reading) throws(LogError) in
      (
        try alerts.waitingCount(in: reading),
        try alerts.deliveries(isDead: true, limit: 1_000, in: reading).count
      )
    }
    #expect(counts == (AlertsFold.mostWaiting, AddWebhook.most))
  }
}

@Suite(.timeLimit(.minutes(30)))
struct `The view of alerts` {
  @Test func `it is the same after each decision as over all events at once`() async throws {
    let world = try await AlertWorld()
    let first = try await world.addWebhook()
    try await world.addWebhook(["budget.exceeded"])
    try await world.setBudget()
    for range in [0..<5, 5..<8, 8..<11] {
      await world.buy(range)
      try await world.look()
    }
    world.answer { _ in MessageReceipt(status: 500) }
    try await world.deliver()
    for pause in Gateway.deliveryPauses {
      world.time.advance(byMilliseconds: pause)
      try await world.look()
      try await world.deliver()
    }
    let dead = try #require(try world.deliveries(isDead: true).first)
    try await world.gateway.resend(
      ResendDelivery(dead.description, now: world.time.now, actor: "test"))
    try await world.gateway.remove(RemoveWebhook(first.id, actor: "test"))
    try await ChangeBudget("daily", limit: 100, now: world.time.now, actor: "test")
      .run(on: world.log)
    try await world.look()
    let report = try await world.log.rebuildViews()
    #expect(report.isEqual)
    #expect(report.views.first { $0.view == AlertsFold.fold.id }?.rows ?? 0 > 10)
  }
}
