import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct PredecessorRouteTests {
  /// Two companies that have bought, the one with tags.
  private func told(_ body: @Sendable (Stand, Caller) async throws -> Void) async throws {
    let stand = try await Stand { $0.accessKey = "sesame" }
    try await stand.serving { caller in
      let keys = try await caller.keys(of: ["acme", "zeta"])
      _ = try await caller.batch(
        ["B000000001", "B000000002"],
        headers: [.accessKey: keys[0], .tags: "branch=TEST,user=ann"])
      _ = try await caller.batch(["B000000003"], headers: [.accessKey: keys[0]])
      _ = try await caller.batch(["B000000004", "B000000001"], headers: [.accessKey: keys[1]])
      try await body(stand, caller)
    }
  }

  @Test func `vw_UsageSummary agrees with the audit to the token, company by company`() async throws
  {
    try await told { _, caller in
      let summary = try await caller.get("/views/vw_UsageSummary", [.accessKey: "sesame"])
      #expect(summary.status == 200)
      var sums: [String: Int] = [:]
      for row in summary.json?["rows"]?.array.map(Array.init) ?? [] {
        sums[row["CompanyID"]?.string ?? "", default: 0] += row["TotalTokens"]?.int ?? 0
      }
      let audit = try await caller.get("/audit?by=account", [.accessKey: "sesame"])
      var groups: [String: Int] = [:]
      for group in audit.json?["groups"]?.array.map(Array.init) ?? [] {
        groups[group["group"]?.string ?? ""] = group["amounts"]?[0]?["certain"]?.int
      }
      #expect(sums == groups)
      #expect(sums == ["acme": 3, "zeta": 1])
      #expect(summary.strings("rows", "Branch").compactMap(\.self) == ["TEST"])
    }
  }

  @Test func `each use is a line with its company, branch and user`() async throws {
    try await told { _, caller in
      let logs = try await caller.get("/views/TokenUsageLogs", [.accessKey: "sesame"])
      #expect(logs.strings("rows", "CompanyID") == ["acme", "acme", "zeta"])
      #expect(logs.strings("rows", "RequestedBy").compactMap(\.self) == ["ann"])
      #expect(logs.int("rows.0.TotalTokens") == 2)
      #expect(logs.int("rows.0.RequestCount") == 1)
      let one = try await caller.get("/views/TokenUsageLogs?account=zeta", [.accessKey: "sesame"])
      #expect(one.count("rows") == 1)
      let table = try await caller.get(
        "/views/TokenUsageLogs", [.accessKey: "sesame", .accept: "text/csv"])
      let lines = String(decoding: table.bytes, as: UTF8.self).split(separator: "\r\n")
      #expect(lines.count == 4)
      #expect(lines[1].contains("\"branch=TEST,user=ann\""))
    }
  }

  @Test func `a company sees its own use and no other's`() async throws {
    try await told { _, caller in
      let key = try await caller.keys(of: ["own"], opens: false, account: "acme")[0]
      let own = try await caller.get("/views/TokenUsageLogs", [.accessKey: key])
      #expect(own.strings("rows", "CompanyID") == ["acme", "acme"])
      let other = try await caller.get("/views/TokenUsageLogs?account=zeta", [.accessKey: key])
      #expect(other.status == 403)
      #expect(other.string("field") == "account")
      for name in ["ApplicationLogs", "TokenMaster", "vw_TokenStatus", "vw_RecentErrors"] {
        #expect(try await caller.get("/views/\(name)", [.accessKey: key]).status == 403)
      }
    }
  }

  @Test func `every table answers, and none holds the key of the upstream`() async throws {
    try await told { _, caller in
      for name in [
        "TokenMaster", "TokenUsageLogs", "TokenUsageSummary", "ApplicationLogs", "RetryAttempts",
        "vw_TokenStatus", "vw_UsageSummary", "vw_RecentErrors", "vw_FailedRetries",
      ] {
        let answer = try await caller.get("/views/\(name)", [.accessKey: "sesame"])
        #expect(answer.status == 200, "\(name)")
        #expect(answer.string("view") == name)
        let text = String(decoding: answer.bytes, as: UTF8.self)
        #expect(!text.contains("sesame") && !text.contains("tollbook_"), "\(name)")
      }
      let status = try await caller.get("/views/vw_TokenStatus", [.accessKey: "sesame"])
      #expect(status.string("rows.0.Status") == "ACTIVE")
      let cache = try await caller.get("/cache/status", [.accessKey: "sesame"])
      #expect(cache.string("status") == "ok")
    }
  }

  @Test func `a key that has nothing left is exceeded, and one that is refused expired`()
    async throws
  {
    let stand = try await Stand {
      $0.simulator.balance = 2
      $0.gateway.overdraft = .never
    }
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001", "B000000002", "B000000003"])
      let status = try await caller.get("/views/vw_TokenStatus")
      #expect(status.string("rows.0.Status") == "EXCEEDED")
      #expect(status.int("rows.0.Remaining") == 0)
    }
  }

  @Test func `pages of events follow each other without a gap`() async throws {
    try await told { stand, caller in
      var seen: [Int] = []
      var cursor = "0"
      while true {
        let page = try await caller.get(
          "/views/ApplicationLogs?limit=3&cursor=\(cursor)", [.accessKey: "sesame"])
        for row in page.json?["rows"]?.array.map(Array.init) ?? [] {
          seen.append(row["LogID"]?.int ?? 0)
        }
        guard let next = page.string("next") else { break }
        cursor = next
      }
      #expect(seen == Array(1...Int(stand.log.head)))
    }
  }
}

extension Caller {
  /// Opens accounts, and issues a key of each.
  fileprivate func keys(
    of names: [String], opens: Bool = true, account: String? = nil
  ) async throws -> [String] {
    var keys: [String] = []
    for name in names {
      if opens {
        let made = try await send(
          .post, "/admin/accounts", [.accessKey: "sesame"], body: "{\"id\":\"\(name)\"}")
        #expect(made.status == 201)
      }
      let issued = try await send(
        .post, "/admin/access-keys", [.accessKey: "sesame"],
        body: "{\"account\":\"\(account ?? name)\",\"scopes\":[\"read\",\"fetch\"]}")
      keys.append(issued.string("key") ?? "")
    }
    return keys
  }
}
