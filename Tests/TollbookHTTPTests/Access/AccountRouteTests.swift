import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct `Accounts over HTTP` {
  private func stand() async throws -> Stand { try await Stand { $0.accessKey = "root" } }

  @Test func `an account is opened, listed and closed`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let opened = try await caller.admin(
        .post, "/admin/accounts",
        "{\"id\":\"acme\",\"name\":\"Acme Retail\",\"time_zone\":\"Europe/Berlin\"}")
      #expect(opened.status == 201)
      #expect(opened.headers[.location] == "/accounts")
      #expect(opened.string("time_zone") == "Europe/Berlin")
      #expect(opened.string("status") == "open")
      let plain = try await caller.admin(.post, "/admin/accounts", "{\"id\":\"zeta\"}")
      #expect(plain.string("name") == "zeta")
      #expect(plain.string("time_zone") == "UTC")
      let list = try await caller.get("/accounts", Caller.root)
      #expect(list.strings("accounts", "id") == ["acme", "zeta"])
      #expect(list["next"]?.isNull == true)
      let closed = try await caller.admin(.delete, "/admin/accounts/zeta")
      #expect(closed.string("status") == "closed")
      for (method, path, body, status) in [
        (HTTPRequest.Method.post, "/admin/accounts", "{\"id\":\"acme\"}", 409),
        (.post, "/admin/accounts", "{\"id\":\"zeta\"}", 409),
      ] {
        #expect(try await caller.admin(method, path, body).status == status)
      }
      #expect(try await caller.admin(.delete, "/admin/accounts/zeta").status == 409)
      let unknown = try await caller.admin(.delete, "/admin/accounts/nobody")
      #expect(unknown.status == 404)
      #expect(unknown.string("detail") == "there is no account nobody")
    }
  }

  @Test(arguments: [
    ("{}", "id"), ("{\"id\":\"\"}", "id"), ("{\"id\":\"A b\"}", "id"), ("{\"id\":7}", "id"),
    ("{\"id\":\"a\",\"time_zone\":\"Mars/Base\"}", "time_zone"),
    ("{\"id\":\"a\",\"time_zone\":\"\"}", "time_zone"), ("{\"id\":\"a\",\"owner\":\"x\"}", "owner"),
    ("{\"id\":\"a\",\"name\":\"\(String(repeating: "n", count: 201))\"}", "name"),
  ])
  func `an account that cannot be opened is refused by name`(
    _ body: String, _ field: String
  ) async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let head = stand.log.head
      let answer = try await caller.admin(.post, "/admin/accounts", body)
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
      #expect(stand.log.head == head)
    }
  }

  @Test func `an account with something in doubt is not closed`() async throws {
    let stand = try await Stand {
      $0.accessKey = "root"
      $0.simulator.faults = KeepaFaults([KeepaFault(.drop, next: 1)])
    }
    try await stand.serving { caller in
      try await caller.open("acme")
      let key = try await caller.issue("acme").key
      _ = try await caller.batch(["B000000001"], headers: [.authorization: "Bearer \(key)"])
      let refused = try await caller.admin(.delete, "/admin/accounts/acme")
      #expect(refused.status == 409)
      #expect(
        refused.string("detail")
          == "the account acme has 1 token reserved or in doubt; close it when that has ended")
      #expect(try await caller.get("/me", key: key).status == 200)
    }
  }

  @Test func `a key sees its own account and no other`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      for id in ["acme", "zeta"] {
        try await caller.open(id, zone: "Europe/Berlin")
        try await caller.budget("\(id)-day", limit: 5, scope: "{\"account\":\"\(id)\"}")
      }
      try await caller.budget("everyone", limit: 100)
      let (id, key) = try await caller.issue("acme")
      try await caller.budget("mine", limit: 7, scope: "{\"access_key\":\"\(id)\"}")
      _ = try await caller.batch(
        ["B000000001", "B000000002"], headers: [.authorization: "Bearer \(key)"])

      let me = try await caller.get("/me", key: key)
      #expect(me.string("account") == "acme")
      #expect(me.string("time_zone") == "Europe/Berlin")
      #expect(me.string("access_key") == id)
      #expect(me["scopes"]?.array?.map { $0.string } == ["fetch", "read"])
      #expect(me.strings("budgets", "name") == ["acme-day", "mine"])
      #expect(me.ints("budgets", "free") == [3, 5])
      #expect(
        try await caller.get("/accounts", key: key).strings("accounts", "id") == ["acme"])
      #expect(
        try await caller.get("/budgets", key: key).strings("budgets", "name")
          == ["acme-day", "mine"])
      let other = try await caller.get("/budgets?account=zeta", key: key)
      #expect(other.status == 403)
      #expect(other.string("field") == "account")
      #expect(
        other.string("detail") == "the access key is of the account acme, and sees no other")

      let all = try await caller.get("/budgets", Caller.root)
      #expect(all.strings("budgets", "name") == ["acme-day", "everyone", "mine", "zeta-day"])
      let zeta = try await caller.get("/budgets?account=zeta", Caller.root)
      #expect(zeta.strings("budgets", "name") == ["everyone", "mine", "zeta-day"])
      let root = try await caller.get("/me", Caller.root)
      #expect(root.string("account") == "default")
      #expect(root["access_key"]?.isNull == true)
      #expect(root["scopes"]?.array?.map { $0.string } == ["admin"])
    }
  }

  @Test func `a company that a key is not of is refused, and costs nothing`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      try await caller.open("acme")
      let key = try await caller.issue("acme").key
      for path in ["/ledger?account=zeta", "/usage?account=zeta"] {
        let answer = try await caller.get(path, key: key)
        #expect(answer.status == 403 || answer.status == 404 || answer.status == 400, "\(path)")
        #expect(!answer.text.contains("\"settled\""))
      }
      #expect(stand.callCount == 0)
    }
  }

  @Test func `ten thousand accounts come page by page`() async throws {
    let stand = try await stand()
    for chunk in 0..<10 {
      try await stand.log.append(
        (0..<1_000).map { index in
          var event = AccountOpened()
          event.account = "a\(100_000 + (index * 10 + chunk))"
          (event.name, event.timeZone) = ("n", "UTC")
          return .accountOpened(event)
        })
    }
    try await stand.serving { caller in
      var ids: [String] = []
      var pages = 0
      var cursor: String? = ""
      while let after = cursor {
        let query = after.isEmpty ? "" : "&cursor=\(after)"
        let page = try await caller.get("/accounts?limit=900\(query)", Caller.root)
        ids += page.strings("accounts", "id").compactMap(\.self)
        pages += 1
        cursor = page.string("next")
      }
      #expect(pages == 12)
      #expect(ids == (0..<10_000).map { "a\(100_000 + $0)" })
      #expect(try await caller.get("/accounts?limit=0", Caller.root).status == 400)
      let behind = try await caller.get(
        "/accounts?cursor=\(String(repeating: "z", count: 600))", Caller.root)
      #expect(behind.count("accounts") == 0)
    }
  }
}
