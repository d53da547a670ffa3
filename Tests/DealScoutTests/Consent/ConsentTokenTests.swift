import Foundation
import HTTPTypes
import HummingbirdTesting
import JSONText
import NIOCore
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout

/// What becomes of a user's tokens: `POST /ebay/refresh`, `GET` and `DELETE /ebay/account`.
@Suite struct `Tokens of a user of eBay` {
  @Test func `a token is renewed, and five minutes before its end where that is asked for`()
    async throws
  {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      #expect(try await browser.connect().status == 200)
      let first = try #require(try stand.user()?.tokens)
      stand.time.advance(byMilliseconds: 6_899_999)
      let early = try await client.send(.post, "/ebay/refresh", #"{"if_due":true}"#)
      #expect(early["renewed"]?.bool == false, "\(early.text)")
      #expect(stand.simulator.books.minted(.refreshToken) == 0)
      stand.time.advance(byMilliseconds: 1)
      let due = try await client.send(.post, "/ebay/refresh", #"{"if_due":true}"#)
      #expect(due["renewed"]?.bool == true, "\(due.text)")
      #expect(due.string("access_until") == "2026-11-21T11:55:00.000Z")
      let second = try #require(try stand.user()?.tokens)
      #expect(second.access != first.access)
      // eBay sends no refresh token anew.
      #expect(second.refresh == first.refresh)
      #expect(second.refreshEnds == first.refreshEnds)
      let forced = try await client.send(.post, "/ebay/refresh", "{}")
      #expect(forced["renewed"]?.bool == true)
      #expect(stand.simulator.books.minted(.refreshToken) == 2)
      #expect(try stand.settled("tokens_minted") == 3)
      let audit = try await client.send(.get, "/audit?by=operation")
      #expect(audit.text.contains("ebay.refresh"), "\(audit.text)")
    }
  }

  @Test func `a post that has nothing to say needs no body, but comes from no other site`()
    async throws
  {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      #expect(try await browser.connect().status == 200)
      let renewed = try await client.send(.post, "/ebay/refresh")
      #expect(renewed.status == 200, "\(renewed.text)")
      #expect(renewed["renewed"]?.bool == true)
      // Let in, though there is nothing to do.
      for path in [
        "/scan/run", "/tasks/scan", "/tasks/recompute-comps", "/notifications/channels/no/test",
        "/notifications/deliveries/no/resend",
      ] {
        #expect(try await client.send(.post, path).status == 404, "\(path)")
      }
      let foreign = try await client.send(
        .post, "/ebay/refresh", headers: [.origin: "https://other.example"])
      #expect(foreign.status == 403, "\(foreign.text)")
      let untyped = try await client.client.executeRequest(
        uri: "/ebay/refresh", method: .post, headers: [:], body: ByteBuffer(string: "{}"))
      #expect(untyped.status.code == 415)
      #expect(stand.simulator.books.minted(.refreshToken) == 1)
      // What has something to say says it.
      #expect(try await client.send(.post, "/searches").status == 415)
    }
  }

  @MainActor
  @Test func `who asks while a token is being renewed waits for the same call`() async throws {
    let held = HeldCalls(isHolding: false)
    try await DealScoutStand.consenting({
      $0.simulator.latency = 1
      $0.simulator.sleep = { _ in await held.stop() }
    }) { @MainActor stand, client in
      var browser = ConsentBrowser(stand, client)
      #expect(try await browser.connect().status == 200)
      held.hold()
      // On one actor each runs up to where it waits before the next one begins.
      let asked = (0..<5).map { _ in
        Task { @MainActor in
          try await stand.scout.consents.renew(
            of: "default", ifDue: false, by: Principal(account: "default"), stand.gateway)
        }
      }
      for _ in asked { await Task.yield() }
      await held.wait(for: 1)
      held.letGo()
      var tokens: Set<EbaySecret> = []
      for task in asked {
        if let access = try await task.value.user.tokens?.access { tokens.insert(access) }
      }
      #expect(tokens.count == 1)
      #expect(stand.simulator.books.minted(.refreshToken) == 1)
    }
  }

