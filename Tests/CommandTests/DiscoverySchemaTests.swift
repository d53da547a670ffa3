import JSONText
import Testing
import TollbookTestSupport

/// Answers of discovery, from a process before the simulator, held against the JSON Schema that Tollbook serves, by a
/// validator that is not ours.
@Suite struct DiscoverySchemaTests {
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
    var cases: [SchemaCase] = []
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
        cases.append(SchemaCase(name: "\(path) \(name)", schema: schema, answer: text(answer)))
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
        cases.append(SchemaCase(name: "wrong: \(path), \(name)", schema: schema, answer: wrong))
      }
    }
    try await SchemaCase.check(cases, in: folder)
    // Both kinds of rows were held against it.
    let mixed = cases.first { $0.name == "discover-with-scoring partly bought" }?.answer ?? ""
    #expect(mixed.contains("\"error\":"))
    #expect(mixed.contains("\"velocity_band\":"))
    _ = await serving.end()
    _ = await keepa.end()
  }
}
