import Hummingbird
import HummingbirdTesting
import JSONText
import NIOCore
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import TollbookHTTP

/// Reads of the past, over a socket.
@Suite struct AsOfTests {
  private static let asin = "B000000001"
  private static let key = "shared/keepa.product/1/B000000001"

  /// A product that is bought, and bought again eight days later.
  ///
  /// - Returns: positions after each of the two, and the bodies that were stored then.
  private func twice(
    _ stand: Stand, _ caller: Caller
  ) async throws -> (first: Position, second: Position, bodies: [[UInt8]]) {
    _ = try await caller.batch([Self.asin])
    let first = stand.log.head
    let before = try await caller.get("/keepa/products/1/\(Self.asin)")
    stand.time.advance(byMilliseconds: 8 * 86_400_000)
    _ = try await caller.batch([Self.asin])
    let second = stand.log.head
    let after = try await caller.get("/keepa/products/1/\(Self.asin)")
    #expect(before.status == 200 && after.status == 200)
    #expect(before.bytes != after.bytes)
    return (first, second, [before.bytes, after.bytes])
  }

  @Test func `an entry is shown as it was`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let (first, second, _) = try await twice(stand, caller)
      let now = try await caller.get("/cache/entries/\(Self.key)")
      let then = try await caller.get("/cache/entries/\(Self.key)?as_of=\(first)")
      #expect(then.status == 200)
      #expect(then.headers[.position] == "\(first)")
      #expect(then.int("position") == Int(first))
      #expect(try #require(then.int("entries.0.written")) <= Int(first))
      #expect(try #require(now.int("entries.0.written")) > Int(first))
      #expect(then.string("entries.0.state") == "fresh")
      #expect(then["entries.0.hit_count"]?.isNull == true)
      #expect(then.string("entries.0.body") != now.string("entries.0.body"))
      let again = try await caller.get("/cache/entries/\(Self.key)?as_of=\(second)")
      #expect(again.string("entries.0.body") == now.string("entries.0.body"))
      // By a time: eight days on it was stale, until it was bought.
      let stale = try await caller.get("/cache/entries/\(Self.key)?as_of=2026-11-28T09:00:00Z")
      #expect(stale.int("entries.0.written") == then.int("entries.0.written"))
      #expect(stale.string("entries.0.state") != "fresh")
      let none = try await caller.get("/cache/entries/\(Self.key)?as_of=0")
      #expect(none.status == 404)
    }
  }

  @Test func `a body is served as it was, and gone once it was removed`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let (first, _, bodies) = try await twice(stand, caller)
      let path = "/keepa/products/1/\(Self.asin)?as_of=\(first)"
      let then = try await caller.get(path)
      #expect(then.status == 200)
      #expect(then.bytes == bodies[0])
      #expect(then.headers[.position] == "\(first)")
      #expect(then.headers[.cacheStatus] == nil)
      let reads = stand.gateway.tallies.pendingReads
      _ = try await caller.get(path)
      #expect(stand.gateway.tallies.pendingReads == reads)

      let digest = Body(bodies[0]).digest
      var pruned = BodiesPruned()
      pruned.bodies = [.init(digest)]
      try await stand.log.append([.bodiesPruned(pruned)], prunedBodies: [digest])
      let gone = try await caller.get(path)
      #expect(gone.status == 410)
      #expect(gone.string("type") == "/problems/gone")
      #expect(try #require(gone.string("detail")).contains(digest.hexadecimal))
      #expect(try await caller.get("/keepa/products/1/\(Self.asin)").bytes == bodies[1])
      #expect(try await caller.get("/keepa/products/1/\(Self.asin)?as_of=0").status == 404)
    }
  }

  @Test func `the ledger is shown as it stood`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let (first, second, _) = try await twice(stand, caller)
      for (position, settled) in [(first, 1), (second, 2)] {
        let ledger = try await caller.get("/ledger?as_of=\(position)")
        #expect(ledger.int("meters.0.settled") == settled)
        #expect(ledger.int("meters.0.residual") == 0)
        #expect(ledger.headers[.position] == "\(position)")
        let charges = try await caller.get("/ledger/charges?as_of=\(position)")
        #expect(charges.int("sums.tokens") == settled)
        #expect(charges.headers[.position] == "\(position)")
      }
      #expect(try await caller.get("/ledger?as_of=0").count("meters") == 0)
      let now = try await caller.get("/ledger")
      let here = try await caller.get("/ledger?as_of=\(stand.log.head)")
      #expect(now.text == here.text)
    }
  }

  @Test func `the log shows the commit that holds a position`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let (first, _, _) = try await twice(stand, caller)
      let commit = try #require(
        try stand.log.read { (transaction) throws(LogError) in
          try stand.log.reader.commit(holding: first - 1, in: transaction)
        })
      let answer = try await caller.get("/log?as_of=\(first - 1)")
      #expect(answer.int("first") == Int(commit.first))
      #expect(answer.int("head") == Int(commit.last))
      #expect(answer.string("root") == commit.root.hexadecimal)
      #expect(answer.headers[.position] == "\(first - 1)")
      let empty = try await caller.get("/log?as_of=0")
      #expect(empty.string("root") == MerkleTree.emptyRoot.hexadecimal)
    }
  }

  @Test func `a moment that is none, or that is still to come, is refused by name`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let head = stand.log.head
      for path in ["/ledger", "/ledger/charges", "/log", "/cache/entries/\(Self.key)"] {
        for text in ["yesterday", "\(head + 1)", "2027-01-01", "-1"] {
          let answer = try await caller.get("\(path)?as_of=\(text)")
          #expect(answer.status == 400, "\(path) \(text)")
          #expect(answer.string("field") == "as_of")
        }
        let ahead = try await caller.get("\(path)?as_of=\(head + 1)")
        #expect(try #require(ahead.string("detail")).contains("\(head)"))
      }
    }
  }

  @Test func `whole views name the command that shows them`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      for path in ["/cache/entries", "/cache/stats", "/metrics"] {
        let answer = try await caller.get("\(path)?as_of=1")
        #expect(answer.status == 400, "\(path)")
        #expect(answer.string("field") == "as_of")
        #expect(
          try #require(answer.string("detail")).contains("tollbook replay --until 1"), "\(path)")
      }
    }
  }

  @Test func `what lies before the base of a log is gone`() async throws {
    let folder = try TemporaryFolder()
    let base = try await based(in: folder)
    let log = try folder.openLog("based")
    defer { log.close() }
    func asOf(_ text: String) throws -> AsOf? {
      try AsOf(
        QueryParameters(
          Request(
            head: HTTPRequest(
              method: .get, scheme: "http", authority: "localhost", path: "/ledger?as_of=\(text)"),
            body: .init(buffer: ByteBuffer()))), log)
    }
    #expect(try asOf("\(base)")?.position == base)
    let error = #expect(throws: LogError.self) { try asOf("\(base - 1)") }
    #expect(Problem(try #require(error)).status == .gone)
    #expect(throws: LogError.self) { try asOf("2020-01-01") }
    #expect(throws: LogError.beforeBase(base)) { try HTTPService.event(at: base, in: log) }
    try await log.append([.serviceStarted(ServiceStarted())])
    let first = try HTTPService.event(at: base + 1, in: log)
    #expect(first?.event.kind == .serviceStarted)
    #expect(try HTTPService.event(at: base + 2, in: log) == nil)
  }

  /// Makes a log that goes on from another one's end.
  private func based(in folder: TemporaryFolder) async throws -> Position {
    let log = try folder.openLog("source")
    defer { log.close() }
    for _ in 0..<3 { try await log.append([.serviceStarted(ServiceStarted())]) }
    let found = try log.read { (transaction) throws(LogError) -> LogBase? in
      guard let commit = try log.reader.lastCommit(in: transaction) else { return nil }
      let frontier = try log.reader.frontier(size: commit.last, in: transaction)
      do throws(Damage) {
        return try LogBase(commit: commit, frontier: frontier, snapshot: "a.snapshot")
      } catch { throw .damaged(error) }
    }
    let base = try #require(found)
    let importer = try LogImporter(folder.own("based"), options: .scratch)
    try importer.begin(
      LogOrigin(position: 3, restored: .testStart, isWithoutBodies: true, base: base))
    return base.position
  }
}