  @Test func `a refresh token that was revoked ends the consent, and eBay is not asked again`()
    async throws
  {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      #expect(try await browser.connect().status == 200)
      stand.simulator.conditions.refreshRevokedBefore = stand.time.now.milliseconds + 1
      let refused = try await client.send(.post, "/ebay/refresh", "{}")
      #expect(refused.status == 409, "\(refused.text)")
      #expect(refused.string("reason") == "consent_revoked")
      let account = try await client.send(.get, "/ebay/account")
      #expect(account["connected"]?.bool == false)
      #expect(account.string("state") == "consent_revoked")
      #expect(account["access_until"]?.isNull == true)
      #expect(try stand.user()?.tokens == nil)
      let calls = stand.simulator.books.count
      #expect(try await client.send(.post, "/ebay/refresh", "{}").status == 409)
      #expect(stand.simulator.books.count == calls)
      #expect(
        try await browser.get("/deals").text.contains("takes the consent of its user no more"))
      // A consent given anew counts.
      stand.time.advance(byMilliseconds: 1_000)
      #expect(try await browser.connect().status == 200)
      #expect(try await client.send(.post, "/ebay/refresh", "{}").status == 200)
    }
  }

  @Test func `a refresh token whose time is over is not sent`() async throws {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      #expect(try await browser.connect().status == 200)
      let calls = stand.simulator.books.count
      stand.time.advance(byMilliseconds: 47_304_000_000)
      let refused = try await client.send(.post, "/ebay/refresh", "{}")
      #expect(refused.string("reason") == "consent_revoked")
      #expect(stand.simulator.books.count == calls)
    }
  }

  @Test func `what fails at eBay's for a while leaves the consent as it is`() async throws {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      #expect(try await browser.connect().status == 200)
      let kept = try stand.user()
      for kind in [EbayFault.Kind.http500, .http429, .html, .drop] {
        stand.simulator.faults = EbayFaults([EbayFault(kind, next: 1, of: .token)])
        let refused = try await client.send(.post, "/ebay/refresh", "{}")
        #expect(refused.status != 200 && refused.status != 409, "\(kind): \(refused.text)")
        #expect(try stand.user() == kept)
        stand.time.advance(byMilliseconds: 86_400_000)
      }
      #expect(try await client.send(.post, "/ebay/refresh", "{}").status == 200)
    }
  }

  @Test func `a consent is forgotten, also while its token is being renewed`() async throws {
    let held = HeldCalls(isHolding: false)
    try await DealScoutStand.consenting({
      $0.simulator.latency = 1
      $0.simulator.sleep = { _ in await held.stop() }
    }) { stand, client in
      var browser = ConsentBrowser(stand, client)
      #expect(try await client.send(.delete, "/ebay/account").status == 404)
      #expect(try await client.send(.post, "/ebay/refresh", "{}").string("reason") == "no_consent")
      #expect(try await browser.connect().status == 200)
      held.hold()
      async let renewal = client.send(.post, "/ebay/refresh", "{}")
      await held.wait(for: 1)
      #expect(try await client.send(.delete, "/ebay/account").status == 200)
      held.letGo()
      let refused = try await renewal
      #expect(refused.status == 409, "\(refused.text)")
      #expect(try stand.user() == nil)
      #expect(try await client.send(.get, "/ebay/account").string("state") == "not_connected")
    }
  }

  @Test func `whoever's data key is destroyed is connected no more`() async throws {
    try await DealScoutStand.consenting({ $0.accessKey = "root-key" }) { stand, client in
      var browser = ConsentBrowser(stand, client, key: try await stand.open("acme"))
      let query = try await browser.begin()
      #expect(try await browser.follow(browser.consent(query)).status == 200)
      #expect(try stand.user(of: "acme") != nil)
      let cost = try await stand.gateway.shred("acme", actor: "test")
      #expect(cost.entries == 1)
      #expect(try stand.user(of: "acme") == nil)
    }
  }

  @Test func `no secret is in an answer, in an event or in what lies on the disk`() async throws {
    try await DealScoutStand.consenting { stand, client in
      var browser = ConsentBrowser(stand, client)
      let left = try await browser.get("/ebay/authorize")
      let query = String(left.headers[.location]?.split(separator: "?").last ?? "")
      let address = try await browser.consent(query)
      var answers = [try await browser.follow(address)]
      let before = try #require(try stand.user()?.tokens)
      answers.append(try await client.send(.post, "/ebay/refresh", "{}"))
      let after = try #require(try stand.user()?.tokens)
      // One that fails, too.
      let state = ConsentBrowser.parameter("state", of: try await browser.begin()) ?? ""
      let code = ConsentBrowser.parameter("code", of: address) ?? ""
      answers.append(
        try await client.send(
          .post, "/ebay/exchange", #"{"code":"\#(code)","state":"\#(state)"}"#))
      answers.append(try await client.send(.post, "/ebay/exchange", #"{"code":"\#(code)"}"#))
      for path in [
        "/ebay/account", "/deals", "/events?limit=1000", "/ledger", "/ledger/charges",
        "/cache/entries?limit=1000", "/cache/entries/account/default/ebay.user/consent",
        "/audit", "/health", "/metrics", "/jobs",
      ] {
        let answer = try await client.send(.get, path)
        #expect(answer.status == 200, "\(path): \(answer.text)")
        answers.append(answer)
      }
      let given = ConsentBrowser.parameter("state", of: query) ?? ""
      let secrets = [
        before.access.text, before.refresh.text, after.access.text, code,
        try #require(EbayText.percentDecoded(code)), given, state,
        browser.cookies["tollbook_journey"] ?? "", EbayApplication().clientSecret,
      ]
      #expect(secrets.allSatisfy { $0.utf8.count >= 16 })
      #expect(Set(secrets).count == secrets.count)
      for (answer, secret) in answers.flatMap({ answer in secrets.map { (answer, $0) } }) {
        #expect(!answer.text.contains(secret), "\(answer.text.prefix(300))")
        #expect(!answer.headers.contains { $0.value.contains(secret) })
      }
      let files = try TemporaryFolder(keeping: stand.log.directory.path).contents()
        .compactMap(\.value)
      let isWritten = { (text: String) in
        files.contains { $0.range(of: Data(text.utf8)) != nil }
      }
      // What is no secret is found.
      #expect(isWritten("ebay.consent") && isWritten("account/default/ebay.user/consent"))
      for (number, secret) in secrets.enumerated() { #expect(!isWritten(secret), "\(number)") }
    }
  }
}
