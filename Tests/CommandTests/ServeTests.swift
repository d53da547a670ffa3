import Foundation
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite struct ServeTests {
  private let folder: TemporaryFolder
  private let simulated = ["serve", "--simulate", "--port", "0", "--data-dir", "data"]
  private let asins = ["B09T2ZLMHB", "B0BSHF7WHW", "B07FZ8S74R"]

  init() throws { folder = try TemporaryFolder() }

  private func events(_ arguments: [String] = []) async throws -> Ended {
    try await Binary.run(["events", "--data-dir", "data"] + arguments, in: folder)
  }

  @Test func `K16: SIGTERM writes the tallies, ends with 0, and the next start goes on`()
    async throws
  {
    let first = try await Serving(simulated, in: folder)
    let bought = try await first.batch(asins)
    let cached = try await first.batch(asins)
    let ended = await first.end()

    #expect(bought["stats"]?["tokens_used"]?.int64 == 3)
    #expect(cached["stats"]?["cache_hits"]?.int64 == 3)
    #expect(ended.status == 0)
    let tallies = try await events(["--type", "ReadsTallied"])
    #expect(tallies.output.contains("3 reads answered from the cache"))
    let second = try await Serving(simulated, in: folder)
    let again = try await second.batch(asins)
    let more = try await second.batch(["B000000001"])
    let ledger = try await second.get("/ledger")
    #expect(again["stats"]?["cache_hits"]?.int64 == 3)
    #expect(more["stats"]?["tokens_used"]?.int64 == 1)
    #expect(ledger["meters"]?[0]?["settled"]?.int64 == 4)
    #expect(ledger["meters"]?[0]?["residual"]?.int64 == 0)
    #expect(ledger["meters"]?[0]?["unexplained"]?.int64 == 0)
    #expect(await second.end(SIGINT).status == 0)
  }

  @Test(arguments: [([:], "7d"), (["TOLLBOOK_PRODUCT_FRESH": "12h"], "12h")])
  func `the start says how long a product counts as fresh, and how to change that`(
    _ environment: [String: String], _ fresh: String
  ) async throws {
    let serving = try await Serving(simulated, in: folder, environment: environment)
    #expect(
      serving.greeting.contains(
        "\nA product counts as fresh for \(fresh) here and for 1h at Keepa; TOLLBOOK_PRODUCT_FRESH"
          + " changes that, and update= in a request.\n"))
    _ = await serving.end()
  }

  @Test func `SIGTERM sends no further call: what is out is bought, the rest is answered stopping`()
    async throws
  {
    let keepa = try await Serving(
      [
        "simulate", "keepa", "--port", "0", "--balance", "5000", "--rate", "100",
        "--latency-ms", "1500",
      ], in: folder)
    let serving = try await Serving(simulated + ["--simulator", keepa.url], in: folder)
    let asins = (0..<1_000).map { "B\(100_000_000 + $0)" }
    let batch = Task { try await serving.batch(asins) }
    var reserved: Int64 = 0
    while reserved == 0 {
      reserved = try await serving.get("/ledger")["meters"]?[0]?["reserved"]?.int64 ?? 0
    }
    let ended = await serving.end()
    let answer = try await batch.value
    #expect(ended.status == 0)
    #expect(answer["stats"]?["api_fetches"]?.int64 == 400)
    #expect(answer["stats"]?["failed"]?.int64 == 600)
    #expect(answer["results"]?[999]?["error"]?["reason"]?.string == "stopping")
    let starts = try await events(["--type", "FetchStarted"])
    #expect(starts.output.split(separator: "\n").count { $0.contains("buys 100") } == 4)
    let verified = try await Binary.run(["verify", "--data-dir", "data"], in: folder)
    #expect(verified.status == 0)
    _ = await keepa.end()
  }

  @Test func `the end of the terminal is an end like any other`() async throws {
    let serving = try await Serving(simulated, in: folder)
    for _ in 1...2 { _ = try await serving.batch(asins) }
    #expect(await serving.end(SIGHUP).status == 0)
    let tallies = try await events(["--type", "ReadsTallied"])
    #expect(tallies.output.contains("3 reads answered from the cache"))
    let simulator = try await Serving(["simulate", "keepa", "--port", "0"], in: folder)
    #expect(await simulator.end(SIGHUP).status == 0)
  }

  @Test func `under a limit for files the reserve stays, and refusals name the storage`()
    async throws
  {
    // The reserve, and little more than what an empty log takes.
    let limit = (64 << 20) + (1 << 20)
    var bought: Int64 = 0
    // The next start is no worse off.
    for _ in 0..<2 {
      let serving = try await Serving(simulated, in: folder, fileLimit: limit)
      var refusal: JSONValue?
      while refusal == nil, bought < 1_000 {
        let asins = (bought..<bought + 20).map { "B\(100_000_000 + $0)" }
        let answer = try await serving.batch(asins)
        if answer["type"] == nil { bought += 20 } else { refusal = answer }
      }
      #expect(bought >= 20)
      #expect(refusal?["type"]?.string == "/problems/read-only")
      let health = try await serving.get("/health")
      #expect(health["status"]?.string == "read_only")
      #expect(health["reasons"]?[0]?["detail"]?.string?.contains("(ulimit -f)") == true)
      let meter = try await serving.get("/ledger")["meters"]?[0]
      #expect(meter?["settled"]?.int64 == bought)
      #expect(meter?["in_doubt"]?.int64 == 0 && meter?["reserved"]?.int64 == 0)
      #expect(await serving.says("read-only, nothing is bought: "))
      #expect(await serving.end().status == 0)
    }
  }

  @Test func `the greeting says where it is, and everything simulated says so`() async throws {
    let serving = try await Serving(simulated, in: folder)

    #expect(serving.greeting.hasPrefix("Tollbook is ready at http://127.0.0.1:"))
    #expect(serving.greeting.contains("Keepa, Binance and eBay are simulated; nothing is spent."))
    #expect(try await serving.get("/health")["simulated"]?.bool == true)
    let ended = await serving.end()
    for word in ["mode=simulated", "data_dir=data", "position=", "[tollbook] serving", "stopped"] {
      #expect(ended.errors.contains(word), "\(word)")
    }
  }

  @Test func `a log that is dated later than now is told at the start`() async throws {
    let ahead = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
      .advanced(byMilliseconds: 10 * 365 * 86_400_000)
    do {
      let log = try folder.openLog(folds: allFolds, time: ManualTime(ahead).source)
      try await log.append([.serviceStarted(ServiceStarted())])
      log.close()
    }
    let serving = try await Serving(simulated, in: folder)
    let bought = try await serving.batch(asins)
    #expect(bought["stats"]?["tokens_used"]?.int64 == 3)
    let usage = try await Binary.run(["usage", "--data-dir", "data"], in: folder)
    #expect(usage.output.contains("3 spent"), "\(usage.output)")
    let ended = await serving.end()
    #expect(ended.errors.contains("Degraded: events from position 1 on are dated up to"))
  }

  @Test func `without a key the cache is served, and it says so`() async throws {
    let serving = try await Serving(["serve", "--port", "0"], in: folder)

    #expect(serving.greeting.contains("No key for Keepa is set (KEEPA_API_KEY)"))
    let answer = try await serving.batch([asins[0]])
    #expect(answer["results"]?[0]?["error"]?["reason"]?.string == "upstream_not_configured")
    #expect(await serving.end().status == 0)
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/tollbook-data/data.mdb"))
  }

  @Test(arguments: [8, 16, 32, 63])
  func `too few descriptors are named, and nothing is touched`(_ count: Int) async throws {
    let process = Binary.process(simulated, in: folder.path, environment: [:])
    let tool = try #require(process.executableURL?.path)
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "ulimit -n \(count); exec \"$0\" \"$@\"", tool] + simulated
    let errors = Lines()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors.pipe
    try process.run()
    let said = await errors.all()
    process.waitUntilExit()

    #expect(process.terminationStatus == 1)
    #expect(
      said == "Error: Tollbook may open \(count) files at once (ulimit -n); it needs 64, and one"
        + " more for each connection.\n")
    #expect(try folder.contents().isEmpty)
  }

  @Test func `a port in use is named, and nothing is touched`() async throws {
    let serving = try await Serving(simulated, in: folder)

    let other = try await Binary.run(
      ["serve", "--simulate", "--port", serving.port, "--data-dir", "other"], in: folder)

    #expect(other.status == 1)
    #expect(
      other.errors
        == "Error: 127.0.0.1:\(serving.port) is in use by another program. Stop that one, or choose"
        + " another port with --port.\n")
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/other"))
    #expect(await serving.end().status == 0)
  }

  @Test func `a directory in use is refused, whoever asks`() async throws {
    let serving = try await Serving(simulated, in: folder)

    for command in [["serve", "--simulate", "--port", "0"]] {
      let other = try await Binary.run(command + ["--data-dir", "data"], in: folder)
      #expect(other.status == 1)
      #expect(other.errors.contains("data is in use by another tollbook"))
      #expect(!other.errors.contains("Fatal"))
    }

    #expect(try await serving.get("/health")["status"]?.string == "ok")
    #expect(await serving.end().status == 0)
  }

  @Test func `a directory of the other mode, of others, or of the future is left as it is`()
    async throws
  {
    #expect(try await Serving(simulated, in: folder).end().status == 0)
    for name in ["others", "future"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    try Data("mine".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/others/diary.txt"))
    try Data("tollbook format 999 real\n".utf8).write(
      to: URL(fileURLWithPath: "\(folder.path)/future/tollbook.format"))
    let before = try folder.contents()

    for (name, word) in [
      ("data", "holds simulated data"), ("others", "not tollbook's"), ("future", "format 999"),
    ] {
      let ended = try await Binary.run(["serve", "--port", "0", "--data-dir", name], in: folder)
      #expect(ended.status == 1)
      #expect(ended.errors.hasPrefix("Error: "))
      #expect(ended.errors.contains(word), "\(ended.errors)")
    }

    #expect(try folder.contents() == before)
  }

  @Test func `an access key opens what is not on this machine alone`() async throws {
    let serving = try await Serving(
      simulated + ["--host", "0.0.0.0"], in: folder,
      environment: ["TOLLBOOK_ACCESS_KEY": "sesame"])

    #expect(serving.greeting.contains("Authorization: Bearer $TOLLBOOK_ACCESS_KEY"))
    #expect(serving.url.hasPrefix("http://127.0.0.1:"))
    #expect(try await serving.get("/health")["status"]?.string == "ok")
    #expect(try await serving.get("/ledger")["status"]?.int64 == 401)
    let ended = await serving.end()
    #expect(ended.status == 0)
    #expect(!(ended.output + ended.errors).contains("sesame"))
  }
}
