import Foundation
import JSONText
import Testing
import TollbookTestSupport

@Suite struct SimulatorCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  @Test func `a folder of real data takes nothing from a simulator, and says so`() async throws {
    let keepa = try await Serving(["simulate", "keepa", "--port", "0"], in: folder)
    let key = try #require(
      keepa.greeting.split(whereSeparator: \.isWhitespace).first { $0.contains("-key-") })
    let serving = try await Serving(
      ["serve", "--port", "0"] + place, in: folder,
      environment: ["KEEPA_BASE_URL": keepa.url, "KEEPA_API_KEY": String(key)])
    let answer = try await serving.batch(["B09T2ZLMHB"])
    let error = answer["results"]?[0]?["error"]
    #expect(error?["reason"]?.string == "upstream_unavailable")
    #expect(error?["detail"]?.string?.contains("a simulator answers in Keepa's place") == true)
    let health = try await serving.get("/health")
    #expect(health["status"]?.string == "degraded")
    #expect(health["simulated"]?.bool == false)
    #expect(health["reasons"]?[0]?["reason"]?.string == "keepa_is_simulated")
    #expect(health["upstreams"]?["keepa"]?["simulated"]?.bool == true)
    #expect(await serving.end().status == 0)
    let taken = try await Binary.run(
      ["events", "--type", "BalanceObserved", "--type", "FetchStarted"] + place, in: folder)
    #expect(taken.output.isEmpty)
    #expect(try await keepa.get("/_simulator/books")["tokens"]?.int64 == 0)
    #expect(await keepa.end().status == 0)
  }

  @Test func `a simulator of one's own is for simulated data`() async throws {
    let refused = try await Binary.run(
      ["serve", "--simulator", "http://127.0.0.1:1", "--port", "0"] + place, in: folder)
    #expect(refused.status == 2)
    #expect(refused.errors.contains("--simulator is for simulated data: add --simulate."))
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/data"))
  }

  @Test func `what is wrong with a file is told as the system tells it, in a sentence`()
    async throws
  {
    try String(repeating: "x", count: 200).write(
      toFile: "\(folder.path)/afile", atomically: true, encoding: .utf8)
    let drawn = try await Binary.run(["simulate", "photos", "afile/x"], in: folder)
    #expect(drawn.status == 1)
    #expect(drawn.errors == "Error: afile/x cannot be written: Not a directory.\n")
    let looked = try await Binary.run(["snapshot", "verify", "afile"], in: folder)
    #expect(looked.status == 1)
    #expect(looked.errors == "Error: afile is not a snapshot of tollbook.\n")
  }

  @Test func `a position beyond the head is refused alike by events and replay`() async throws {
    let serving = try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
    #expect(await serving.end().status == 0)
    let events = try await Binary.run(["events", "--after", "999"] + place, in: folder)
    let replay = try await Binary.run(["replay", "--until", "999"] + place, in: folder)
    for ended in [events, replay] {
      #expect(ended.status == 2)
      #expect(ended.output.isEmpty)
      #expect(ended.errors.contains("there is no event at position 999: the log ends at"))
      #expect(!ended.errors.contains("Usage"), "\(ended.errors)")
    }
    let head = try await Binary.run(["events", "--format", "json"] + place, in: folder).lines.count
    let atHead = try await Binary.run(["events", "--after", "\(head)"] + place, in: folder)
    #expect(atHead.status == 0)
    #expect(atHead.output.isEmpty)
  }
}
