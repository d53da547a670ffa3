import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// The real client of Keepa from PyPI, unmodified, against a real Tollbook before the simulator.
@Suite struct RealClientTests {
  /// The Python that has the client, as `tools/test` made it; nil: PyPI could not be reached.
  static let python = ProcessInfo.processInfo.environment["TOLLBOOK_CLIENTS_PYTHON"]
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "Clients/keepa_calls.py").path

  private struct Call {
    let name: String
    let tokens: Int64
    let statuses: [Int64]
    let value: String
  }

  /// - Parameter authority: the file of whom to trust; nil: the usual ones.
  private func calls(
    _ mode: String, of base: String, trusting authority: String? = nil, in folder: TemporaryFolder
  ) async throws -> [Call] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.python))
    process.arguments = [Self.script, base, mode]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    var environment = [
      "TMPDIR": folder.path, "HOME": folder.path, "PYTHONWARNINGS": "ignore",
    ]
    environment["REQUESTS_CA_BUNDLE"] = authority
    environment["SSL_CERT_FILE"] = authority
    process.environment = environment
    let output = Lines()
    let errors = Lines()
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    let (text, complaint) = (await output.all(), await errors.all())
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(complaint.suffix(2_000))")
    return try text.split(separator: "\n").map { line in
      let call = try JSONDocument(Array(line.utf8)).root
      return Call(
        name: call["call"]?.string ?? "", tokens: call["tokens"]?.int64 ?? -1,
        statuses: call["statuses"]?.array?.compactMap(\.int64) ?? [],
        value: call["value"].map { String(decoding: $0.bytes, as: UTF8.self) } ?? "")
    }
  }

  @Test(
    .enabled(if: RealClientTests.python != nil, "PyPI could not be reached for the client keepa"),
    arguments: ["sync", "async"])
  func `every call of the client succeeds twice, and the second time costs nothing`(
    mode: String
  ) async throws {
    let folder = try TemporaryFolder()
    let keepa = try await Serving(
      ["simulate", "keepa", "--port", "0", "--balance", "3000", "--rate", "100"], in: folder)
    let serving = try await Serving(
      [
        "serve", "--simulate", "--port", "0", "--data-dir", "data", "--simulator", keepa.url,
      ], in: folder)
    check(try await calls(mode, of: "\(serving.url)/keepa", in: folder))
    let ledger = try await serving.get("/ledger")
    #expect(ledger["meters"]?[0]?["residual"]?.int64 == 0)
    #expect(ledger["meters"]?[0]?["unexplained"]?.int64 == 0)
    _ = await serving.end()
    _ = await keepa.end()
  }

  @Test(
    .enabled(if: RealClientTests.python != nil, "PyPI could not be reached for the client keepa"),
    arguments: ["sync", "async"])
  func `the client finds Keepa in Tollbook under Keepa's own name, no line of it changed`(
    mode: String
  ) async throws {
    let folder = try TemporaryFolder()
    let keepa = try await Serving(
      ["simulate", "keepa", "--port", "0", "--balance", "3000", "--rate", "100"], in: folder)
    let made = try await Binary.run(["tls", "init", "--dir", "certificates"], in: folder)
    #expect(made.status == 0, "\(made.errors)")
    let serving = try await Serving(
      [
        "serve", "--simulate", "--port", "0", "--tls", "--tls-port", "0", "--data-dir", "data",
        "--simulator", keepa.url,
      ], in: folder, environment: ["TOLLBOOK_TLS_DIR": "certificates"])
    let place = try #require(serving.secureURL).replacing("https://", with: "tls://")
    check(
      try await calls(
        mode, of: place, trusting: "\(folder.path)/certificates/ca.pem", in: folder))
    _ = await serving.end()
    _ = await keepa.end()
  }

  /// Each call succeeded in both turns, and cost nothing in the second.
  private func check(_ all: [Call]) {
    let first = all.filter { $0.name.hasPrefix("first: ") }
    let second = all.filter { $0.name.hasPrefix("second: ") }
    #expect(first.count == 19)
    #expect(second.count == first.count)
    for (one, other) in zip(first, second) {
      #expect(one.statuses == [200], "\(one.name)")
      #expect(other.tokens == 0, "\(other.name)")
      #expect(one.value == other.value, "\(one.name)")
      #expect(!one.value.contains("false"), "\(one.name): \(one.value)")
    }
    #expect(first.reduce(0) { $0 + $1.tokens } > 50)
  }
}
