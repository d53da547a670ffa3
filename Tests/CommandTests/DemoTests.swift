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
}
