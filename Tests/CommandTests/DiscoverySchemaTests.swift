import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// Answers of discovery, from a process before the simulator, held against the JSON Schema that Tollbook serves, by a
/// validator that is not ours.
@Suite struct DiscoverySchemaTests {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "Clients/validate.py").path

  private struct Case {
    let name: String
    let schema: String
    let answer: String
  }

  /// What the validator says is wrong with each, by name.
  private func faults(_ cases: [Case], in folder: TemporaryFolder) async throws
    -> [String: [String]]
  {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(RealClientTests.python))
    process.arguments = [Self.script]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let input = Pipe()
    let output = Lines()
    let errors = Lines()
    process.standardInput = input
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    var json = JSONWriter()
    json.array(cases) { json, one in
      json.object { json in
        json.field("name", one.name)
        json.rawField("schema", Array(one.schema.utf8))
        json.rawField("answer", Array(one.answer.utf8))
      }
    }
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(json.bytes))
    try input.fileHandleForWriting.close()
    let (text, complaint) = (await output.all(), await errors.all())
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(complaint.suffix(2_000))")
    var found: [String: [String]] = [:]
    for line in text.split(separator: "\n") {
      let row = try JSONDocument(Array(line.utf8)).root
      found[row["name"]?.string ?? ""] = row["errors"]?.array?.compactMap(\.string) ?? ["unread"]
    }
    return found
  }

  private func text(_ value: JSONValue) -> String { String(decoding: value.bytes, as: UTF8.self) }

  @Test(
    .enabled(if: RealClientTests.python != nil, "PyPI could not be reached for jsonschema"))
  func `D07: every answer of discovery is what its schema says, and the schema refuses others`()
    async throws
  {
    let folder = try TemporaryFolder()
    // Enough for a list and for some of its products.
    let keepa = try await Serving(
      ["simulate", "keepa", "--port", "0", "--balance", "70", "--rate", "5"], in: folder)
    let serving = try await Serving(
      [
        "serve", "--simulate", "--port", "0", "--data-dir", "data", "--simulator", keepa.url,
      ], in: folder)
    var cases: [Case] = []
    for path in ["discover", "discover-with-scoring"] {
      let schema = text(try await serving.get("/api/v1/products/\(path)/schema"))
      for (name, body) in [
        (
          "bought",
          "{\"bsr_min\":1,\"bsr_max\":50000,\"price_min\":5,\"price_max\":99.9,\"limit\":3}"
        ),
        (
          "cached",
          "{\"bsr_min\":1,\"bsr_max\":50000,\"price_min\":5,\"price_max\":99.9,\"limit\":3}"
        ),
        ("empty", "{\"category\":987654321,\"price_max\":0.01}"),
        ("partly bought", "{\"bsr_min\":1,\"bsr_max\":50000,\"price_min\":5,\"price_max\":99.9}"),
      ] {
        let answer = try await serving.post("/api/v1/products/\(path)", body)
        cases.append(Case(name: "\(path) \(name)", schema: schema, answer: text(answer)))
      }
      let good = cases[cases.count - 4].answer
      for (name, wrong) in [
        (
          "a hit that was paid for",
          good.replacing("\"cache_hit\":false", with: "\"cache_hit\":true")
        ),
        ("a source nobody knows", good.replacing("\"keepa_api\"", with: "\"magic\"")),
        ("a time of no zone", good.replacing("Z\"", with: "\"")),
        ("a member nobody knows", good.replacing("\"total_count\"", with: "\"total\"")),
      ] {
        cases.append(Case(name: "wrong: \(path), \(name)", schema: schema, answer: wrong))
      }
    }
    let found = try await faults(cases, in: folder)
    #expect(found.count == cases.count)
    for (name, faults) in found {
      #expect(faults.isEmpty == !name.hasPrefix("wrong: "), "\(name): \(faults.prefix(3))")
    }
    // Both kinds of rows were held against it.
    let mixed = cases.first { $0.name == "discover-with-scoring partly bought" }?.answer ?? ""
    #expect(mixed.contains("\"error\":"))
    #expect(mixed.contains("\"velocity_band\":"))
    _ = await serving.end()
    _ = await keepa.end()
  }
}
