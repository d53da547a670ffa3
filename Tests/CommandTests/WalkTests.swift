import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// The ways through history that the README shows, walked by the built binary.
@Suite(.timeLimit(.minutes(30))) struct WalkTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func tollbook(_ arguments: String...) async throws -> Ended {
    try await Binary.run(arguments, in: folder)
  }

  /// The state digest that a command prints.
  private func state(_ ended: Ended) throws -> String {
    let line = try #require(
      ended.lines.first { $0.hasPrefix("state") }, "\(ended.output)\(ended.errors)")
    let digest = try #require(line.split(separator: " ").last)
    #expect(digest.count == 64)
    return String(digest)
  }

  @Test func `what is lost comes back from a snapshot with the state that it had`() async throws {
    #expect(try await tollbook("demo", "--data-dir", "demo").status == 0)
    let audit = try await tollbook("audit", "--data-dir", "demo")
    let then = try await tollbook("replay", "--until", "6", "--data-dir", "demo")
    let taken = try await tollbook("snapshot", "take", "--bodies", "--data-dir", "demo")
    let first = try state(taken)
    let snapshots = folder.path + "/demo/snapshots"
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: snapshots).first {
        $0.hasSuffix(".snapshot")
      })
    try FileManager.default.moveItem(
      atPath: "\(snapshots)/\(name)", toPath: "\(folder.path)/backup.snapshot")
    try FileManager.default.removeItem(atPath: folder.path + "/demo")
    let restored = try await tollbook(
      "restore", "--snapshot", "backup.snapshot", "--data-dir", "demo")
    let verified = try await tollbook("verify", "--data-dir", "demo")

    #expect(audit.status == 0)
    #expect(audit.output.contains("3"))
    #expect(then.status == 0)
    #expect(taken.status == 0)
    #expect(restored.status == 0, "\(restored.errors)")
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    #expect(try state(restored) == first)
    #expect(try state(verified) == first)
  }

  @Test func `each command works beside a live server, and afterwards all verifies`() async throws {
    let serving = try await Serving(["serve", "--simulate", "--port", "0"], in: folder)
    _ = try await serving.batch(["B09T2ZLMHB", "B0BSHF7WHW", "B07FZ8S74R"])
    for command in [
      ["snapshot", "take", "--bodies"], ["snapshot", "take"], ["snapshot", "list"],
      ["cache", "purge", "--prefix", "shared/keepa.product/1/B09", "--yes"],
      ["cache", "purge", "--key", "shared/keepa.product/1/B0BSHF7WHW", "--hard", "--yes"],
      ["rebuild"], ["log", "export", "--bodies", "--output", "live.export"], ["events"],
      ["replay"], ["audit"], ["usage"], ["what-if", "--policy", "keepa.product.fresh=1d"],
      ["audit", "--statement", "live.statement"], ["verify"], ["verify", "--fast"],
      ["snapshot", "prune"],
    ] {
      let ended = try await Binary.run(command + ["--simulate"], in: folder)
      #expect(ended.status == 0, "\(command): \(ended.output)\(ended.errors)")
      let again = try await serving.batch(["B09T2ZLMHB", "B0BSHF7WHW", "B07FZ8S74R"])
      #expect(again["stats"]?["failed"]?.int64 == 0, "\(command)")
    }
    let ledger = try await serving.get("/ledger")
    #expect(ledger["meters"]?[0]?["residual"]?.int64 == 0)
    #expect(ledger["meters"]?[0]?["settled"]?.int64 == 5, "three, and the two that were purged")
    #expect(await serving.end().status == 0)

    let verified = try await tollbook("verify", "--simulate")
    let check = try await tollbook("audit", "check", "live.statement")
    let export = try await tollbook("verify", "--export", "live.export")
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    #expect(check.status == 0, "\(check.output)\(check.errors)")
    #expect(export.status == 0, "\(export.output)\(export.errors)")
  }

  @Test func `the log alone gives everything back, and goes on`() async throws {
    #expect(try await tollbook("demo", "--data-dir", "demo").status == 0)
    let verified = try await tollbook("verify", "--data-dir", "demo")
    let exported = try await tollbook(
      "log", "export", "--bodies", "--output", "all.export", "--data-dir", "demo")
    let restored = try await tollbook("restore", "--log", "all.export", "--data-dir", "new")
    let again = try await tollbook("verify", "--data-dir", "new")

    #expect(exported.status == 0, "\(exported.errors)")
    #expect(restored.status == 0, "\(restored.errors)")
    #expect(again.status == 0, "\(again.output)")
    #expect(try state(again) == state(verified))
    let serving = try await Serving(
      ["serve", "--simulate", "--data-dir", "new", "--port", "0"], in: folder)
    let batch = try await serving.batch(["B09T2ZLMHB", "B000000001"])
    #expect(batch["stats"]?["cache_hits"]?.int64 == 1)
    #expect(batch["stats"]?["api_fetches"]?.int64 == 1)
    #expect(await serving.end().status == 0)
    let events = try await tollbook("events", "--type", "LogRestored", "--data-dir", "new")
    #expect(events.output.contains("restored up to position"))
    #expect(try await tollbook("verify", "--data-dir", "new").status == 0)
  }
}
