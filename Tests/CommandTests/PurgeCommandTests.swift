import Foundation
import JSONText
import Testing
import TollbookTestSupport

@Suite struct PurgeCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]
  private let asins = ["B09T2ZLMHB", "B0BSHF7WHW", "B07FZ8S74R"]

  init() throws { folder = try TemporaryFolder() }

  private func serve() async throws -> Serving {
    try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
  }

  private func run(_ arguments: [String]) async throws -> Ended {
    try await Binary.run(arguments + place, in: folder)
  }

  @Test func `K24: through the owner: the cost first, then the deed, and the data is sound`()
    async throws
  {
    let serving = try await serve()
    _ = try await serving.batch(asins)

    let preview = try await run(["cache", "purge", "--all", "--dry-run"])
    #expect(preview.status == 0, "\(preview.errors)")
    #expect(preview.output.hasPrefix("This makes stale 3 entries that cost 3 tokens"))
    #expect(preview.output.contains("Nothing is changed"))
    #expect(try await serving.batch(asins)["stats"]?["cache_hits"]?.int64 == 3)

    let purged = try await run(["cache", "purge", "--all", "--yes", "--note", "spring cleaning"])
    #expect(purged.status == 0, "\(purged.errors)")
    #expect(purged.output.contains("3 entries are stale now"))
    let answer = try await serving.batch([asins[0]])
    #expect(answer["stats"]?["tokens_used"]?.int64 == 1)
    let hard = try await run(
      ["cache", "purge", "--hard", "--yes", "--prefix", "shared/keepa.product/1/B0"])
    #expect(hard.output.contains("This removes 3 entries that cost 3 tokens"))
    #expect(try await serving.get("/cache/stats")["data"]?["cache_stats"]?["entries"]?.int64 == 0)
    let again = try await run(["cache", "purge", "--all", "--hard", "--yes"])
    #expect(again.status == 0)
    #expect(again.output.contains("Nothing is purged"))

    #expect(try await run(["verify"]).status == 0)
    #expect(try await serving.get("/health")["status"]?.string == "ok")
    #expect(await serving.end().status == 0)
    let verified = try await run(["verify"])
    #expect(verified.status == 0, "\(verified.output)")
    let events = try await run(["events", "--type", "CachePurged"])
    #expect(events.lines.count == 6)
    #expect(events.output.contains("spring cleaning"))
  }

  @Test func `X16, T41: without an owner too, and no event is edited`() async throws {
    let serving = try await serve()
    _ = try await serving.batch(asins)
    #expect(await serving.end().status == 0)
    let before = try await run(["events", "--format", "json"])

    let one = try await run(
      ["cache", "purge", "--key", "shared/keepa.product/1/\(asins[1])", "--yes"])
    #expect(one.output.contains("1 entry is stale now. The 1 token they had cost"), "\(one.output)")
    let all = try await run(["cache", "purge", "--all", "--hard", "--yes"])
    #expect(all.output.contains("3 entries are removed"))

    let after = try await run(["events", "--format", "json"])
    #expect(after.output.hasPrefix(before.output))
    #expect(after.lines.count == before.lines.count + 4)
    #expect(try await run(["verify"]).status == 0)
    #expect(try await run(["rebuild"]).status == 0)
    let next = try await serve()
    #expect(try await next.get("/cache/stats")["data"]?["cache_stats"]?["entries"]?.int64 == 0)
    #expect(try await next.get("/ledger")["meters"]?[0]?["settled"]?.int64 == 3)
    #expect(await next.end().status == 0)
  }

  @Test(arguments: [
    [], ["--all", "--key", "a", "--yes"], ["--key", "a", "--prefix", "b", "--yes"],
    ["--prefix", "", "--yes"], ["--all"],
    ["--all", "--yes", "--note", String(repeating: "n", count: 501)],
  ])
  func `what is no order is refused, and so is a purge that nobody confirmed`(
    arguments: [String]
  ) async throws {
    let serving = try await serve()
    _ = try await serving.batch(asins)
    let ended = try await run(["cache", "purge"] + arguments)
    #expect(ended.status == 2)
    #expect(ended.errors.hasPrefix("Error: "))
    #expect(try await serving.batch(asins)["stats"]?["cache_hits"]?.int64 == 3)
    #expect(await serving.end().status == 0)
  }

  @Test func `a directory that is not there is named`() async throws {
    let ended = try await run(["cache", "purge", "--all", "--yes"])
    #expect(ended.status == 1)
    #expect(ended.errors.contains("data is not a data directory of tollbook"))
  }
}
