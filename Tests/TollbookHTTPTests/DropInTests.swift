import Deflate
import Hummingbird
import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

/// Keepa's own wire format under `/keepa/`: what its clients send, and what they must get.
struct DropInTests {
  private static let asin = "B09T2ZLMHB"

  @Test func `a product comes as Keepa sends it, and the second time costs nothing`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let first = try await caller.keepa(
        "product?domain=1&asin=\(Self.asin)&stats=90&videos=1&aplus=1")
      #expect(first.status == 200)
      #expect(first.int("tokensConsumed") == 1)
      #expect(first.string("products.0.asin") == Self.asin)
      let sent = try #require(stand.keepa.body(of: Self.asin))
      #expect(first["products.0"].map { Array($0.bytes) } == sent)
      let second = try await caller.keepa(
        "product/?asin=\(Self.asin)&domain=1&stats=90&videos=1&aplus=1")
      #expect(second.int("tokensConsumed") == 0)
      #expect(second["products.0"].map { Array($0.bytes) } == sent)
      #expect(second.headers[.cacheStatus] == "tollbook; hit")
    }
    #expect(stand.keepa.simulator.books.calls.count { $0.path == "/product" } == 1)
  }

  @Test func `what is free and was not asked for is cut away`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let plain = try await caller.keepa("product?domain=1&asin=\(Self.asin)")
      #expect(plain["products.0.stats"] == nil)
      #expect(plain["products.0.csv"]?.kind == .array)
      let bare = try await caller.keepa("product?domain=1&asin=\(Self.asin)&history=0")
      #expect(bare["products.0.csv"]?.isNull == true)
      #expect(bare["products.0.salesRanks"] == nil)
      #expect(bare.int("tokensConsumed") == 0)
    }
  }

  @Test func `only what is missing is bought, whatever the list`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.keepa("product?domain=1&asin=B000000001,B000000002")
      let more = try await caller.keepa(
        "product?domain=1&asin=B000000003%2CB000000001%2CB000000003")
      #expect(more.int("tokensConsumed") == 1)
      #expect(more.strings("products", "asin") == ["B000000003", "B000000001"])
    }
  }

  @Test
  func `paid parts that were not bought are a miss, and a richer body serves a poorer request`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let plain = try await caller.keepa("product?domain=1&asin=\(Self.asin)")
      #expect(plain.int("tokensConsumed") == 1)
      let rich = try await caller.keepa("product?domain=1&asin=\(Self.asin)&buybox=1")
      #expect(rich.int("tokensConsumed") == 3)
      let poor = try await caller.keepa("product?domain=1&asin=\(Self.asin)&buybox=0&rating=0")
      #expect(poor.int("tokensConsumed") == 0)
    }
  }

  @Test func `update is honoured: 0 goes upstream, -1 never does, hours count from lastUpdate`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let unknown = try await caller.keepa("product?domain=1&asin=\(Self.asin)&update=-1")
      #expect(unknown.status == 200)
      #expect(unknown["products"] == nil)
      #expect(stand.callCount == 0)
      _ = try await caller.keepa("product?domain=1&asin=\(Self.asin)")
      let live = try await caller.keepa("product?domain=1&asin=\(Self.asin)&update=0")
      #expect((live.int("tokensConsumed") ?? 0) >= 1)
      let calls = stand.callCount
      stand.time.advance(byMilliseconds: 5 * 3_600_000)
      let young = try await caller.keepa("product?domain=1&asin=\(Self.asin)&update=6")
      #expect(young.int("tokensConsumed") == 0)
      #expect(stand.callCount == calls)
      let old = try await caller.keepa("product?domain=1&asin=\(Self.asin)&update=2")
      #expect(old.int("tokensConsumed") == 1)
    }
  }

  @Test func `hours from lastUpdate say nothing of what was fetched by a clock that was ahead`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let now = stand.time.now
      stand.time.setWallClock(to: now.advanced(byMilliseconds: 365 * 86_400_000))
      _ = try await caller.keepa("product?domain=1&asin=\(Self.asin)")
      let same = try await caller.keepa("product?domain=1&asin=\(Self.asin)&update=24")
      #expect(same.int("tokensConsumed") == 0)
      stand.time.setWallClock(to: now)
      let later = try await caller.keepa("product?domain=1&asin=\(Self.asin)&update=24")
      #expect(later.int("tokensConsumed") == 1)
    }
  }

  @Test func `without tokens the answer is 429 with Keepa's envelope, and nothing is bought`()
    async throws
  {
    let stand = try await Stand { $0.simulator.balance = 2 }
    try await stand.serving { caller in
      let answer = try await caller.keepa("product?domain=1&asin=B000000001,B000000002,B000000003")
      #expect(answer.status == 429)
      #expect(answer.int("tokensConsumed") == 0)
      #expect(answer.int("tokensLeft") == 2)
      #expect((answer.int("refillIn") ?? 0) > 0)
      #expect(answer.int("timestamp").map(Int64.init) == stand.time.now.milliseconds)
      #expect(answer.string("error.type") == "notEnoughTokens")
      #expect(answer["products"] == nil)
    }
    #expect(stand.keepa.simulator.books.calls.allSatisfy { $0.path != "/product" })
  }

  @Test(
    arguments: [
      ("product?asin=B000000001", "domain is missing"),
      ("product?domain=7&asin=B000000001", "domain is 7"),
      ("product?domain=1", "asin or code is missing"),
      ("product?domain=1&asin=B000000001&code=0123456789012", "both given"),
      ("product?domain=1&code=12", "no UPC"),
      ("product?domain=1&asin=B000000001&stats=soon", "stats is soon"),
      ("product?domain=1&asin=B000000001&offers=5", "offers is 5"),
      ("product?domain=1&asin=B000000001&stock=1", "stock needs offers"),
      ("product?domain=1&asin=B000000001&asin=B000000002", "asin stands twice"),
      ("query?domain=1&selection=%7Bnot", "selection is no JSON"),
      ("category?domain=1", "category is missing"),
      ("seller?domain=1&seller=A1,A2&storefront=1", "one seller at a time"),
      ("category?domain=1&category=1,2,3,4,5,6,7,8,9,10,11", "up to 10"),
      ("~frsh=1h/product?domain=1&asin=B000000001", "frsh"),
      ("~max-tokens=many/product?domain=1&asin=B000000001", "max-tokens"),
      ("~max-tokens=1,max-tokens=500/product?domain=1&asin=B000000001", "max-tokens is said twice"),
    ])
  func `bad input is refused in Keepa's shape, with its reason, and costs nothing`(
    path: String, words: String
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.keepa(path)
      #expect(answer.status == 400)
      #expect(answer.string("error.type") == "invalidParameter")
      #expect(answer.string("error.message")?.contains(words) == true, "\(answer.text)")
      #expect(answer.int("tokensConsumed") == 0)
    }
    #expect(stand.callCount == 0)
  }

  @Test func `an option in the path and in a header is one too many`() async throws {
    let stand = try await Stand()
    let header = try #require(HeaderName("Tollbook-Max-Tokens"))
    try await stand.serving { caller in
      let answer = try await caller.keepa(
        "~max-tokens=500/product?domain=1&asin=B000000001", [header: "1"])
      #expect(answer.status == 400)
      #expect(answer.string("error.message")?.contains("max-tokens is said twice") == true)
    }
    #expect(stand.callCount == 0)
  }

  @Test func `a long name is not repeated whole`() async throws {
    let stand = try await Stand()
    let name = String(repeating: "x", count: 5_000)
    try await stand.serving { caller in
      for path in ["product?\(name)=1&\(name)=2", "category?\(name)=1&\(name)=2"] {
        let answer = try await caller.keepa(path)
        #expect(answer.status == 400)
        #expect((answer.string("error.message")?.count ?? .max) < 200)
      }
    }
  }

  @Test func `a marketplace is one however its number is written`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let first = try await caller.keepa("category?domain=1&category=0")
      #expect(first.int("tokensConsumed") == 1)
      for domain in ["01", "%2B1"] {
        let again = try await caller.keepa("category?domain=\(domain)&category=0")
        #expect(again.status == 200)
        #expect(again.int("tokensConsumed") == 0)
      }
    }
  }

  @Test func `a body that cannot be read is an error, and is not bought again`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.keepa("product?domain=1&asin=\(Self.asin)")
      _ = try await caller.keepa("category?domain=1&category=0")
      let calls = stand.callCount
      try stand.damageBodies()
      for path in ["product?domain=1&asin=\(Self.asin)", "category?domain=1&category=0"] {
        let answer = try await caller.keepa(path)
        #expect(answer.status == 503, "\(answer.text)")
        #expect(answer.string("error.type") == "storage_failed")
        #expect(answer.int("tokensConsumed") == 0)
      }
      #expect(stand.callCount == calls)
    }
  }

  @Test func `a body of a post that is too long is refused in Keepa's shape`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.send(
        .post, "/keepa/tracking?type=add", body: String(repeating: " ", count: (1 << 20) + 1))
      #expect(answer.status == 413)
      let body = try gunzip(answer.bytes, maximumLength: 1 << 20)
      let message = try JSONDocument(body).root["error"]?["message"]?.string
      #expect(message?.contains("\(1 << 20) bytes") == true)
    }
    #expect(stand.callCount == 0)
  }

  @Test func `101 products are one too many`() async throws {
    let stand = try await Stand()
    let list = (0...100).map { "B\(1_000_000_00 + $0)" }.joined(separator: ",")
    try await stand.serving { caller in
      let answer = try await caller.keepa("product?domain=1&asin=\(list)")
      #expect(answer.status == 400)
      #expect(answer.string("error.message")?.contains("up to 100") == true)
    }
  }

  @Test func `options ride in the base path`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let tooDear = try await caller.keepa(
        "~max-tokens=1/product?domain=1&asin=B000000001,B000000002")
      #expect(tooDear.status == 400)
      #expect(tooDear.string("error.type") == "requestLimit")
      _ = try await caller.keepa("product?domain=1&asin=\(Self.asin)")
      stand.time.advance(byMilliseconds: 2 * 3_600_000)
      let fresh = try await caller.keepa(
        "~fresh=1h,priority=background/product?domain=1&asin=\(Self.asin)")
      #expect(fresh.int("tokensConsumed") == 1)
      stand.time.advance(byMilliseconds: 2 * 3_600_000)
      let encoded = try await caller.keepa(
        "%7Efresh%3D1h/product?domain=1&asin=\(Self.asin)")
      #expect(encoded.int("tokensConsumed") == 1)
    }
  }

  @Test func `a dry run tells what it would cost and buys nothing`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.keepa("product?domain=1&asin=\(Self.asin)")
      let calls = stand.callCount
      let answer = try await caller.keepa(
        "product?domain=1&asin=\(Self.asin),B000000001&buybox=1", [.dryRun: "1"])
      #expect(answer.int("would_buy") == 2)
      #expect(answer.int("cached") == 0)
      #expect(answer.int("units_expected") == 6)
      #expect(answer.int("units_bound") == 6)
      #expect(stand.callCount == calls)
    }
  }

  @Test func `the balance is told without asking Keepa again`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let first = try await caller.keepa("token")
      #expect(first.status == 200)
      #expect(first.int("tokensLeft") == 1_200)
      #expect(first.int("refillRate") == 20)
      let calls = stand.callCount
      stand.time.advance(byMilliseconds: 1_000)
      let second = try await caller.keepa("token/?key=whatever")
      #expect(second.int("timestamp") == first.int("timestamp").map { $0 + 1_000 })
      #expect(stand.callCount == calls)
    }
  }
}

