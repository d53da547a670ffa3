import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams

@testable import DealScout

/// Channels, rules and what is told, over HTTP.
@Suite struct `Channels and rules of notices` {
  static let hook = #"{"name":"hook","kind":"webhook","url":"https://198.51.100.7/a?b=c"}"#

  static func stand(
    _ change: @escaping (inout DealScoutStand.Options) -> Void = { _ in },
    _ scene: @escaping @Sendable (DealScoutStand, ScoutCaller, NoticeListener) async throws -> Void
  ) async throws {
    let listener = NoticeListener()
    try await DealScoutStand.serving {
      $0.send = listener.send
      $0.gateway.webhookHosts = ["198.51.100.7"]
      $0.simulator.dealsPerFamilyDay = 12
      change(&$0)
    } _: { stand, client in
      try await scene(stand, client, listener)
    }
  }

  static func addRule(
    _ client: ScoutCaller, _ name: String, _ members: String
  ) async throws -> ScoutAnswer {
    try await client.send(
      .post, "/notifications/rules", #"{"name":"\#(name)","channel":"hook",\#(members)}"#)
  }

  /// Saves a search and scans it, so that planted deals are there.
  static func scan(_ stand: DealScoutStand, _ client: ScoutCaller) async throws {
    _ = try await client.save("first", stand.simulator.familyWords[0])
    let scan = try await client.send(.post, "/scan/run", "{}")
    #expect(scan.status == 200, "\(scan.text)")
  }

  /// Looks for news and sends what is due.
  static func tell(_ stand: DealScoutStand) async throws {
    stand.time.advance(byMilliseconds: 3_000)
    try await stand.scout.lookForNews(stand.gateway)
    await stand.scout.notices.send(stand.gateway)
  }

  // MARK: Channels

  @Test func `a secret is shown once, and of an address never more than its place`() async throws {
    try await Self.stand { stand, client, _ in
      let made = try await client.send(.post, "/notifications/channels", Self.hook)
      #expect(made.status == 201, "\(made.text)")
      let secret = try #require(made.string("secret"))
      #expect(secret.hasPrefix("whsec_"))
      #expect(made.string("url") == "https://198.51.100.7/…")
      let list = try await client.send(.get, "/notifications/channels")
      #expect(list.string("channels.0.name") == "hook")
      #expect(!list.text.contains(secret) && !list.text.contains("b=c"))
      #expect(try await client.send(.post, "/notifications/channels", Self.hook).status == 409)
      let removed = try await client.send(.delete, "/notifications/channels/hook")
      #expect(removed.status == 200)
      #expect(try await client.send(.delete, "/notifications/channels/hook").status == 404)
    }
  }

  @Test(arguments: [
    (#"{"kind":"webhook","url":"https://198.51.100.7/"}"#, 400, "name"),
    (#"{"name":"a b","kind":"webhook","url":"https://198.51.100.7/"}"#, 400, "name"),
    (#"{"name":"a","kind":"fax","url":"https://198.51.100.7/"}"#, 400, "kind"),
    (#"{"name":"a","kind":"webhook"}"#, 400, "url"),
    (#"{"name":"a","kind":"webhook","url":"ftp://198.51.100.7/"}"#, 400, "url"),
    (#"{"name":"a","kind":"webhook","url":"http://127.0.0.1:9/"}"#, 400, "url"),
    (#"{"name":"a","kind":"slack","url":"http://[::1]/"}"#, 400, "url"),
    (#"{"name":"a","kind":"slack","url":"http://169.254.169.254/latest"}"#, 400, "url"),
    (#"{"name":"a","kind":"slack","url":"https://198.51.100.7/","secret":"s"}"#, 400, "secret"),
    (#"{"name":"a","kind":"webhook","url":"https://198.51.100.7/","secret":""}"#, 400, "secret"),
    (#"{"name":"a","kind":"webhook","url":"https://198.51.100.7/","to":"a@b.c"}"#, 400, "to"),
    (#"{"name":"a","kind":"email"}"#, 400, "to"),
    (#"{"name":"a","kind":"email","to":"a@b.c\r\nBcc: x@y.z"}"#, 400, "to"),
    (#"{"name":"a","kind":"email","to":"a@b.example"}"#, 409, "kind"),
  ])
  func `a channel that cannot be is refused by its field, and none is made`(
    body: String, status: Int, field: String
  ) async throws {
    try await Self.stand { _, client, _ in
      let refused = try await client.send(.post, "/notifications/channels", body)
      #expect(refused.status == status, "\(refused.text)")
      #expect(refused.string("field") == field, "\(refused.text)")
      let list = try await client.send(.get, "/notifications/channels")
      #expect(list["channels"]?.array?.isEmpty == true)
    }
  }

  @Test func `this machine is reached where the operator allows it, and by HTTP in earnest`()
    async throws
  {
    try await Self.stand {
      $0.send = nil
      $0.gateway.webhookHosts = ["127.0.0.1"]
    } _: { _, client, _ in
      let url = #"{"name":"hook","kind":"webhook","url":"http://127.0.0.1:1/"}"#
      #expect(try await client.send(.post, "/notifications/channels", url).status == 201)
      let tried = try await client.send(.post, "/notifications/channels/hook/test", "{}")
      #expect(tried.status == 200, "\(tried.text)")
      #expect(tried["taken"]?.bool == false)
      #expect(tried.string("detail")?.isEmpty == false)
    }
  }

  @Test func `the test button sends one signed notice now, and answers what came back`()
    async throws
  {
    try await Self.stand { stand, client, listener in
      let secret = #"{"name":"hook","kind":"webhook","url":"https://198.51.100.7/","secret":"s"}"#
      _ = try await client.send(.post, "/notifications/channels", secret)
      let tried = try await client.send(.post, "/notifications/channels/hook/test", "{}")
      #expect(tried["taken"]?.bool == true, "\(tried.text)")
      #expect(tried.int("status") == 204)
      let message = try #require(listener.messages.first)
      let signature = OutgoingMessage.signature(of: message.body, by: "s", at: stand.time.now)
      #expect(listener.header("Tollbook-Signature") == [signature])
      #expect(listener.notices.first?["event"]?.string == "test")
      let again = try await client.send(.post, "/notifications/channels/hook/test", "{}")
      #expect(again.status == 409, "\(again.text)")
      #expect(listener.messages.count == 1)
      stand.time.advance(byMilliseconds: 10_000)
      listener.answer(302, "redirects are not followed")
      let moved = try await client.send(.post, "/notifications/channels/hook/test", "{}")
      #expect(moved["taken"]?.bool == false)
      #expect(moved.int("status") == 302)
      #expect(
        try await client.send(.post, "/notifications/channels/none/test", "{}").status == 404)
    }
  }

  @Test func `Slack gets a text alone, and no signature`() async throws {
    try await Self.stand { _, client, listener in
      let slack = #"{"name":"hook","kind":"slack","url":"https://198.51.100.7/x"}"#
      let made = try await client.send(.post, "/notifications/channels", slack)
      #expect(made["secret"] == nil)
      _ = try await client.send(.post, "/notifications/channels/hook/test", "{}")
      let body = try #require(listener.messages.first?.body)
      let members = try #require(try JSONDocument(body).root.members).map(\.name)
      #expect(members == ["text"])
      #expect(listener.header("Tollbook-Signature") == [nil])
    }
  }

  @Test func `an account has at most twenty channels`() async throws {
    try await Self.stand { _, client, _ in
      func add(_ number: Int) async throws -> ScoutAnswer {
        try await client.send(
          .post, "/notifications/channels",
          #"{"name":"c\#(number)","kind":"slack","url":"https://198.51.100.7/"}"#)
      }
      for number in 0..<20 { #expect(try await add(number).status == 201) }
      let refused = try await add(20)
      #expect(refused.status == 409)
      #expect(refused.string("detail")?.contains("20 channels") == true)
    }
  }

  // MARK: Rules

  @Test func `a rule is kept, listed and removed, and holds its channel`() async throws {
    try await Self.stand { stand, client, _ in
      _ = try await client.send(.post, "/notifications/channels", Self.hook)
      _ = try await client.save("first", stand.simulator.familyWords[0])
      let made = try await Self.addRule(
        client, "deals",
        #""about":"deal.new","search":"first","min_score":70,"delivery":"hourly""#)
      #expect(made.status == 201, "\(made.text)")
      #expect(made.int("min_score") == 70)
      let list = try await client.send(.get, "/notifications/rules")
      #expect(list.string("rules.0.search") == "first")
      #expect(list.string("rules.0.delivery") == "hourly")
      #expect(try await client.send(.delete, "/notifications/channels/hook").status == 409)
      #expect(try await client.send(.delete, "/notifications/rules/deals").status == 200)
      #expect(try await client.send(.delete, "/notifications/rules/deals").status == 404)
      #expect(try await client.send(.delete, "/notifications/channels/hook").status == 200)
    }
  }

  @Test(arguments: [
    (#""about":"nonsense""#, 400, "about"), (#""delivery":"hourly""#, 400, "about"),
    (#""about":"test""#, 400, "about"),
    (#""about":"deal.new","min_score":101"#, 400, "min_score"),
    (#""about":"deal.new","min_percent":5"#, 400, "min_percent"),
    (#""about":"price.dropped","min_percent":100"#, 400, "min_percent"),
    (#""about":"watch.ended","min_score":5"#, 400, "min_score"),
    (#""about":"alert.raised","search":"first""#, 400, "search"),
    (#""about":"alert.raised","alerts":["nonsense"]"#, 400, "alerts[0]"),
    (#""about":"deal.new","delivery":"weekly""#, 400, "delivery"),
    (#""about":"deal.new","search":"none""#, 404, "search"),
  ])
  func `a rule that cannot be is refused by its field`(
    members: String, status: Int, field: String
  ) async throws {
    try await Self.stand { _, client, _ in
      _ = try await client.send(.post, "/notifications/channels", Self.hook)
      let refused = try await Self.addRule(client, "r", members)
      #expect(refused.status == status, "\(refused.text)")
      #expect(refused.string("field") == field, "\(refused.text)")
    }
  }

  @Test func `a rule over no channel, or about scores that there are none of, is refused`()
    async throws
  {
    try await Self.stand {
      $0.judges = false
    } _: { _, client, _ in
      let channel = try await Self.addRule(client, "r", #""about":"watch.ended""#)
      #expect(channel.status == 404)
      #expect(channel.string("field") == "channel")
      _ = try await client.send(.post, "/notifications/channels", Self.hook)
      let score = try await Self.addRule(client, "r", #""about":"deal.new""#)
      #expect(score.status == 403, "\(score.text)")
      #expect(score.string("detail")?.contains("EBAY_MODELLING_CONSENT") == true)
    }
  }

  @Test func `an account has at most a hundred rules`() async throws {
    try await Self.stand { _, client, _ in
      _ = try await client.send(.post, "/notifications/channels", Self.hook)
      for number in 0..<100 {
        let made = try await Self.addRule(client, "r\(number)", #""about":"watch.ended""#)
        #expect(made.status == 201)
      }
      let refused = try await Self.addRule(client, "r100", #""about":"watch.ended""#)
      #expect(refused.status == 409)
      #expect(refused.string("detail")?.contains("100 rules") == true)
    }
  }
}
