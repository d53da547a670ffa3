import Foundation
import JSONText
import Testing
import TollbookTestSupport

@Suite struct AuditKillTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  /// What an audit tells of its total, in its only unit.
  private static func amounts(_ report: JSONValue) -> [String: Int64] {
    let amounts = report["total"]?["amounts"]?[0]
    let names = ["certain", "in_doubt", "reserved", "low", "high"]
    return Dictionary(
      uniqueKeysWithValues: names.compactMap { name in amounts?[name]?.int64.map { (name, $0) } })
  }

  private func audit(_ more: [String] = []) async throws -> [String: Int64] {
    let ended = try await Binary.run(["audit", "--format", "json"] + place + more, in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    return Self.amounts(try JSONDocument(Array(ended.output.utf8)).root)
  }

  @Test func `between kill -9 and the next start an audit counts what a call had reserved`()
    async throws
  {
    let keepa = try await Serving(["simulate", "keepa", "--port", "0"], in: folder)
    let serve = ["serve", "--simulate", "--port", "0", "--simulator", keepa.url] + place
    let first = try await Serving(serve, in: folder)
    _ = try await first.batch(["B09T2ZLMHB"])
    // The next call is not answered while this test runs.
    _ = try await keepa.post("/_simulator/faults", #"{"rules":[],"latency_ms":60000}"#)
    let waiting = Task { try? await first.batch(["B0BSHF7WHW", "B07FZ8S74R"]) }
    while try await first.get("/ledger")["meters"]?[0]?["reserved"]?.int64 != 2 {}

    let open: [String: Int64] = ["certain": 1, "in_doubt": 0, "reserved": 2, "low": 1, "high": 3]
    #expect(Self.amounts(try await first.get("/audit")) == open)
    #expect(Self.amounts(try await first.get("/audit?by=resource")) == open)
    #expect(await first.end(SIGKILL).status == SIGKILL)
    _ = await waiting.value

    for grouping in ["day", "hour", "account", "credential", "operation", "kind", "resource"] {
      #expect(try await audit(["--by", grouping]) == open, "\(grouping)")
    }
    #expect(try await audit(["--account", "default"]) == open)
    #expect(try await audit(["--account", "nobody"])["high"] == 0)
    let proof = try await Binary.run(["audit", "--replay"] + place, in: folder)
    #expect(proof.status == 0, "\(proof.output)")
    #expect(proof.output.contains("agree with"))

    let table = try await Binary.run(["audit"] + place, in: folder)
    let lines = table.lines.map { line in
      line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
    for line in [
      "certain 1 in 1 charge", "reserved 2 held for calls that have not ended", "at most 3",
      "reserved 2 66.67 % held for a call that has not ended",
    ] { #expect(lines.contains(line), "\(line) in \(table.output)") }
    let csv = try await Binary.run(["audit", "--format", "csv"] + place, in: folder)
    #expect(csv.lines.first?.hasSuffix(",reserved") == true)
    #expect(csv.lines.last?.hasSuffix(",2") == true)
    #expect(csv.lines.last?.contains(",tokens,1,3,1,0,0,") == true)
    let usage = try await Binary.run(["usage"] + place, in: folder)
    #expect(usage.output.contains("1 to 3 spent"), "\(usage.output)")

    _ = try await keepa.post("/_simulator/faults", #"{"rules":[],"latency_ms":0}"#)
    let second = try await Serving(serve, in: folder)
    let doubted = ["certain": 1, "in_doubt": 2, "reserved": 0, "low": 1, "high": 3] as [_: Int64]
    #expect(try await audit() == doubted)
    #expect(await second.end().status == 0)
    _ = await keepa.end()
  }

  @Test func `a statement that ends with a call under way says what it leaves out`() async throws {
    let keepa = try await Serving(["simulate", "keepa", "--port", "0"], in: folder)
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0", "--simulator", keepa.url] + place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB"])
    let whole = try await Binary.run(["audit", "--statement", "whole"] + place, in: folder)
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(!whole.output.contains("reserved"))
    _ = try await keepa.post("/_simulator/faults", #"{"rules":[],"latency_ms":60000}"#)
    let waiting = Task { try? await serving.batch(["B0BSHF7WHW", "B07FZ8S74R"]) }
    while try await serving.get("/ledger")["meters"]?[0]?["reserved"]?.int64 != 2 {}
    #expect(await serving.end(SIGKILL).status == SIGKILL)
    _ = await waiting.value
    let open = try await Binary.run(["audit", "--statement", "open"] + place, in: folder)
    #expect(open.status == 0, "\(open.errors)")
    let note = "2 tokens more are reserved for calls that have not ended"
    #expect(open.output.contains(note), "\(open.output)")
    let others = try await Binary.run(
      ["audit", "--statement", "others", "--account", "nobody"] + place, in: folder)
    #expect(others.status == 0, "\(others.errors)")
    #expect(!others.output.contains("reserved"))
    _ = await keepa.end()
  }
}
