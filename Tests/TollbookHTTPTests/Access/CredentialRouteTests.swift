import Crypto
import Foundation
import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct `Credentials over HTTP` {
  private static func key(_ number: Int) -> String { KeepaSimulator.sampleKey(number) }

  /// - Parameter settings: whether a key stands in the settings, the simulator's first.
  private func stand(
    settings: Bool = false, keys: Int = 4,
    _ change: (inout Stand.Options) -> Void = { _ in }
  ) async throws -> Stand {
    try await Stand { options in
      options.accessKey = "root"
      options.key = settings ? Self.key(0) : ""
      options.simulator.keys = Set((0..<keys).map(Self.key))
      options.master = SymmetricKey(data: Data(repeating: 7, count: 32))
      change(&options)
    }
  }

  private func spent(_ stand: Stand, _ number: Int) -> Int {
    stand.keepa.simulator.books.tokensByKeySuffix[String(Self.key(number).suffix(4)), default: 0]
  }

  private func asins(_ range: Range<Int>) -> [String] {
    range.map { "B0" + String(repeating: "0", count: 8 - "\($0)".count) + "\($0)" }
  }

  @Test func `one is put in, used, switched off and on at once, and removed with its secret`()
    async throws
  {
    let stand = try await stand()
    try await stand.serving { caller in
      let nothing = try await caller.batch(asins(0..<1), headers: Caller.root)
      #expect(nothing.string("results.0.error.reason") == "upstream_not_configured")
      let made = try await caller.credential(Self.key(1), ",\"name\":\"first\"")
      #expect(made.status == 201)
      let id = try #require(made.string("id"))
      #expect(made.string("status") == "active")
      #expect(made.string("source") == "sealed")
      #expect(made["has_secret"]?.bool == true)
      #expect(try await caller.batch(asins(0..<2), headers: Caller.root).source(0) == "keepa")
      #expect(spent(stand, 1) == 2)
      _ = try await caller.admin(
        .patch, "/admin/credentials/\(id)", "{\"status\":\"disabled\"}")
      let off = try await caller.batch(asins(2..<3), headers: Caller.root)
      #expect(off.text.contains("No active token found"))
      _ = try await caller.admin(.patch, "/admin/credentials/\(id)", "{\"status\":\"expired\"}")
      let expired = try await caller.batch(asins(2..<3), headers: Caller.root)
      #expect(expired.text.contains("Token expired"))
      let status = try await caller.get("/views/vw_TokenStatus", Caller.root)
      #expect(status.text.contains("EXPIRED"))
      _ = try await caller.admin(.patch, "/admin/credentials/\(id)", "{\"status\":\"active\"}")
      #expect(try await caller.batch(asins(2..<3), headers: Caller.root).source(0) == "keepa")
      let gone = try await caller.admin(.delete, "/admin/credentials/\(id)")
      #expect(gone["removed"]?.bool == true)
      let after = try await caller.batch(asins(3..<4), headers: Caller.root)
      #expect(after.string("results.0.error.reason") == "upstream_not_configured")
      #expect(spent(stand, 1) == 3)
      let file = "\(stand.log.directory.path)/credentials.key"
      #expect(!(try String(contentsOfFile: file, encoding: .utf8)).contains(id))
      // Put in again it is the same one, and counts on the same meter.
      #expect(try await caller.credential(Self.key(1)).string("id") == id)
      #expect(try await caller.batch(asins(3..<4), headers: Caller.root).source(0) == "keepa")
    }
  }

  @Test func `what one may spend in all holds to the token, and the next one goes on`()
    async throws
  {
    let stand = try await stand()
    try await stand.serving { caller in
      _ = try await caller.admin(
        .post, "/admin/pools", "{\"upstream\":\"keepa\",\"selection\":\"failover\"}")
      let first = try await caller.credential(Self.key(1), ",\"limit\":5")
      _ = try await caller.credential(Self.key(2), ",\"limit\":3")
      let answer = try await caller.batch(asins(0..<10), headers: Caller.root)
      #expect(spent(stand, 1) == 5)
      #expect(spent(stand, 2) == 3)
      let sources = (0..<10).map { answer.source($0) }
      #expect(sources.filter { $0 == "keepa" }.count == 8)
      #expect(answer.text.contains("limit of the credential"))
      let list = try await caller.get("/credentials", Caller.root)
      #expect(list.string("credentials.0.status") == "exceeded")
      #expect(list.int("credentials.0.used") == 5)
      #expect(list.int("credentials.0.remaining") == 0)
      let id = try #require(first.string("id"))
      let raised = try await caller.admin(
        .patch, "/admin/credentials/\(id)", "{\"limit\":100}")
      #expect(raised.string("status") == "active")
      let rest = try await caller.batch(asins(8..<10), headers: Caller.root)
      #expect(rest.source(0) == "keepa")
      #expect(spent(stand, 1) == 7)
    }
  }

  @Test func `a limit is removed by null, kept where it is left out, and can be set again`()
    async throws
  {
    let stand = try await stand()
    try await stand.serving { caller in
      let made = try await caller.credential(Self.key(1), ",\"limit\":2")
      let path = "/admin/credentials/\(try #require(made.string("id")))"
      _ = try await caller.batch(asins(0..<4), headers: Caller.root)
      #expect(spent(stand, 1) == 2)
      let weighted = try await caller.admin(.patch, path, "{\"weight\":3}")
      #expect(weighted.int("limit") == 2)
      #expect(weighted.string("status") == "exceeded")
      let removed = try await caller.admin(.patch, path, "{\"limit\":null}")
      #expect(removed.status == 200)
      #expect(removed["limit"]?.isNull == true)
      #expect(removed.int("weight") == 3)
      #expect(removed.string("status") == "active")
      let free = try await caller.batch(asins(0..<8), headers: Caller.root)
      #expect(free.int("stats.failed") == 0)
      #expect(spent(stand, 1) == 8)
      // What was spent without a limit counts on the next one.
      let limited = try await caller.admin(.patch, path, "{\"limit\":9}")
      #expect(limited.int("used") == 8)
      #expect(limited.int("remaining") == 1)
      _ = try await caller.batch(asins(8..<12), headers: Caller.root)
      #expect(spent(stand, 1) == 9)
      let events = try await caller.get("/events?type=CredentialSet", Caller.root)
      #expect(events.count("events") == 4)
      let limits = (0..<4).map { events.int("events.\($0).data.limit") }
      #expect(limits.count { $0 == nil } == 1)
    }
  }

  @Test func `null for what else can be changed changes nothing`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let made = try await caller.credential(Self.key(1), ",\"limit\":2")
      let path = "/admin/credentials/\(try #require(made.string("id")))"
      let head = stand.log.head
      for body in ["{}", "{\"status\":null}", "{\"weight\":null}"] {
        let answer = try await caller.admin(.patch, path, body)
        #expect(answer.status == 400)
        #expect(answer.string("field") == "status")
      }
      #expect(stand.log.head == head)
    }
  }

  @Test func `an account's calls are sent with its own credentials and with everybody's`()
    async throws
  {
    let stand = try await stand()
    try await stand.serving { caller in
      try await caller.open("acme")
      try await caller.open("other")
      let acme = try await caller.issue("acme").key
      let other = try await caller.issue("other").key
      _ = try await caller.credential(Self.key(1), ",\"account\":\"acme\"")
      #expect(try await caller.batch(asins(0..<1), headers: .bearer(acme)).source(0) == "keepa")
      let refused = try await caller.batch(asins(1..<2), headers: .bearer(other))
      #expect(refused.text.contains("No active token found"))
      #expect(spent(stand, 1) == 1)
      // What another has paid is answered all the same.
      #expect(try await caller.batch(asins(0..<1), headers: .bearer(other)).source(0) == "cache")
      _ = try await caller.credential(Self.key(2))
      #expect(try await caller.batch(asins(1..<2), headers: .bearer(other)).source(0) == "keepa")
      #expect(spent(stand, 2) == 1)
      let own = try await caller.get("/credentials?account=other", Caller.root)
      #expect(own["credentials"]?.array?.count == 1)
    }
  }

  @Test func `when the upstream has no more for one, another sends the call, and it cools`()
    async throws
  {
    let stand = try await stand(settings: true)
    try await stand.serving { caller in
      // The first of the settings; the other is read before it is used.
      _ = try await caller.admin(
        .post, "/admin/pools", "{\"upstream\":\"keepa\",\"selection\":\"failover\"}")
      _ = try await caller.credential(Self.key(1))
      #expect(try await caller.batch(asins(0..<1), headers: Caller.root).source(0) == "keepa")
      #expect(spent(stand, 0) == 1)
      // Somebody else has used the first one up, and nobody here knows.
      stand.keepa.simulator.setBalance(-50, of: Self.key(0))
      let answer = try await caller.batch(asins(1..<2), headers: Caller.root)
      #expect(answer.source(0) == "keepa")
      #expect(spent(stand, 1) == 1)
      let list = try await caller.get("/credentials", Caller.root)
      let statuses = [0, 1].compactMap { list.string("credentials.\($0).status") }
      #expect(Set(statuses).isSubset(of: ["cooling", "exceeded", "active"]))
      #expect(statuses.contains { $0 != "active" })
      #expect(try await cooled(caller) == 1)
    }
  }

  @Test func `one that the upstream refuses keeps nobody from buying with another`() async throws {
    let stand = try await stand(settings: false, keys: 2)
    try await stand.serving { caller in
      _ = try await caller.admin(
        .post, "/admin/pools", "{\"upstream\":\"keepa\",\"selection\":\"failover\"}")
      let wrong = try await caller.credential(Self.key(3))
      _ = try await caller.credential(Self.key(1))
      let answer = try await caller.batch(asins(0..<2), headers: Caller.root)
      #expect(answer.source(0) == "keepa")
      #expect(spent(stand, 1) == 2)
      let list = try await caller.get("/credentials", Caller.root)
      #expect(list.string("credentials.0.id") == wrong.string("id"))
      #expect(list.string("credentials.0.status") == "expired")
      #expect(list.string("credentials.1.status") == "active")
      let health = try await caller.get("/health")
      #expect(health.status == 200)
    }
  }

  @Test func `without a master key nothing is put in, and the answer says what to set`()
    async throws
  {
    let stand = try await stand { $0.master = nil }
    try await stand.serving { caller in
      let head = stand.log.head
      let answer = try await caller.credential(Self.key(1))
      #expect(answer.status == 409)
      #expect(answer.string("field") == "secret")
      #expect(answer.text.contains("TOLLBOOK_MASTER_KEY"))
      #expect(stand.log.head == head)
    }
  }

  @Test(arguments: [
    ("{\"upstream\":\"keepa\"}", 400, "secret"),
    ("{\"upstream\":\"keepa\",\"secret\":\"\"}", 400, "secret"),
    ("{\"upstream\":\"keepa\",\"secret\":\"a b\"}", 400, "secret"),
    ("{\"upstream\":\"nobody\",\"secret\":\"abc\"}", 400, "upstream"),
    ("{\"secret\":\"abc\"}", 400, "upstream"),
    ("{\"upstream\":\"keepa\",\"secret\":\"abc\",\"account\":\"ghost\"}", 404, "account"),
    ("{\"upstream\":\"keepa\",\"secret\":\"abc\",\"limit\":-1}", 400, "limit"),
    ("{\"upstream\":\"keepa\",\"secret\":\"abc\",\"weight\":0}", 400, "weight"),
    ("{\"upstream\":\"keepa\",\"secret\":\"abc\",\"quota_group\":\"\"}", 400, "quota_group"),
    ("{\"upstream\":\"keepa\",\"secret\":\"abc\",\"quota_group\":\"a/b\"}", 400, "quota_group"),
    ("{\"upstream\":\"keepa\",\"secret\":\"abc\",\"status\":\"cooling\"}", 400, "status"),
  ])
  func `one that cannot be put in is refused by name, and leaves nothing behind`(
    _ body: String, _ status: Int, _ field: String
  ) async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let head = stand.log.head
      let answer = try await caller.admin(.post, "/admin/credentials", body)
      #expect(answer.status == status)
      #expect(answer.string("field") == field)
      #expect(stand.log.head == head)
      let file = "\(stand.log.directory.path)/credentials.key"
      let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
      #expect(text.isEmpty)
    }
  }

  @Test(arguments: ["exceeded", "cooling", "below_threshold"])
  func `a status that follows from the books cannot be set`(_ status: String) async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let id = try #require(try await caller.credential(Self.key(1)).string("id"))
      let head = stand.log.head
      let answer = try await caller.admin(
        .patch, "/admin/credentials/\(id)", "{\"status\":\"\(status)\"}")
      #expect(answer.status == 400)
      #expect(answer.string("field") == "status")
      #expect(answer.text.contains("cannot be set"))
      #expect(stand.log.head == head)
    }
  }

  @Test func `the same secret is put in once, and only an admin does it`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      #expect(try await caller.credential(Self.key(1)).status == 201)
      #expect(try await caller.credential(Self.key(1)).status == 409)
      // What was refused did not take the secret away.
      #expect(try await caller.batch(asins(0..<1), headers: Caller.root).source(0) == "keepa")
      try await caller.open("acme")
      let key = try await caller.issue("acme").key
      let body = "{\"upstream\":\"keepa\",\"secret\":\"abc\"}"
      let refused = try await caller.send(
        .post, "/admin/credentials", .bearer(key), body: body)
      #expect(refused.status == 403)
    }
  }

  @Test func `the secret is in no answer and in no file of the folder`() async throws {
    let stand = try await stand()
    let secret = Self.key(1)
    try await stand.serving { caller in
      let id = try #require(try await caller.credential(secret).string("id"))
      _ = try await caller.batch(asins(0..<2), headers: Caller.root)
      stand.keepa.twist(.refused(400, "what is \(secret)?"))
      _ = try await caller.batch(asins(2..<3), headers: Caller.root)
      let pages = [
        "/credentials", "/events?limit=100", "/health", "/metrics", "/views/TokenMaster",
        "/views/vw_TokenStatus", "/views/ApplicationLogs", "/ledger", "/me",
      ]
      for page in pages {
        let answer = try await caller.get(page, Caller.root)
        #expect(!answer.text.contains(secret), "\(page)")
      }
      let changed = try await caller.admin(
        .patch, "/admin/credentials/\(id)", "{\"weight\":2}")
      #expect(!changed.text.contains(secret))
    }
    let folder = stand.log.directory.path
    let needle = Data(secret.utf8)
    var looked = 0
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else { continue }
      looked += 1
      #expect(data.range(of: needle) == nil, "\(name)")
    }
    #expect(looked > 1)
  }
}

extension HTTPFields {
  fileprivate static func bearer(_ key: String) -> HTTPFields { [.authorization: "Bearer \(key)"] }
}

extension Answer {
  /// Where a result of a batch comes from.
  fileprivate func source(_ place: Int) -> String? { string("results.\(place).source") }
}

/// How often a credential was noted as cooling.
private func cooled(_ caller: Caller) async throws -> Int? {
  try await caller.get("/events?type=CredentialCooled", Caller.root).count("events")
}

extension Caller {
  /// Puts a credential of Keepa in.
  ///
  /// - Parameter more: further members of the body, each beginning with a comma.
  func credential(_ secret: String, _ more: String = "") async throws -> Answer {
    try await admin(
      .post, "/admin/credentials",
      "{\"upstream\":\"keepa\",\"secret\":\"\(secret)\"\(more)}")
  }
}
