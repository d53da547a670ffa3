import Foundation
import FoundationNetworking
import Testing

@testable import TollbookSimulators

/// The simulator over real HTTP on a free port.
@Suite struct KeepaSimulatorServerTests {
  private func get(
    _ base: String, _ path: String, method: String = "GET", body: String? = nil
  ) async throws -> (status: Int, headers: HTTPURLResponse, body: Data) {
    var request = URLRequest(url: try #require(URL(string: base + path)))
    request.httpMethod = method
    request.timeoutInterval = 10
    request.httpBody = body.map { Data($0.utf8) }
    let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
    let http = try #require(response as? HTTPURLResponse)
    return (http.statusCode, http, data)
  }

  private var product: String {
    "/product/?domain=1&asin=B0AAAAAAAA%2CB0BBBBBBBB&stats=90&key=\(KeepaSimulator.sampleKey)"
  }

  @Test(arguments: ["GET", "POST"])
  func `a product travels as gzipped JSON and names its source`(method: String) async throws {
    let simulator = KeepaSimulator()
    try await simulator.serving { base in
      let answer = try await get(base, product, method: method)
      #expect(answer.status == 200)
      #expect(
        answer.headers.value(forHTTPHeaderField: "Content-Type")
          == "application/json;charset=UTF-8")
      #expect(answer.headers.value(forHTTPHeaderField: "Tollbook-Upstream") == "simulated")
      let members = try JSONSerialization.jsonObject(with: answer.body) as? [String: Any]
      #expect((members?["products"] as? [Any])?.count == 2)
      #expect(members?["tokensConsumed"] as? Int == 2)
    }
    #expect(simulator.books.tokens == 2)
  }

  @Test func `everything else is a 404 with an envelope`() async throws {
    try await KeepaSimulator().serving { base in
      let answer = try await get(base, "/produkt?key=x")
      #expect(answer.status == 404)
      #expect(answer.headers.value(forHTTPHeaderField: "Tollbook-Upstream") == "simulated")
      let members = try JSONSerialization.jsonObject(with: answer.body) as? [String: Any]
      #expect(members?["refillRate"] as? Int == 0)
    }
  }

  @Test(arguments: [KeepaFault.Kind.drop, .cutBody, .cutChunks])
  func `a lost answer is an error for the client and a charge in the books`(
    kind: KeepaFault.Kind
  ) async throws {
    let simulator = KeepaSimulator()
    simulator.faults = KeepaFaults([KeepaFault(kind, probability: 1, seed: 1)])
    try await simulator.serving { base in
      await #expect(throws: (any Error).self) { try await get(base, product) }
    }
    #expect(simulator.books.dropped >= 1)
    #expect(simulator.books.tokensWithoutAnswer == simulator.books.tokens)
    #expect(simulator.books.tokens >= 2)
  }

  @Test func `a slow body arrives whole in the end`() async throws {
    let simulator = KeepaSimulator()
    simulator.faults = KeepaFaults([KeepaFault(.slowBody, next: 1, milliseconds: 300)])
    try await simulator.serving { base in
      let start = ContinuousClock.now
      let answer = try await get(base, product)
      #expect(ContinuousClock.now - start >= .milliseconds(300))
      #expect(try JSONSerialization.jsonObject(with: answer.body) is [String: Any])
    }
  }

  @Test func `another process steers faults and reads the books`() async throws {
    try await KeepaSimulator().serving { base in
      let rules = #"{"rules":[{"kind":"http503","next":1}],"latency_ms":5}"#
      let set = try await get(base, "/_simulator/faults", method: "POST", body: rules)
      #expect(set.status == 200)
      let failed = try await get(base, product)
      #expect(failed.status == 503)
      #expect(
        failed.headers.value(forHTTPHeaderField: "Content-Type") == "text/html;charset=UTF-8")
      _ = try await get(base, product)
      let books = try JSONDecoder().decode(
        Books.self, from: try await get(base, "/_simulator/books").body)
      #expect(books.tokens == 2)
      #expect(books.failed == 1 && books.answered == 1)
      let bad = try await get(base, "/_simulator/faults", method: "POST", body: "{\"rules\":7}")
      #expect(bad.status == 400)
      #expect(bad.headers.value(forHTTPHeaderField: "Tollbook-Upstream") == "simulated")
    }
  }

  @Test func `a selection is read from the query or from the body and a plus is a space`()
    async throws
  {
    let simulator = KeepaSimulator()
    try await simulator.serving { base in
      let key = "key=\(KeepaSimulator.sampleKey)&domain=1"
      let posted = try await get(
        base, "/query?\(key)", method: "POST", body: #"{"perPage":50,"current_NEW_gte":14000}"#)
      let sent = try await get(
        base, "/query/?\(key)&selection=%7B%22perPage%22:50,%22current_NEW_gte%22:+14000%7D")
      let lists = try [posted, sent].map { answer in
        let members = try JSONSerialization.jsonObject(with: answer.body) as? [String: Any]
        return try #require(members?["asinList"] as? [String])
      }
      #expect(lists[0] == lists[1] && !lists[0].isEmpty)
      let search = try await get(base, "/search/?\(key)&type=category&term=patio,+lawn")
      #expect(search.status == 200)
    }
    #expect(simulator.books.tokensByPath == ["/query": 22, "/search": 1])
  }

  @Test func `a graph travels as a picture and not compressed`() async throws {
    try await KeepaSimulator().serving { base in
      let answer = try await get(
        base, "/graphimage?key=\(KeepaSimulator.sampleKey)&domain=1&asin=B0AAAAAAAA")
      #expect(answer.headers.value(forHTTPHeaderField: "Content-Type") == "image/png")
      #expect(answer.headers.value(forHTTPHeaderField: "Content-Encoding") == nil)
      #expect(answer.body.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))
    }
  }
}
