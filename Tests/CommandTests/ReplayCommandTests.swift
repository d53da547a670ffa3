import Foundation
import JSONText
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@Suite struct ReplayCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func run(_ arguments: [String]) async throws -> Ended {
    try await Binary.run(arguments + place, in: folder)
  }

  /// Buys some products with a simulated Keepa.
  private func write(_ asins: [[String]] = [["B09T2ZLMHB"], ["B000000001", "B000000002"]])
    async throws
  {
    let serving = try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
    for list in asins { _ = try await serving.batch(list) }
    #expect(await serving.end().status == 0)
  }

  @Test func `a replay shows the views as they stood, also beside the owner`() async throws {
    let serving = try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB"])
    let charge = try await run(["events", "--type", "TokensCharged", "--format", "json"])
    let position = try #require(
      try JSONDocument(Array(charge.lines[0].utf8)).root["position"]?.int64)
    _ = try await serving.batch(["B000000001", "B000000002"])

    let then = try await run(["replay", "--until", "\(position)", "--format", "json"])
    let now = try await run(["replay", "--format", "json"])
    #expect(then.status == 0, "\(then.errors)")
    #expect(await serving.end().status == 0)

    let before = try JSONDocument(Array(then.output.utf8)).root
    let after = try JSONDocument(Array(now.output.utf8)).root
    #expect(before["position"]?.int64 == position)
    #expect(before["meters"]?.first("settled") == 1)
    #expect(after["meters"]?.first("settled") == 3)
    #expect(before["meters"]?.first("residual") == 0)
    #expect(before["state"]?.string != after["state"]?.string)
    // The summary's digests are those of the whole state.
    #expect(before["views"]?.array?.count == allFolds.count)
  }

  @Test func `each view is shown in each format`() async throws {
    try await write()
    let entries = try await run(["replay", "--view", "cache"])
    #expect(entries.lines.count == 4)
    #expect(entries.lines[0].hasPrefix("ENTRIES\tRESOURCE\tCONTENT SET\tSTATE\tFETCHED\t"))
    let rows = entries.lines.dropFirst()
    #expect(rows.allSatisfy { $0.hasPrefix("entries\tshared/keepa.product/1/") })
    #expect(rows.allSatisfy { $0.split(separator: "\t").contains("fresh") })

    let csv = try await run(["replay", "--view", "cache", "--format", "csv"])
    let records = csv.output.components(separatedBy: "\r\n")
    #expect(records.first?.hasPrefix("resource,content_set,state,fetched") == true)
    #expect(records.count == 5)

    let json = try await run(["replay", "--view", "ledger", "--format", "json"])
    let ledger = try JSONDocument(Array(json.output.utf8)).root
    #expect(ledger["spend"]?.first("amount") == 3)
    #expect(ledger["holds"]?.array?.count == 0)

    let metrics = try await run(["replay", "--view", "metrics"])
    #expect(metrics.output.contains("metrics\tamounts_charged tokens\t3\n"))
    #expect(metrics.output.contains("metrics\tevents.TokensCharged\t2\n"))
    #expect(metrics.errors.isEmpty, "no progress where no terminal is")
  }

  @Test func `an instant means everything that had happened by then`() async throws {
    try await write([["B09T2ZLMHB"]])
    let late = try await run(["replay", "--until", "2999-01-01", "--view", "cache"])
    #expect(late.output.contains("\texpired\t"))
    let today = Timestamp(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1_000)).day
    let now = try await run(["replay", "--until", today, "--view", "cache"])
    #expect(now.output.contains("\tfresh\t"), "a day means its end, today what there is")
    let early = try await run(["replay", "--until", "2000-01-01", "--view", "cache"])
    #expect(early.status == 0)
    #expect(early.output.isEmpty)
    let nonsense = try await run(["replay", "--until", "yesterday"])
    #expect(nonsense.status == 2)
    let unknown = try await run(["replay", "--view", "profits"])
    #expect(unknown.status == 2)
  }

  @Test func `the state that a replay prints is that of verify`() async throws {
    try await write()
    let replayed = try await run(["replay"])
    let verified = try await run(["verify"])
    let state = try #require(replayed.lines.last { $0.hasPrefix("state  ") })
    #expect(verified.lines.last == state)
    #expect(state.count == 7 + 64)
  }
}

extension JSONValue {
  /// A number of the first object of an array.
  fileprivate func first(_ name: String) -> Int64? { self[0]?[name]?.int64 }
}
