import Hummingbird
import JSONText
import Keepa
import Logging
import Synchronization
import Testing
import TollbookTestSupport

@testable import TollbookHTTP

/// Diagnostics that a test reads.
final class LogRecorder: Sendable {
  private let lines = Mutex<[String]>([])

  /// What was told, each with its level: `debug discovery miss`.
  var told: [String] { lines.withLock { $0 } }

  func logger(_ level: Logger.Level) -> Logger {
    Logger(label: "test") { _ in Handler(recorder: self, logLevel: level) }
  }

  private struct Handler: LogHandler {
    let recorder: LogRecorder
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      recorder.lines.withLock { $0.append("\(event.level) \(event.message)") }
    }
  }
}

struct DiscoveryLogTests {
  @Test func `D30: at debug a discovery tells of hits and misses, and what is kept of them`()
    async throws
  {
    let recorder = LogRecorder()
    let stand = try await Stand { $0.logger = recorder.logger(.debug) }
    let order = "{\"bsr_max\":50000,\"price_min\":5,\"limit\":1,\"costs\":{\"buy\":100}}"
    try await stand.serving { caller in
      let path = "/api/v1/products/discover-with-scoring"
      let first = try await caller.send(.post, path, body: order)
      let asin = try #require(first.string("products.0.asin"))
      let roi = try #require(first["products.0.roi"]?.double)
      let found = try #require(first.int("total_count"))
      let key = try #require(
        recorder.told.compactMap { $0.wholeMatch(of: /debug cached \d+ ASINs with key (.*)/) }.first
      ).output.1
      #expect(key.count == 8)
      #expect(
        recorder.told.filter { $0.hasPrefix("debug ") && !$0.contains("Request") } == [
          "debug discovery miss", "debug cached \(min(50, found)) ASINs with key \(key)",
          "debug scoring miss: \(asin)", "debug cached \(asin) with ROI \(roi) %",
        ])
      let before = recorder.told.count
      _ = try await caller.send(.post, path, body: order)
      #expect(
        recorder.told.dropFirst(before).filter { !$0.contains("Request") } == [
          "debug discovery hit: \(min(50, found)) ASINs", "debug scoring hit: \(asin)",
        ])
    }
  }

  @Test func `at info a discovery says nothing`() async throws {
    let recorder = LogRecorder()
    let stand = try await Stand { $0.logger = recorder.logger(.info) }
    try await stand.serving { caller in
      _ = try await caller.send(.post, "/api/v1/products/discover", body: "{\"bsr_max\":50000}")
    }
    #expect(!recorder.told.contains { $0.contains("discovery") })
  }
}
