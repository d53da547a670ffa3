import Foundation
import Testing
import TollbookTestSupport

@Suite struct DemoTests {
  @Test func `K09, K10: the demo buys three, asks again for nothing, and leaves nothing`()
    async throws
  {
    let folder = try TemporaryFolder()

    let demo = try await Binary.run(["demo"], in: folder)

    #expect(demo.status == 0)
    #expect(demo.errors.isEmpty)
    #expect(try folder.contents().isEmpty)
    #expect(demo.lines.count <= 60)
    #expect(!demo.output.contains("\u{1B}"), "no colours where no terminal is")
    for text in [
      "An empty cache", "cache_hits 0, api_fetches 3, tokens_used 3, tokens_remaining 1,197",
      "cache_hits 3, api_fetches 0, tokens_used 0, tokens_remaining 1,197",
      "what is left over is 0",
      "TokensCharged", "fetch 5 cost 3 tokens", "ReadsTallied", "Where to look next",
    ] { #expect(demo.output.contains(text), "\(text)") }
    let ledger = try #require(demo.lines.first { $0.contains("1,200  =") })
    #expect(
      ledger.split(whereSeparator: { $0 == " " || $0 == "+" || $0 == "=" })
        == ["1,200", "3", "0", "0", "0", "0", "1,197"])
  }

  @Test func `the demo minds no settings that are meant for a service`() async throws {
    let folder = try TemporaryFolder()

    let demo = try await Binary.run(
      ["demo"], in: folder,
      environment: ["TOLLBOOK_PORT": "1", "TOLLBOOK_CACHE": "off", "KEEPA_API_KEY": "secret"])

    #expect(demo.status == 0)
    #expect(demo.output.contains("cache_hits 3"))
  }
  @Test func `the demo keeps its data where it is told to, and nowhere else`() async throws {
    let folder = try TemporaryFolder()

    let demo = try await Binary.run(["demo", "--data-dir", "kept"], in: folder)
    let verify = try await Binary.run(["verify", "--data-dir", "kept"], in: folder)
    let again = try await Binary.run(["demo", "--data-dir", "kept"], in: folder)

    #expect(demo.status == 0)
    #expect(demo.output.contains("audit --data-dir kept"))
    #expect(verify.status == 0)
    #expect(again.status == 1)
    #expect(again.errors.contains("kept is there already"))
  }

  @Test(arguments: [["demo", "--nonsense"], ["nonsense"], ["events", "--limit", "many"]])
  func `a wrong use ends with status 2 and says how it is used`(arguments: [String]) async throws {
    let folder = try TemporaryFolder()

    let wrong = try await Binary.run(arguments, in: folder)

    #expect(wrong.status == 2)
    #expect(wrong.errors.contains("Usage:"))
    #expect(try folder.contents().isEmpty)
  }
}