extension DropInTests {
  @Test(
    arguments: [
      ("topseller?domain=1", 50), ("lightningdeal?domain=1", 500),
      ("product?domain=1&asin=B000000001&novel=1", 1), ("bestsellers?domain=1&category=5", 50),
    ])
  func `a dry run buys nothing of what is sent on either`(path: String, units: Int) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.keepa("token")
      let calls = stand.callCount
      let answer = try await caller.keepa(path, [.dryRun: "1"])
      #expect(answer["dry_run"]?.bool == true)
      #expect(answer.int("units_expected") == units)
      #expect(stand.callCount == calls)
    }
  }

  @Test
  func
    `with an access key a client shows it as Keepa's, and a wrong one is refused as Keepa would`()
    async throws
  {
    let stand = try await Stand { $0.accessKey = "the-right-one" }
    try await stand.serving { caller in
      for path in ["token", "token?key=wrong", "product?domain=1&asin=B000000001&key="] {
        let refused = try await stand.whileTimePasses { try await caller.keepa(path) }
        #expect(refused.status == 402)
        #expect(refused.string("error.type") == "unauthorized")
        #expect(refused.int("refillRate") == 0)
      }
      #expect(stand.callCount == 0)
      let right = try await caller.keepa("product?domain=1&asin=B000000001&key=the-right-one")
      #expect(right.status == 200)
      let header = try await caller.keepa("token", [.accessKey: "the-right-one"])
      #expect(header.status == 200)
      let own = try await caller.get("/ledger?key=the-right-one")
      #expect(own.status == 401)
    }
  }

  @Test func `what is no option and no endpoint is not there`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      for path in ["nothing", "plain/product?domain=1&asin=B000000001"] {
        let answer = try await caller.get("/keepa/\(path)")
        #expect(answer.status == 404)
      }
    }
    #expect(stand.callCount == 0)
  }

  @Test(arguments: [HTTPRequest.Method.head, .put, .delete, .patch])
  func `who only looks, or uses another method, buys nothing`(
    _ method: HTTPRequest.Method
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      for path in [
        "product?domain=1&asin=B000000001", "~fresh=1h/product/?domain=1&asin=B000000001",
        "bestsellers?domain=1&category=1", "topseller?domain=1",
        "graphimage?domain=1&asin=B000000001",
      ] {
        let answer = try await caller.send(method, "/keepa/\(path)")
        #expect(answer.status == 405)
        #expect(answer.headers[.allow] == "GET, POST")
      }
      #expect(stand.callCount == 0)
      // The balance costs nothing, whoever asks.
      if method == .head { #expect(try await caller.send(.head, "/keepa/token").status == 200) }
      try await caller.expectBooks(spent: 0)
    }
    #expect(stand.keepa.simulator.books.calls.allSatisfy { $0.path == "/token" })
  }

  @Test func `a page of another site cannot spend by the drop-in paths`() async throws {
    let stand = try await Stand()
    let header = try #require(HeaderName("Sec-Fetch-Site"))
    try await stand.serving { caller in
      let answer = try await caller.keepa(
        "product?domain=1&asin=B000000001", [header: "cross-site"])
      #expect(answer.status == 403)
      #expect(answer["error"] != nil)
    }
    #expect(stand.callCount == 0)
  }
}

extension Caller {
  /// A call as a client of Keepa makes it; the answer must be gzip.
  func keepa(_ path: String, _ headers: HTTPFields = [:]) async throws -> Answer {
    try await inflated("/keepa/\(path)", headers)
  }

  /// A call whose answer may be gzip.
  func inflated(_ path: String, _ headers: HTTPFields = [:]) async throws -> Answer {
    let answer = try await get(path, headers)
    guard answer.headers[.contentEncoding] == "gzip" else { return answer }
    return Answer(answer, bytes: try gunzip(answer.bytes, maximumLength: 64 << 20))
  }
}
