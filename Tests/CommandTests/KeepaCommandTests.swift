import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// `tollbook keepa` and the library of the predecessor's names, against a running service.
@Suite struct KeepaCommandTests {
  private let folder: TemporaryFolder
  private let simulated = ["serve", "--simulate", "--port", "0", "--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func write(_ text: String, to name: String) throws {
    try text.write(toFile: "\(folder.path)/\(name)", atomically: true, encoding: .utf8)
  }

  @Test func `a list becomes a table in its order, and what it would cost is told before`()
    async throws
  {
    let serving = try await Serving(simulated, in: folder)
    let asins = (0..<130).map { "B\(100_000_000 + $0)" }
    try write("asin,note\n" + asins.map { "\($0),x\n" }.joined(), to: "asins.csv")
    let cost = try await Binary.run(
      ["keepa", "cost", "--file", "asins.csv", "--url", serving.url], in: folder)
    #expect(cost.output == "0 cached, 130 would be bought for 130 tokens, 130 at most.\n")
    let table = try await Binary.run(
      ["keepa", "batch", "asins.csv", "--url", serving.url], in: folder)
    #expect(table.status == 0, "\(table.errors)")
    let lines = table.output.split(separator: "\r\n")
    #expect(lines.count == 131)
    #expect(lines.dropFirst().map { String($0.prefix(10)) } == asins)
    let again = try await Binary.run(
      ["keepa", "cost", "--file", "asins.csv", "--url", serving.url], in: folder)
    #expect(again.output == "130 cached, 0 would be bought for 0 tokens, 0 at most.\n")
    let wrong = try await Binary.run(
      ["keepa", "cost", "asins.csv", "B200000000", "--url", serving.url], in: folder)
    #expect(
      wrong.output == """
        0 cached, 1 would be bought for 1 token, 1 at most.
        1 is no ASIN, or named before.

        """)
    _ = await serving.end()
  }

  @Test func `a list of more than a thousand is bought as a job, which can be waited for again`()
    async throws
  {
    let serving = try await Serving(simulated, in: folder)
    let asins = (0..<1_100).map { "B\(100_000_000 + $0)" }
    try write(asins.map { "\($0)\n" }.joined(), to: "asins.csv")
    let table = try await Binary.run(
      ["keepa", "batch", "asins.csv", "--url", serving.url], in: folder)
    #expect(table.status == 0, "\(table.errors)")
    let lines = table.output.split(separator: "\r\n")
    #expect(lines.dropFirst().map { String($0.prefix(10)) } == asins)
    #expect(lines.dropFirst().allSatisfy { $0.contains(",cache,") })
    let words = table.errors.split(whereSeparator: { " :".contains($0) })
    let job = try #require(words.firstIndex(of: "Job").map { String(words[$0 + 1]) })
    #expect(table.errors.contains("the others cost about 1,100 tokens"))
    let again = try await Binary.run(
      ["keepa", "batch", "--job", job, "--url", serving.url], in: folder)
    #expect(again.output.split(separator: "\r\n").count == 1_101)
    let none = try await Binary.run(
      ["keepa", "batch", "--job", "99999", "--url", serving.url], in: folder)
    #expect(none.status == 1)
    #expect(none.errors.contains("there is no job 99999"))
    let both = try await Binary.run(["keepa", "batch", "asins.csv", "--job", job], in: folder)
    #expect(both.errors.contains("Name a file, or a job with --job."))
    _ = await serving.end()
  }

  @Test func `without a Tollbook the command says where it looked`() async throws {
    let clock = ContinuousClock()
    let began = clock.now
    let ended = try await Binary.run(
      ["keepa", "cost", "B09T2ZLMHB", "--url", "http://127.0.0.1:9"], in: folder)
    #expect(clock.now - began < .seconds(60), "it is told at once that nobody listens")
    #expect(ended.status == 1)
    #expect(ended.errors.contains("no Tollbook answers at http://127.0.0.1:9"))
  }

  @Test(arguments: [
    "http://127.0.0.1:65536", "http://127.0.0.1:-1", "http://127.0.0.1:abc", "http://[::1",
    "http://me:secret@127.0.0.1:9", "ftp://127.0.0.1", "",
  ])
  func `an address that is none is refused, and no secret in it shown`(url: String) async throws {
    let ended = try await Binary.run(["keepa", "cost", "B09T2ZLMHB", "--url", url], in: folder)
    #expect(ended.status == 1)
    #expect(ended.errors.hasPrefix("Error: "))
    #expect(ended.errors.contains("is no address of a Tollbook, such as http://127.0.0.1:8000"))
    #expect(!ended.errors.contains("secret"))
  }

  @Test func `the predecessor's table moves in, and its library goes on`() async throws {
    let serving = try await Serving(simulated, in: folder)
    let script = """
      import datetime, json, sqlite3, sys
      sys.path.insert(0, sys.argv[1])
      import keepa_cache
      bodies = keepa_cache._ask("/keepa/product?domain=1&asin=B09T2ZLMHB")["products"]
      assert list(keepa_cache.get_cached_products(["B09T2ZLMHB", "B0BSHF7WHW"])) == ["B09T2ZLMHB"]
      base = sqlite3.connect("old.db")
      table = "keepa_products_cache"
      base.execute(f"CREATE TABLE {table} (asin TEXT, domain INT, raw_data TEXT, cached_at TEXT)")
      now = datetime.datetime.now(datetime.timezone.utc).isoformat()
      add = f"INSERT INTO {table} VALUES (?, 1, ?, ?)"
      for asin in ["B0BSHF7WHW", "B07FZ8S74R"]:
          body = json.dumps(dict(bodies[0], asin=asin))
          base.execute(add, (asin, body, "2026-01-01 00:00:00"))
          base.execute(add, (asin, body, now))
      base.execute(add, ("B000000000", "no json", "2026-01-01"))
      base.commit()
      print(keepa_cache.import_cache("old.db"))
      print(sorted(keepa_cache.get_cached_products(["B0BSHF7WHW", "B07FZ8S74R"])))
      print(keepa_cache.save_keepa_product(dict(bodies[0], asin="B000000001")))
      print(keepa_cache.get_cache_stats()["entries"])
      """
    try write(script, to: "try.py")
    let tools = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "tools").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-B", "try.py", tools]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = [
      "TOLLBOOK_URL": serving.url, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "",
    ]
    let (output, errors) = (Lines(), Lines())
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    let (text, complaint) = (await output.all(), await errors.all())
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(complaint)")
    // Those of January are too old to keep, or covered by the young ones.
    #expect(text == "(2, 2)\n['B07FZ8S74R', 'B0BSHF7WHW']\nTrue\n4\n")
    let ledger = try await serving.get("/ledger")
    #expect(ledger["meters"]?[0]?["settled"]?.int64 == 1)
    _ = await serving.end()
  }
}
