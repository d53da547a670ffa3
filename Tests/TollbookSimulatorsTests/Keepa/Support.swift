import Foundation
import Synchronization
import Testing

@testable import TollbookSimulators

/// A clock that stands still until it is told.
final class TestClock: Sendable {
  private let time: Mutex<Int64>

  /// Starts in November 2026.
  init(_ start: Int64 = 1_795_000_000_000) {
    time = Mutex(start)
  }

  var now: Int64 { time.withLock { $0 } }

  func advance(minutes: Int) {
    time.withLock { $0 += Int64(minutes) * 60_000 }
  }
}

/// A decoded answer.
struct Decoded {
  let status: Int
  let members: [String: Any]

  init(_ answer: KeepaAnswer) throws {
    status = answer.status
    members = try #require(
      try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
  }

  var asins: [String]? { members["asinList"] as? [String] }
  var tokens: Int? { int("tokensConsumed") }
  func object(_ name: String) -> [String: Any]? { members[name] as? [String: Any] }
  var products: [[String: Any]]? { members["products"] as? [[String: Any]] }
  var error: [String: String]? { members["error"] as? [String: String] }
  func int(_ name: String) -> Int? { members[name] as? Int }
}

/// A simulator with a clock that stands still and the questions that tests ask it.
struct Bench {
  let clock = TestClock()
  let simulator: KeepaSimulator

  init(_ change: (inout KeepaSimulatorConfiguration) -> Void = { _ in }) {
    var configuration = KeepaSimulatorConfiguration()
    configuration.now = { [clock] in clock.now }
    configuration.sleep = { _ in }
    change(&configuration)
    simulator = KeepaSimulator(configuration)
  }

  func raw(
    _ asins: String, _ parameters: [String: String] = [:], path: String = "/product"
  ) async -> KeepaAnswer {
    let base = ["key": KeepaSimulator.sampleKey, "domain": "1", "asin": asins]
    return await simulator.answer(path: path, parameters: base.merging(parameters) { $1 })
  }

  func ask(
    _ asins: String, _ parameters: [String: String] = [:], path: String = "/product"
  ) async throws -> Decoded {
    try Decoded(await raw(asins, parameters, path: path))
  }

  /// A call of any path, in the first shop unless said otherwise.
  func call(
    _ path: String, _ parameters: [String: String] = [:], body: String = ""
  ) async throws -> Decoded {
    try Decoded(await rawCall(path, parameters, body: body))
  }

  func rawCall(
    _ path: String, _ parameters: [String: String] = [:], body: String = ""
  ) async -> KeepaAnswer {
    let base = ["key": KeepaSimulator.sampleKey, "domain": "1"]
    return await simulator.answer(
      path: path, parameters: base.merging(parameters) { $1 }, body: Array(body.utf8))
  }

  /// The Keepa minute of the bench's clock.
  var minute: Int { KeepaMinutes.containing(milliseconds: clock.now) }

  /// The first product of an answer.
  func product(_ asin: String, _ parameters: [String: String] = [:]) async throws -> [String: Any] {
    try #require(try await ask(asin, parameters).products?.first)
  }
}

/// Fifty ASINs.
let sampleASINs: [String] = (0..<50).map { index in
  var numbers = SeededNumbers("sample", salt: index)
  return "B0" + numbers.code(8)
}

/// An ASIN with a number of offers in a range.
func sampleASIN(offers: ClosedRange<Int>, hasParent: Bool? = nil) throws -> String {
  try #require(
    (0..<5000).lazy.map { index in
      var numbers = SeededNumbers("offers", salt: index)
      return "B0" + numbers.code(8)
    }.first { asin in
      let facts = ProductDocument.priceFacts(asin: asin, domain: 1)
      return offers.contains(facts.offers) && (hasParent ?? facts.hasParent) == facts.hasParent
    })
}
