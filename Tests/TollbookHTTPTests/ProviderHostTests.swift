import Hummingbird
import HummingbirdTesting
import NIOSSL
import Testing
import TollbookTestSupport

@testable import TollbookHTTP

/// The listener on which Tollbook stands for its providers. TLS itself needs a process: `TLSTests`.
struct ProviderHostTests {
  /// Asks the routes of that listener, under Keepa's own name unless another is given.
  private func asking<Value: Sendable>(
    _ stand: Stand, _ body: @Sendable (Caller) async throws -> Value
  ) async throws -> Value {
    let secure = try stand.application.secureApplication(.makeClientConfiguration())
    return try await secure.test(.router) { try await body(Caller(client: $0)) }
  }

  @Test(arguments: ["api.keepa.com", "API.Keepa.com:443", "api.keepa.com:8443"])
  func `under the provider's name the provider's paths stand at the root`(
    _ host: String
  ) async throws {
    let stand = try await Stand()
    try await asking(stand) { caller in
      let product = try await caller.inflated(
        "/product?key=x&domain=1&asin=B000000001", [.plainHost: host])
      #expect(product.status == 200)
      #expect(product.int("tokensConsumed") == 1)
      let fresh = try await caller.inflated(
        "/~fresh=1h/product/?key=x&domain=1&asin=B000000001", [.plainHost: host])
      #expect(fresh.int("tokensConsumed") == 0)
      // The shape of a refusal is the provider's too.
      let refused = try await caller.inflated("/product?key=x", [.plainHost: host])
      #expect(refused.string("error.type") == "invalidParameter")
      // What is Tollbook's own is not there, and that is said as Keepa says it.
      for path in [
        "/ledger", "/health", "/keepa/product?domain=1&asin=B000000001", "/", "/nothing",
        "/batch-analyze", "/products/1/B000000001", "/plain/product?domain=1&asin=B000000001",
      ] {
        let unknown = try await caller.inflated(path, [.plainHost: host])
        #expect(unknown.status == 404, "\(path)")
        #expect(unknown.string("error.type") == "notFound", "\(path)")
        let place = path.prefix { $0 != "?" }
        #expect(unknown.string("error.message") == "there is nothing at \(place)")
        #expect(unknown.int("tokensConsumed") == 0)
      }
    }
  }

  @Test func `under its own name it is itself, and other names stay foreign`() async throws {
    let stand = try await Stand()
    try await asking(stand) { caller in
      #expect(try await caller.get("/ledger", [.plainHost: "localhost:8443"]).status == 200)
      #expect(try await caller.get("/product", [.plainHost: "localhost"]).status == 404)
      for host in ["keepa.com", "api.keepa.com.evil.example", "xapi.keepa.com"] {
        let answer = try await caller.get("/product?asin=B000000001", [.plainHost: host])
        #expect(answer.status == 421, "\(host)")
      }
    }
    #expect(stand.callCount == 0)
  }

  @Test func `the plain listener does not answer under the provider's name`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.get("/ledger", [.plainHost: "api.keepa.com"])
      #expect(answer.status == 421)
    }
  }

  @Test func `the access key is shown where the provider's key would be`() async throws {
    let stand = try await Stand { $0.accessKey = "sesame" }
    try await asking(stand) { caller in
      let query = "/product?domain=1&asin=B000000001&key="
      let host: HTTPFields = [.plainHost: "api.keepa.com"]
      #expect(try await caller.get(query + "sesame", host).status == 200)
      let nowhere = try await stand.whileTimePasses {
        try await caller.inflated("/nothing?key=other", host)
      }
      #expect(nowhere.status == 402)
      #expect(try await caller.inflated("/nothing?key=sesame", host).status == 404)
      let refused = try await stand.whileTimePasses {
        try await caller.inflated(query + "other", host)
      }
      #expect(refused.status == 402)
      #expect(refused.string("error.type") == "unauthorized")
    }
  }

  @Test func `two listeners share the connections that there may be`() {
    var settings = HTTPSettings(version: "1", startTime: .testStart)
    settings.connections = 100
    #expect(settings.connectionsOfListener == 100)
    settings.tlsPort = 8_443
    #expect(settings.connectionsOfListener == 50)
    settings.tlsPort = settings.port
    #expect(settings.problem()?.contains("8000, with TLS and without") == true)
  }
}
