import Foundation
import Hummingbird
import Keepa
import Testing
import TollbookGateway
import TollbookLog
import TollbookSimulators

@testable import TollbookHTTP

@Suite struct MetricsTests {
  @Test(.enabled(if: promtool != nil, "promtool is not installed"))
  func `promtool accepts the metrics without complaint`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      stand.keepa.simulator.faults = KeepaFaults([KeepaFault(.http500, next: 1)])
      _ = try await caller.batch(["B000000002"])
      _ = try await caller.get("/nothing\"\\x")
      let answer = try await caller.get("/metrics")
      #expect(try promtoolComplaint(answer.bytes) == "")
    }
  }

  @Test func `the metrics are text that Prometheus reads`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      _ = try await caller.get("/nothing\"\\x")
      let answer = try await caller.get("/metrics")
      #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
      #expect(MetricsText.complaints(of: answer.text) == [])
    }
  }

  @Test(arguments: [
    ("# HELP a A.\n# TYPE a gauge\na 1", "no line break at the end"),
    ("a 1\n", "a has no type"), ("# TYPE a gauge\na 1\n", "a has no help"),
    ("# HELP a A.\n# TYPE a gauge\na one\n", "one is no number"),
    ("# HELP a A.\n# TYPE a gauge\na 1\na 1\n", "a stands twice"),
    ("# HELP a A.\n# TYPE a counter\na 1\n", "a is a counter without _total"),
    ("# HELP a_total A.\n# TYPE a_total counter\na_total -1\n", "a_total is below zero"),
    ("# HELP a A.\n# TYPE a gauge\na{x=\"1} 1\n", "a{x=\"1} 1 is no sample"),
    (
      "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_count 1\n"
        + "h_sum 1\n", "h_bucket{le=\"+Inf\"} is less than the one before"
    ),
    ("# HELP h H.\n# TYPE h histogram\nh_count 1\nh_sum 1\n", "h has no bucket for all"),
  ])
  func `what Prometheus does not read is found`(_ text: String, _ complaint: String) {
    #expect(MetricsText.complaints(of: text) == [complaint])
  }

  @Test func `every figure of the list is there`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      _ = try await caller.batch(["B000000001"])
      await stand.gateway.writeTallies()
      let lines = try await caller.get("/metrics").text.split(separator: "\n").map(String.init)
      for line in [
        "tollbook_requests_total{route=\"/keepa/batch-analyze\",method=\"POST\",status=\"200\"} 2",
        "tollbook_request_duration_seconds_count{route=\"/keepa/batch-analyze\"} 2",
        "tollbook_reads_total{outcome=\"fresh\"} 1", "tollbook_reads_total{outcome=\"bought\"} 1",
        // One for the balance before the first purchase, one for the product.
        "tollbook_upstream_calls_total{upstream=\"keepa\",status=\"200\"} 2",
        "tollbook_upstream_call_duration_seconds_count{upstream=\"keepa\"} 2",
        "tollbook_meter{credential=\"keepa:test\",unit=\"tokens\",term=\"settled\"} 1",
        "tollbook_ledger_residual{credential=\"keepa:test\",unit=\"tokens\"} 0",
        "tollbook_events_total{type=\"CacheWritten\"} 1", "tollbook_queue_depth 0",
        "tollbook_oldest_reader_lag 0", "tollbook_parked_events 0", "tollbook_read_only 0",
        "tollbook_build_info{version=\"1.2.3\",simulated=\"true\"} 1",
      ] { #expect(lines.contains(line)) }
      for name in [
        "tollbook_commit_events_bucket", "tollbook_commit_seconds_sum",
        "tollbook_map_bytes{state=\"used\"}", "tollbook_private_memory_bytes",
      ] { #expect(lines.contains { $0.hasPrefix(name) }) }
    }
  }

  @Test func `of many values of a tag those have rows of which least is left`() async throws {
    let stand = try await Stand { $0.accessKey = "root" }
    try await stand.serving { caller in
      try await caller.budget("each", limit: 9, scope: "{\"tag\":{\"user\":\"*\"}}")
      for number in 0..<102 {
        let headers: HTTPFields = [.accessKey: "root", .tags: "user=u\(number)"]
        // The last one spends most.
        let asins = (0..<(number == 101 ? 2 : 1)).map { "B0000\(1_000 + number)\($0)" }
        _ = try await caller.batch(asins, headers: headers)
      }
      let lines = try await caller.get("/metrics", Caller.root).text.split(separator: "\n")
      let free = lines.filter { $0.contains("budget=\"each\"") && $0.contains("term=\"free\"") }
      #expect(free.count == 100)
      #expect(free.contains { $0.contains("dimension_user=\"u101\"") && $0.hasSuffix(" 7") })
      #expect(lines.contains("tollbook_meters_left_out 2"))
    }
  }

  @Test func `requests are counted by pattern, never by path`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      for number in 1...3 { _ = try await caller.get("/keepa/products/1/B00000000\(number)") }
      for number in 1...3 { _ = try await caller.get("/nothing/\(number)") }
      _ = try await caller.get("/health", [.secFetchSite: "cross-site"])
      let text = try await caller.get("/metrics").text
      #expect(
        text.contains(
          "tollbook_requests_total{route=\"/keepa/products/{domain}/{asin}\",method=\"GET\","
            + "status=\"404\"} 3\n"))
      #expect(
        text.contains(
          "tollbook_requests_total{route=\"none\",method=\"GET\",status=\"404\"} 3\n"))
      #expect(
        text.contains(
          "tollbook_requests_total{route=\"/health\",method=\"GET\",status=\"403\"} 1\n"))
    }
  }

  @Test func `the text format escapes labels and cumulates buckets`() {
    var histogram = Histogram(bounds: [0.1, 1])
    for value in [0.05, 0.5, 0.5, 7] { histogram.record(value) }
    var text = PrometheusText()
    text.family("a_total", .counter, "Back\\slash\nline.", [([("x", "q\"\\\n")], 3)])
    text.family("none", .gauge, "Nothing.", [])
    text.histograms("h", "Times.", [([("k", "v")], histogram)])
    #expect(
      text.text == """
        # HELP a_total Back\\\\slash\\nline.
        # TYPE a_total counter
        a_total{x="q\\"\\\\\\n"} 3
        # HELP h Times.
        # TYPE h histogram
        h_bucket{k="v",le="0.1"} 1
        h_bucket{k="v",le="1"} 3
        h_bucket{k="v",le="+Inf"} 4
        h_sum{k="v"} 8.05
        h_count{k="v"} 4

        """)
  }

  /// Prometheus' own checker, where it is installed.
  private static let promtool: URL? = {
    let tool = URL(fileURLWithPath: "/usr/bin/promtool")
    return FileManager.default.isExecutableFile(atPath: tool.path) ? tool : nil
  }()

  /// What `promtool check metrics` says.
  private func promtoolComplaint(_ metrics: [UInt8]) throws -> String {
    let tool = try #require(Self.promtool)
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data(metrics).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = tool
    process.arguments = ["check", "metrics"]
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: said, as: UTF8.self)
      + (process.terminationStatus == 0 ? "" : "(exit \(process.terminationStatus))")
  }
}
