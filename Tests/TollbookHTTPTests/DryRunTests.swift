import Hummingbird
import JSONText
import Testing
import TollbookHTTP
import TollbookLog

@Suite struct `Asking what a request would cost` {
  private let three = ["B000000001", "B000000002", "B000000003"]

  @Test func `a dry run tells what is cached and what would be bought, and buys nothing`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([three[0]])
      let head = stand.log.head
      let answer = try await caller.batch(three, headers: [.dryRun: "1"])
      #expect(answer.status == 200)
      #expect(answer.names("") == ["dry_run", "resources", "stats"])
      #expect(answer.strings("resources", "state") == ["cached", "would_buy", "would_buy"])
      #expect(answer.string("resources.0.key") == "shared/keepa.product/1/\(three[0])")
      #expect(answer.int("stats.calls") == 1)
      #expect(answer.string("stats.costs.0.unit") == "tokens")
      #expect(answer.int("stats.costs.0.expected") == 2)
      #expect(answer.int("stats.costs.0.at_most") == 2)
      #expect(answer.headers[.charge] == "0")
      #expect(stand.log.head == head)
      let bought = try await caller.batch(three)
      #expect(bought.int("stats.tokens_used") == 2)
    }
  }

  @Test func `a dry run that is not asked for plainly is refused, and buys nothing`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let head = stand.log.head
      let answer = try await caller.batch(three, headers: [.dryRun: "yes"])
      #expect(answer.status == 400)
      #expect(answer.string("field") == "Tollbook-Dry-Run")
      #expect(stand.log.head == head)
    }
  }
}
