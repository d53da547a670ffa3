import Foundation
import FoundationNetworking
import JSONText
import Testing

@testable import TollbookSimulators

/// The simulated eBay over real HTTP on a free port.
@Suite struct EbaySimulatorServerTests {
  /// Leaves redirects to the caller.
  private final class Staying: NSObject, URLSessionTaskDelegate, Sendable {
    func urlSession(
      _ session: URLSession, task: URLSessionTask,
      willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
      completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) { completionHandler(nil) }
  }

  private let bench = EbayBench { $0.limits[.browse] = 3 }

  private func send(
    _ base: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:]
  ) async throws -> (status: Int, headers: HTTPURLResponse, body: Data) {
    var request = URLRequest(url: try #require(URL(string: base + path)))
    request.httpMethod = body == nil ? "GET" : "POST"
    request.timeoutInterval = 10
    request.httpBody = body.map { Data($0.utf8) }
    if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let session = URLSession(
      configuration: .ephemeral, delegate: Staying(), delegateQueue: nil)
    let (data, response) = try await session.data(for: request)
    let http = try #require(response as? HTTPURLResponse)
    #expect(http.value(forHTTPHeaderField: "Tollbook-Upstream") == "simulated")
    return (http.statusCode, http, data)
  }

  private func token(_ base: String) async throws -> [String: String] {
    let minted = try await send(
      base, "/identity/v1/oauth2/token", "grant_type=client_credentials",
      headers: [
        "Authorization": bench.basic(), "Content-Type": "application/x-www-form-urlencoded",
      ])
    #expect(minted.status == 200)
    let json = try JSONDocument(Array(minted.body)).root
    let token = try #require(json["access_token"]?.string)
    return ["Authorization": "Bearer \(token)"]
  }

  @Test func `a token, a search, a picture, a limit and the books travel`() async throws {
    try await bench.simulator.serving { base in
      let token = try await token(base)
      let path = "/buy/browse/v1/item_summary/search?\(bench.familySearch)&limit=5"
      let found = try await send(base, path, headers: token)
      #expect(found.status == 200)
      #expect(found.headers.value(forHTTPHeaderField: "Content-Type") == "application/json")
      let page = try JSONDocument(Array(found.body)).root
      #expect(page.ids.count == 5)
      #expect(page["href"]?.string?.hasPrefix(base + "/buy/") == true)
      let image = try #require(page.items[0]["image"]?["imageUrl"]?.string)
      #expect(image.hasPrefix(base + "/images/"))
      let picture = try await send(base, String(image.dropFirst(base.count)))
      #expect(picture.headers.value(forHTTPHeaderField: "Content-Type") == "image/png")
      let item = try #require(page.items[0]["itemHref"]?.string)
      let details = try await send(base, String(item.dropFirst(base.count)), headers: token)
      #expect(details.status == 200)
      let german = try await send(
        base, path, headers: token.merging(["X-EBAY-C-MARKETPLACE-ID": "EBAY_DE"]) { $1 })
      #expect(
        try JSONDocument(Array(german.body)).root.items[0]["listingMarketplaceId"]?.string
          == "EBAY_DE")
      let refused = try await send(base, path, headers: token)
      #expect(refused.status == 429)
      let told = try await send(base, "/_simulator/books")
      let books = try JSONDecoder().decode(EbayBooks.self, from: told.body)
      #expect(books == bench.simulator.books)
      #expect(books.counted(.browse) == 3 && books.minted(.clientCredentials) == 1)
      #expect(!books.deals.isEmpty)
    }
  }

  @Test func `consent redirects at once`() async throws {
    try await bench.simulator.serving { base in
      let reply = try await send(
        base,
        "/oauth2/authorize?client_id=Simulated-Tollbook-PRD-0001&response_type=code&state=s1"
          + "&redirect_uri=Simulated-Tollbook-RuName")
      #expect(reply.status == 302)
      let location = try #require(reply.headers.value(forHTTPHeaderField: "Location"))
      #expect(location.hasPrefix("https://tollbook.example/ebay/callback?code=v%5E1.1%23"))
      #expect(location.hasSuffix("&state=s1"))
    }
  }

  @Test func `another process steers faults and conditions, and answers get lost`() async throws {
    try await bench.simulator.serving { base in
      let token = try await token(base)
      let path = "/buy/browse/v1/item_summary/search?\(bench.familySearch)"
      let set = try await send(
        base, "/_simulator/faults",
        #"{"rules":[{"kind":"cut_body","probability":1,"route":"search"}]}"#)
      #expect(set.status == 200)
      await #expect(throws: (any Error).self) { try await send(base, path, headers: token) }
      #expect(try await send(base, "/_simulator/faults", "{}").status == 200)
      let conditions = try await send(
        base, "/_simulator/conditions", #"{"clock_offset_ms":7200000,"consent_denied":true}"#)
      #expect(conditions.status == 200)
      #expect(try await send(base, path, headers: token).status == 401)
      let read = try await send(base, "/_simulator/conditions")
      let kept = try JSONDecoder().decode(EbayConditions.self, from: read.body)
      #expect(kept == bench.simulator.conditions && kept.consentDenied)
      let bad = try await send(base, "/_simulator/conditions", #"{"consent_denied":"no"}"#)
      #expect(bad.status == 400)
    }
    #expect(bench.simulator.books[.dropped] >= 1)
  }

  @Test func `a strange host is not repeated`() {
    #expect(EbaySimulator.base("127.0.0.1:9003") == "http://127.0.0.1:9003")
    #expect(EbaySimulator.base("[::1]:9003") == "http://[::1]:9003")
    for text in [nil, "", "a b", "x\"><script>", String(repeating: "a", count: 300)] {
      #expect(EbaySimulator.base(text) == "http://127.0.0.1")
    }
  }
}
