import Foundation
import FoundationNetworking
import Testing

@testable import TollbookSimulators

/// The simulated Binance over real HTTP on a free port.
@Suite struct BinanceSimulatorServerTests {
  private func send(
    _ base: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:]
  ) async throws -> (status: Int, headers: HTTPURLResponse, body: Data) {
    var request = URLRequest(url: try #require(URL(string: base + path)))
    request.httpMethod = body == nil ? "GET" : "POST"
    request.timeoutInterval = 10
    request.httpBody = body.map { Data($0.utf8) }
    if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
    let http = try #require(response as? HTTPURLResponse)
    #expect(http.value(forHTTPHeaderField: "Tollbook-Upstream") == "simulated")
    return (http.statusCode, http, data)
  }

  private func weight(_ response: HTTPURLResponse) -> String? {
    let minute = response.value(forHTTPHeaderField: "x-mbx-used-weight-1m")
    #expect(minute == response.value(forHTTPHeaderField: "X-MBX-USED-WEIGHT"))
    return minute
  }

  /// A bench whose clock stands still: the weight of real minutes would begin anew in the middle of a test.
  private let bench = BinanceBench { $0.weightLimit = 50 }

  @Test func `answers, errors, refusals and the books travel with their headers`() async throws {
    try await bench.simulator.serving { base in
      let list = "/api/v3/ticker/price?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D"
      let prices = try await send(base, list)
      #expect(prices.status == 200)
      #expect(
        prices.headers.value(forHTTPHeaderField: "Content-Type")
          == "application/json;charset=UTF-8")
      #expect(Array(prices.body) == (await BinanceBench().call(String(list.dropFirst(8)))).body)
      #expect(weight(prices.headers) == "4")
      let time = try await send(
        base, "/api/v3/time", headers: ["X-MBX-TIME-UNIT": "MICROSECOND"])
      #expect(String(decoding: time.body, as: UTF8.self) == #"{"serverTime":1795000012345000}"#)
      let wrong = try await send(base, "/api/v3/klines?symbol=BTCUSDT&interval=7m")
      #expect(wrong.status == 400 && weight(wrong.headers) == "7")
      let nothing = try await send(base, "/api/v3/nothing", headers: ["Accept": "text/html"])
      #expect(nothing.status == 404 && weight(nothing.headers) == "8")
      #expect(String(decoding: nothing.body, as: UTF8.self).hasPrefix("<html>"))
      let refused = try await send(base, "/api/v3/ticker/24hr")
      #expect(refused.status == 429 && weight(refused.headers) == "8")
      #expect(refused.headers.value(forHTTPHeaderField: "Retry-After") == "8")
      let told = try await send(base, "/_simulator/books")
      let books = try JSONDecoder().decode(BinanceBooks.self, from: told.body)
      #expect(books == bench.simulator.books)
      #expect(books.sum == .init(calls: 5, weight: 8, refused: 1, banned: 0))
      #expect(books.calls.allSatisfy { $0.address == "127.0.0.1" })
    }
  }

  @Test func `another process steers faults and conditions, and answers get lost`() async throws {
    try await bench.simulator.serving { base in
      let rules = #"{"rules":[{"kind":"cut_body","probability":1},"#
      let set = try await send(
        base, "/_simulator/faults", rules + #"{"kind":"drop","probability":1}]}"#)
      #expect(set.status == 200)
      await #expect(throws: (any Error).self) {
        try await send(base, "/api/v3/klines?symbol=BTCUSDT&interval=1h")
      }
      let none = try await send(base, "/_simulator/faults", "{}")
      #expect(none.status == 200)
      let conditions = try await send(
        base, "/_simulator/conditions",
        #"{"clock_offset_ms":3600000,"foreign_weight_per_minute":30}"#)
      #expect(conditions.status == 200)
      let time = try await send(base, "/api/v3/time")
      #expect(String(decoding: time.body, as: UTF8.self) == #"{"serverTime":1795003612345}"#)
      let own = bench.simulator.books.minutes.last?.sum.weight
      #expect(weight(time.headers) == own.map { String($0 + 26) })
      let read = try await send(base, "/_simulator/conditions")
      let kept = try JSONDecoder().decode(BinanceConditions.self, from: read.body)
      #expect(kept == bench.simulator.conditions && kept.foreignWeight == 30)
      let bad = try await send(base, "/_simulator/conditions", #"{"clock_offset_ms":"late"}"#)
      #expect(bad.status == 400)
    }
    #expect(bench.simulator.books.dropped >= 1)
  }
}
