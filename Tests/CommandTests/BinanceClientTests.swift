import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// The real client of Binance from PyPI, unmodified, against a real Tollbook before the simulator.
@Suite struct BinanceClientTests {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "Clients/ccxt_calls.py").path

  /// The folder of the client, as `tools/test` filled it, beside the Python that reads it.
  private static func library() throws -> String {
    let python = try #require(RealClientTests.python)
    return URL(fileURLWithPath: python).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "ccxt-4").path
  }

  @Test(
    .enabled(if: RealClientTests.python != nil, "PyPI could not be reached for the client ccxt"),
    arguments: ["sync", "async"])
  func `every call of the client gets what Binance would answer, and is paid once`(
    mode: String
  ) async throws {
    let folder = try TemporaryFolder()
    let binance = try await Serving(["simulate", "binance", "--port", "0"], in: folder)
    let direct = try await Serving(
      ["simulate", "binance", "--port", "0", "--weight-limit", "1000000"], in: folder)
    let serving = try await Serving(
      [
        "serve", "--simulate", "--port", "0", "--data-dir", "data", "--binance-simulator",
        binance.url,
      ], in: folder)
    let calls = try await calls([serving.url, direct.url, binance.url, mode], in: folder)
    #expect(calls.count == 36)
    for call in calls {
      #expect(call["ok"]?.bool == true, "\(String(decoding: call.bytes, as: UTF8.self))")
    }
    let charges = Dictionary(
      uniqueKeysWithValues: calls.map { ($0["call"]?.string ?? "", $0["charge"]?.string) })
    #expect(charges["first: fetch_ohlcv of 1,000 hours"] == "3", "one call, and the clock")
    for free in [
      "first: fetch_ohlcv within them", "second: fetch_ohlcv of 1,000 hours",
      "second: fetch_ohlcv within them", "in the ban, what is known",
    ] { #expect(charges[free] == "0", "\(free)") }
    let bans = calls.filter { $0["call"]?.string?.hasSuffix(" ban") == true }
    #expect(bans.count == 2)
    for ban in bans {
      let seconds = try #require(ban["retry_after"]?.string.flatMap(Int.init))
      #expect((100...121).contains(seconds))
    }
    try await checkBooks(serving, binance)
    _ = await serving.end()
    _ = await direct.end()
    _ = await binance.end()
  }

  /// What the client printed, a line for each call.
  private func calls(
    _ arguments: [String], in folder: TemporaryFolder
  ) async throws -> [JSONValue] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(RealClientTests.python))
    process.arguments = [Self.script] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = [
      "HOME": folder.path, "TMPDIR": folder.path, "PYTHONWARNINGS": "ignore",
      "PYTHONPATH": try Self.library(),
    ]
    let (output, errors) = (Lines(), Lines())
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    let (text, complaint) = (await output.all(), await errors.all())
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(complaint.suffix(2_000))")
    return try text.split(separator: "\n").map { try JSONDocument(Array($0.utf8)).root }
  }

  /// For each of the exchange's paths the audit tells the calls and the weight that the exchange counted.
  private func checkBooks(_ serving: Serving, _ binance: Serving) async throws {
    let address = try #require(URL(string: "\(binance.url)/_simulator/books"))
    let books = try JSONDocument(Data(contentsOf: address).map(\.self)).root
    let audit = try await serving.get("/audit?by=operation")
    let groups = try #require(audit["groups"]?.array)
    let endpoints = Array(try #require(books["by_endpoint"]?.members))
    #expect(groups.count == endpoints.count)
    for endpoint in endpoints {
      let operation = "binance.\(endpoint.name.replacing("/", with: "."))"
      let group = try #require(groups.first { $0["group"]?.string == operation }, "\(operation)")
      let amount = try #require(group["amounts"]?.array?.first { $0["unit"]?.string == "weight" })
      let weight = endpoint.value["weight"]?.int64 ?? -1
      // What the failed call has cost nobody knows before its minute is over.
      #expect((amount["low"]?.int64 ?? -1) <= weight, "\(operation)")
      #expect((amount["high"]?.int64 ?? -1) >= weight, "\(operation)")
      #expect(group["calls"]?.int64 == endpoint.value["calls"]?.int64, "\(operation)")
    }
    for meter in try #require(try await serving.get("/ledger")["meters"]?.array) {
      #expect(meter["residual"]?.int64 == 0)
      #expect(meter["unexplained"]?.int64 == 0)
    }
  }
}
