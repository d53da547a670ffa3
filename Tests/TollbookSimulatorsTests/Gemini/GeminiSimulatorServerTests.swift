import Foundation
import FoundationNetworking
import Testing

@testable import TollbookSimulators

/// The simulated Gemini over real HTTP on a free port.
@Suite struct GeminiSimulatorServerTests {
  private func send(
    _ base: String, _ path: String, _ body: String? = nil, key: String? = GeminiSimulator.sampleKey
  ) async throws -> (status: Int, headers: HTTPURLResponse, body: Data) {
    var request = URLRequest(url: try #require(URL(string: base + path)))
    request.httpMethod = body == nil ? "GET" : "POST"
    request.timeoutInterval = 10
    request.httpBody = body.map { Data($0.utf8) }
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    if let key { request.setValue(key, forHTTPHeaderField: "X-Goog-Api-Key") }
    let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
    let http = try #require(response as? HTTPURLResponse)
    #expect(http.value(forHTTPHeaderField: "Tollbook-Upstream") == "simulated")
    return (http.statusCode, http, data)
  }

  private let hello = GeminiBench.body(GeminiBench.text("Hello"))
  private let path = "/v1beta/models/gemini-3.8-flash:generateContent"

  @Test func `an answer, a stream, an error and the books travel`() async throws {
    let simulator = GeminiSimulator()
    try await simulator.serving { base in
      let answer = try await send(base, path, hello)
      #expect(answer.status == 200)
      #expect(
        answer.headers.value(forHTTPHeaderField: "Content-Type")
          == "application/json; charset=UTF-8")
      let stream = try await send(
        base, "/v1/models/gemini-3.8-flash:streamGenerateContent?alt=sse", hello)
      #expect(stream.headers.value(forHTTPHeaderField: "Content-Type") == "text/event-stream")
      #expect(String(decoding: stream.body, as: UTF8.self).contains("}\r\n\r\ndata: {"))
      #expect(try await send(base, path, hello, key: nil).status == 403)
      #expect(try await send(base, "/nothing").status == 404)
      let encoded = path.replacing(":", with: "%3A")
      #expect(
        try await send(base, "\(encoded)?key=\(GeminiSimulator.sampleKey)", hello, key: nil).status
          == 200)
      let books = try JSONDecoder().decode(
        GeminiBooks.self, from: try await send(base, "/_simulator/books").body)
      #expect(books == simulator.books && books.requests == 3 && books.rejected == 2)
    }
  }

  @Test func `another process steers faults and a lost answer is charged`() async throws {
    let simulator = GeminiSimulator()
    try await simulator.serving { base in
      let rules =
        #"{"rules":[{"kind":"drop","probability":1,"operation":"generateContent"},"#
        + #"{"kind":"cut_stream","probability":1}]}"#
      let set = try await send(base, "/_simulator/faults", rules)
      #expect(set.status == 200)
      await #expect(throws: (any Error).self) { try await send(base, path, hello) }
      await #expect(throws: (any Error).self) {
        try await send(
          base, "/v1/models/gemini-3.8-flash:streamGenerateContent?alt=sse", hello)
      }
      let bad = try await send(base, "/_simulator/faults", #"{"rules":7}"#)
      #expect(bad.status == 400)
    }
    let books = simulator.books
    #expect(books.dropped >= 2 && books.tokensWithoutAnswer == books.tokens)
    #expect(books.tokens.prompt >= 4)
  }
}
