import Deflate
import Hummingbird
import Keepa
import Testing
import TollbookLog
import TollbookTestSupport

@testable import TollbookHTTP

private let asin = "B000000001"
private let path = "/keepa/products/1/B000000001"

@Suite struct ProductRouteTests {
  @Test func `a body is served byte for byte as Keepa sent it`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([asin])
      let sent = try #require(stand.keepa.body(of: asin))
      let plain = try await caller.get(path)
      #expect(plain.status == 200)
      #expect(plain.bytes == sent)
      #expect(plain.headers[.contentType] == "application/json")
      #expect(plain.headers[.contentEncoding] == nil)
      let packed = try await caller.get(path, [.acceptEncoding: "br, gzip;q=0.8"])
      #expect(packed.headers[.contentEncoding] == "gzip")
      #expect(packed.headers[.vary] == "Accept-Encoding")
      #expect(packed.bytes.count < sent.count)
      #expect(try gunzip(packed.bytes, maximumLength: 1 << 24) == sent)
    }
  }

  @Test func `nothing is bought for it`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.get(path)
      #expect(answer.status == 404)
      #expect(answer.string("type") == "/problems/not-cached")
      #expect(stand.callCount == 0)
      _ = try await caller.batch(["X000000001"])
      #expect(try await caller.get("/keepa/products/1/X000000001").status == 404)
    }
  }

  @Test func `the entity tag spares the body, in either spelling`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([asin])
      let plain = try #require(try await caller.get(path).headers[.eTag])
      let gzip = try #require(
        try await caller.get(path, [.acceptEncoding: "gzip"]).headers[.eTag])
      #expect(gzip == plain.dropLast() + "-gzip\"")
      for header in [plain, gzip, "\"other\", \(gzip)", "W/\(plain)", "*"] {
        let answer = try await caller.get(path, [.ifNoneMatch: header])
        #expect(answer.status == 304)
        #expect(answer.bytes.isEmpty)
        #expect(answer.headers[.eTag] == plain)
        #expect(answer.headers[.contentLength] == nil)
      }
      #expect(try await caller.get(path, [.ifNoneMatch: "\"other\""]).status == 200)
    }
  }

  @Test func `age, lifetime and cache status tell how old it is`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([asin])
      stand.time.advance(byMilliseconds: 86_400_000)
      let fresh = try await caller.get(path)
      #expect(fresh.headers[.age] == "86400")
      #expect(fresh.headers[.cacheControl] == "max-age=604800")
      #expect(fresh.headers[.cacheStatus] == "tollbook; hit; ttl=518400")
      #expect(fresh.headers[.position] == "\(stand.log.head)")
      stand.time.advance(byMilliseconds: 7 * 86_400_000)
      let stale = try await caller.get(path)
      #expect(stale.status == 200)
      #expect(stale.headers[.cacheStatus] == "tollbook; hit; ttl=-86400")
    }
  }

  @Test func `HEAD has the headers and no body`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([asin])
      let get = try await caller.get(path)
      let head = try await caller.send(.head, path)
      #expect(head.status == 200)
      #expect(head.bytes.isEmpty)
      #expect(head.headers[.contentLength] == "\(get.bytes.count)")
      #expect(head.headers[.eTag] == get.headers[.eTag])
      let missing = try await caller.send(.head, "/nothing")
      #expect(missing.status == 404)
      #expect(missing.bytes.isEmpty)
    }
  }

  @Test(
    arguments: [
      (nil, false), ("", false), ("gzip", true), ("GZIP", true), ("deflate", false),
      ("gzip;q=0", false), ("*", true), ("*;q=0", false), ("gzip; q=0.001", true),
      ("identity, *;q=0.5", true), ("gzip;q=0, *", false), ("x-gzip", true),
    ] as [(String?, Bool)])
  func `RFC 9110: gzip is sent to who takes it`(_ header: String?, _ expected: Bool) {
    #expect(acceptsGzip(header) == expected)
  }
}
