import Hummingbird
import Testing
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct `Wrong keys` {
  @Test func `each from an address is answered later than the one before, up to two seconds`() {
    let failed = FailedKeys()
    let delays = (0..<9).map { failed.begin(from: "192.0.2.1", at: $0) }
    #expect(delays == [50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000])
    // Another address begins anew.
    #expect(failed.begin(from: "192.0.2.2", at: 9) == 50)
    #expect(failed.total == 10)
  }

  @Test func `they are forgotten after ten minutes without one`() {
    let failed = FailedKeys()
    _ = failed.begin(from: "a", at: 0)
    #expect(failed.begin(from: "a", at: 600_000) == 100)
    #expect(failed.begin(from: "a", at: 1_200_001) == 50)
  }

  @Test func `a thousand addresses are remembered, and the one that failed longest ago goes`() {
    let failed = FailedKeys()
    for index in 0..<1_000 {
      #expect(failed.begin(from: "\(index)", at: Int64(index)) == 50)
      failed.end()
    }
    #expect(failed.begin(from: "new", at: 1_000) == 50)
    failed.end()
    // The first has gone for it, the second is still known.
    #expect(failed.begin(from: "1", at: 1_001) == 100)
    failed.end()
    #expect(failed.begin(from: "0", at: 1_002) == 50)
  }

  @Test func `256 answers are held back at once, others are refused at once`() {
    let failed = FailedKeys()
    for index in 0..<256 { #expect(failed.begin(from: "\(index)", at: 0) != nil) }
    #expect(failed.begin(from: "one more", at: 0) == nil)
    failed.end()
    #expect(failed.begin(from: "another", at: 0) != nil)
    #expect(failed.begin(from: "one more", at: 0) == nil)
    #expect(failed.total == 259)
  }

  @Test func `no failure is so frequent that its count runs over`() {
    let failed = FailedKeys()
    for _ in 0..<100 {
      _ = failed.begin(from: "a", at: 0)
      failed.end()
    }
    #expect(failed.begin(from: "a", at: 0) == 2_000)
  }

  @Test func `a wrong key waits for its answer, and a right one does not wait behind it`()
    async throws
  {
    let stand = try await Stand { $0.accessKey = "root" }
    try await stand.serving { caller in
      let wrong = Task { try await caller.get("/ledger", key: "wrong") }
      await stand.time.waitForSleepers(1)
      #expect(try await caller.get("/ledger", Caller.root).status == 200)
      // Who shows nothing tries nothing.
      #expect(try await caller.get("/ledger").status == 401)
      stand.time.advance(byMilliseconds: 49)
      #expect(stand.time.sleeperCount == 1)
      stand.time.advance(byMilliseconds: 1)
      #expect(try await wrong.value.status == 401)

      let again = Task { try await caller.get("/ledger", key: "wrong") }
      await stand.time.waitForSleepers(1)
      stand.time.advance(byMilliseconds: 99)
      #expect(stand.time.sleeperCount == 1)
      stand.time.advance(byMilliseconds: 1)
      #expect(try await again.value.status == 401)
      let metrics = try await caller.get("/metrics", Caller.root)
      #expect(metrics.text.contains("\ntollbook_wrong_access_keys_total 2\n"))
    }
  }

  @Test func `with 256 that wait the next is refused at once, and a right key is let in`()
    async throws
  {
    let stand = try await Stand { $0.accessKey = "root" }
    try await stand.serving { caller in
      let waiting = (0..<256).map { _ in
        Task { try await caller.get("/ledger", key: "wrong") }
      }
      await stand.time.waitForSleepers(256)
      let refused = try await caller.get("/ledger", key: "wrong")
      #expect(refused.status == 429)
      #expect(refused.headers[.retryAfter] == "5")
      #expect(try await caller.get("/ledger", Caller.root).status == 200)
      stand.time.advance(byMilliseconds: 2_000)
      for task in waiting { #expect(try await task.value.status == 401) }
    }
  }

  @Test func `of a key's requests there are as many as the minute has left`() {
    let rates = RequestRates()
    #expect(rates.count("a", limit: 2, at: 59_000) == .left(1, resets: 1_000))
    #expect(rates.count("b", limit: 1, at: 59_000) == .left(0, resets: 1_000))
    #expect(rates.count("a", limit: 2, at: 59_500) == .left(0, resets: 500))
    #expect(rates.count("a", limit: 2, at: 59_999) == .refused(resets: 1))
    #expect(rates.count("a", limit: 2, at: 60_000) == .left(1, resets: 60_000))
  }
}
