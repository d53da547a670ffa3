import HTTPTypes
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookHTTP

@Suite(.timeLimit(.minutes(10)))
struct `Alerts over HTTP` {
  /// A stand whose webhooks may reach this machine.
  private func stand(_ change: (inout Stand.Options) -> Void = { _ in }) async throws -> Stand {
    try await Stand { options in
      options.gateway.webhookHosts = ["127.0.0.1"]
      change(&options)
    }
  }

  private static let canary = "canary-8421"

  private func add(_ tollbook: Caller, _ body: String) async throws -> Answer {
    try await tollbook.send(.post, "/admin/webhooks", body: body)
  }

  @Test func `a secret that is made is told once, where it is made`() async throws {
    let stand = try await stand()
    try await stand.serving { tollbook in
      let made = try await add(
        tollbook, #"{"url":"http://127.0.0.1:9/a?b=c","events":["budget.threshold"]}"#)
      #expect(made.status == 201)
      #expect(made.string("format") == "signed")
      #expect(made.string("url") == "http://127.0.0.1:9/…")
      let secret = try #require(made.string("secret"))
      #expect(secret.hasPrefix("whsec_"))
      let listed = try await tollbook.get("/admin/webhooks")
      #expect(listed.strings("webhooks", "id") == [made.string("id")])
      #expect(listed.strings("webhooks", "status") == ["active"])
      #expect(!listed.text.contains(secret))
      let id = try #require(made.string("id"))
      #expect(try await tollbook.send(.delete, "/admin/webhooks/\(id)").status == 200)
      #expect(try await tollbook.get("/admin/webhooks").count("webhooks") == 0)
      #expect(try await tollbook.send(.delete, "/admin/webhooks/\(id)").status == 404)
    }
  }

  @Test func `what is secret of a webhook is in no answer`() async throws {
    let stand = try await stand()
    try await stand.serving { tollbook in
      let body =
        #"{"url":"http://127.0.0.1:9/\#(Self.canary)?\#(Self.canary)","secret":"\#(Self.canary)","#
        + #""format":"slack","events":["alert.raised"]}"#
      let made = try await add(tollbook, body)
      #expect(made.status == 201)
      #expect(!made.text.contains(Self.canary))
      for path in ["/admin/webhooks", "/admin/deliveries", "/events", "/alerts", "/jobs"] {
        let answer = try await tollbook.get(path)
        #expect(answer.status == 200)
        #expect(!answer.text.contains(Self.canary), "\(path)")
      }
    }
  }

  @Test(arguments: [
    (#"{"events":["alert.raised"]}"#, "url"), (#"{"url":7}"#, "url"),
    (#"{"url":"ftp://a.example/"}"#, "url"), (#"{"url":"http://10.0.0.1/"}"#, "url"),
    (#"{"url":"http://2130706433/"}"#, "url"), (#"{"url":"http://[::1]/"}"#, "url"),
    (#"{"url":"http://169.254.169.254/latest"}"#, "url"),
    (#"{"url":"http://127.0.0.1/","format":"xml"}"#, "format"),
    (#"{"url":"http://127.0.0.1/","events":[]}"#, "events"),
    (#"{"url":"http://127.0.0.1/","events":["x"]}"#, "events"),
    (#"{"url":"http://127.0.0.1/","secret":""}"#, "secret"),
    (#"{"url":"http://127.0.0.1/","sceret":"x"}"#, "sceret"),
  ])
  func `a webhook that cannot be is refused by the field, and nothing is written`(
    body: String, field: String
  ) async throws {
    let stand = try await stand()
    let head = stand.log.head
    try await stand.serving { tollbook in
      let answer = try await add(tollbook, body)
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
    }
    #expect(stand.log.head == head)
  }

  @Test
  func `webhooks and deliveries are for administrators, and open alerts are an account's own`()
    async throws
  {
    let stand = try await stand { $0.accessKey = "root-key" }
    let root: HTTPFields = [.authorization: "Bearer root-key"]
    try await stand.serving { tollbook in
      var keys: [String: HTTPFields] = [:]
      for account in ["acme", "zeta"] {
        _ = try await tollbook.send(
          .post, "/admin/accounts", root, body: #"{"id":"\#(account)","name":"\#(account)"}"#)
        let key = try await tollbook.send(
          .post, "/admin/access-keys", root,
          body: #"{"account":"\#(account)","scopes":["read","fetch"]}"#)
        keys[account] = [.authorization: "Bearer \(try #require(key.string("key")))"]
        let budget = try await tollbook.send(
          .post, "/admin/budgets", root,
          body: #"{"name":"of-\#(account)","scope":{"account":"\#(account)"},"unit":"tokens","#
            + #""limit":2,"window":"day","thresholds":[50]}"#)
        #expect(budget.status == 201)
      }
      let acme = try #require(keys["acme"])
      let zeta = try #require(keys["zeta"])
      _ = try await tollbook.batch(["B000000001"], headers: acme)
      _ = try await stand.gateway.lookForAlerts()
      let own = try await tollbook.get("/alerts", acme)
      #expect(own.strings("alerts", "budget") == ["of-acme"])
      #expect(own.ints("alerts", "percent") == [50])
      #expect(try await tollbook.get("/alerts", zeta).count("alerts") == 0)
      #expect(try await tollbook.get("/alerts", root).count("alerts") == 1)
      for path in ["/admin/webhooks", "/admin/deliveries"] {
        #expect(try await tollbook.get(path, acme).status == 403)
      }
      let resent = try await tollbook.send(
        .post, "/admin/deliveries/1-wh/resend", acme, body: "{}")
      #expect(resent.status == 403)
    }
  }

  @Test func `deliveries are listed by their state, page by page, and sent again by their id`()
    async throws
  {
    let stand = try await stand()
    try await stand.serving { tollbook in
      for _ in 0..<3 {
        _ = try await add(tollbook, #"{"url":"http://127.0.0.1:9/","events":["alert.raised"]}"#)
      }
      var raised = AlertRaised()
      raised.alert.name = AlertName.rejected.rawValue
      raised.alert.credential = "main"
      raised.alert.atMs = stand.time.now.milliseconds
      let event = Event.alertRaised(raised)
      _ = try await stand.log.decide { (_, _) in .init(events: [event], answer: ()) }
      let first = try await tollbook.get("/admin/deliveries?state=waiting&limit=2")
      #expect(first.count("deliveries") == 2)
      let next = try #require(first.string("next"))
      let second = try await tollbook.get("/admin/deliveries?state=waiting&limit=2&cursor=\(next)")
      #expect(second.count("deliveries") == 1)
      #expect(try await tollbook.get("/admin/deliveries?state=dead").count("deliveries") == 0)
      #expect(try await tollbook.get("/admin/deliveries?state=lost").status == 400)
      // It waits already.
      let early = try await tollbook.send(.post, "/admin/deliveries/\(next)/resend", body: "{}")
      #expect(early.status == 409)
      for id in ["", "1", "1-", "0-x", "\(next)x"] {
        let unknown = try await tollbook.send(
          .post, "/admin/deliveries/\(id)/resend", body: "{}")
        #expect(unknown.status == 404)
      }
    }
  }
}
