import Foundation
import GRDB
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// `tollbook import keepa-cache`: a table of SQLite, or a folder, with and without a Tollbook that runs.
@Suite struct KeepaCacheImportTests {
  private let folder: TemporaryFolder
  private let asins = ["B09T2ZLMHB", "B0BSHF7WHW", "B07FZ8S74R"]
  private let hourAgo = TimeSource.system.now().advanced(byMilliseconds: -3_600_000)

  init() throws { folder = try TemporaryFolder() }

  private func body(_ asin: String, domain: Int? = nil) -> String {
    let own = domain.map { ",\"domainId\":\($0)" } ?? ""
    return "{\"asin\":\"\(asin)\",\"title\":\"A thing\",\"csv\":[null,[1,2]]\(own)}"
  }

  /// Makes the predecessor's table. Each row has what is given of `asin`, `domain`, `raw_data` and `cached_at`.
  private func table(
    _ rows: [[(any DatabaseValueConvertible)?]], as name: String = "old.db",
    journal: String = "DELETE"
  ) throws {
    let base = try DatabaseQueue(path: "\(folder.path)/\(name)")
    try base.writeWithoutTransaction { base in
      try base.execute(sql: "PRAGMA journal_mode = \(journal)")
      try base.execute(
        sql: """
          CREATE TABLE keepa_products_cache (
            asin TEXT PRIMARY KEY, domain INTEGER, raw_data TEXT, cached_at TIMESTAMP)
          """)
      for row in rows {
        try base.execute(
          sql: "INSERT INTO keepa_products_cache VALUES (?, ?, ?, ?)", arguments: .init(row))
      }
    }
    try base.close()
  }

  private func bring(_ arguments: String...) async throws -> Ended {
    try await Binary.run(
      ["import", "keepa-cache"] + arguments + ["--data-dir", "data", "--simulate"], in: folder)
  }

  /// The rows of the table that is shown: how many, what of them, and which.
  private func counts(_ ended: Ended) -> [String: (count: String, which: String)] {
    let rows = ended.lines.map { line in
      line.split(separator: #/\u{20}{2,}/#).map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let found = rows.filter { $0.count >= 2 }.map { row in
      (row[1], (count: row[0], which: row.count > 2 ? row[2] : ""))
    }
    return Dictionary(found, uniquingKeysWith: { first, _ in first })
  }

  private func events() async throws -> Int {
    try await Binary.run(["events", "--data-dir", "data"], in: folder).lines.count
  }

  @Test
  func `K06, K20: a table comes in at no cost, before the first start, and again nothing does`()
    async throws
  {
    let fiveDaysAgo = hourAgo.advanced(byMilliseconds: -5 * 86_400_000)
    try table(
      asins.map { [$0, 1, body($0), fiveDaysAgo.description] }, journal: "WAL")
    let before = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/old.db"))
    let trial = try await bring("old.db", "--dry-run")
    #expect(trial.status == 0, "\(trial.errors)")
    #expect(counts(trial)["would come in at no cost"]?.count == "3")
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/data"))
    let ended = try await bring("old.db")
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(
      ended.lines.first == "old.db: keepa_products_cache, bodies in raw_data, times in cached_at")
    #expect(counts(ended)["came in at no cost"]?.count == "3")
    #expect(counts(ended)["in all"]?.count == "3")
    let events = try await events()
    for arguments in [["old.db"], ["old.db", "--dry-run"]] {
      let again = try await Binary.run(
        ["import", "keepa-cache"] + arguments + ["--data-dir", "data"], in: folder)
      #expect(counts(again)["left out: the cache has one that is as young"]?.count == "3")
    }
    #expect(try await self.events() == events)
    // The file is as it was, and nothing stands beside it.
    #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/old.db")) == before)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.filter { $0.hasPrefix("old.db") } == ["old.db"])

    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", "data"], in: folder)
    let answer = try await serving.batch(asins)
    #expect(answer["stats"]?["cache_hits"]?.int64 == 3)
    #expect(answer["stats"]?["tokens_used"]?.int64 == 0)
    #expect(answer["results"]?[0]?["fetched_at"]?.string == fiveDaysAgo.description)
    #expect(await serving.end().status == 0)
    #expect(try await Binary.run(["verify", "--data-dir", "data"], in: folder).status == 0)
  }

  @Test
  func
    `where Tollbook runs it is asked, and rows that only the log beside the file holds come too`()
    async throws
  {
    try table([[asins[0], 1, body(asins[0]), hourAgo.milliseconds / 1_000]], journal: "WAL")
    // Another program has the file open, and its last row is not in the file yet.
    let writer = try DatabaseQueue(path: "\(folder.path)/old.db")
    try await writer.write { [asins, hourAgo] base in
      try base.execute(
        sql: "INSERT INTO keepa_products_cache VALUES (?, 3, ?, ?)",
        arguments: [
          asins[1], "{\"timestamp\":1,\"products\":[{\"asin\":\"\(asins[1])\"}]}",
          hourAgo.milliseconds,
        ])
    }
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", "data"], in: folder)
    let trial = try await bring("old.db", "--dry-run")
    #expect(counts(trial)["would come in at no cost"]?.count == "2", "\(trial.errors)")
    #expect(try await serving.get("/cache/stats")["data"]?["cache_stats"]?["entries"]?.int64 == 0)
    let ended = try await bring("old.db")
    #expect(counts(ended)["came in at no cost"]?.count == "2", "\(ended.errors)")
    #expect(
      try await serving.get("/keepa/products/3/\(asins[1])")["asin"]?.string == asins[1])
    #expect(
      counts(try await bring("old.db"))["left out: the cache has one that is as young"]?.count
        == "2")
    let ledger = try await serving.get("/ledger")
    #expect(ledger["meters"]?[0]?["settled"]?.int64 == 0)
    try writer.close()
    #expect(await serving.end().status == 0)
  }

  @Test func `rows that are of no use are named and left out, and the others come in`() async throws
  {
    let now = hourAgo.description
    try table([
      [asins[0], 1, body(asins[0]), now],
      ["B000000001", 1, "{\"asin\":", now],
      ["B000000002", 1, body("B000000003"), now],
      ["B000000004", 1, body("B000000004"), "2999-01-01 00:00:00"],
      ["B000000005", 1, body("B000000005"), "last week"],
      ["B000000006", 7, body("B000000006"), now],
      ["B000000007", 3, body("B000000007", domain: 1), now],
      ["B000000008", 1, nil, now],
      ["B000000009", 1, "[]", now],
      ["B00000000A", 1, body("B00000000A"), "2001-01-01"],
      ["B00000000B\u{1B}[2J", 1, "null", now],
      [asins[1].lowercased(), nil, body(asins[1], domain: 2), now],
    ])
    let ended = try await bring("old.db")
    #expect(ended.status == 0, "\(ended.errors)")
    let counts = counts(ended)
    #expect(counts["came in at no cost"]?.count == "2")
    #expect(counts["in all"]?.count == "12")
    let expected = [
      ("the body is not JSON", "1", "row B000000001 (the text ends too early, at byte 8)"),
      ("the body is of another ASIN", "1", "row B000000002 (it is of B000000003)"),
      ("it was bought in the future", "1", "row B000000004 (2999-01-01T00:00:00.000Z)"),
      ("nothing tells when it was bought", "1", "row B000000005 (it has “last week”)"),
      ("Keepa has no such marketplace", "1", "row B000000006 (7)"),
      ("the body is of another marketplace", "1", "row B000000007 (3, and the body says 1)"),
      (
        "the body is no product", "3",
        "row B000000008, row B000000009, row B00000000B [2J"
      ), ("it is older than is kept", "1", ""),
    ]
    for (reason, count, which) in expected {
      #expect(counts["left out: \(reason)"]?.count == count, "\(reason)")
      #expect(counts["left out: \(reason)"]?.which == which, "\(reason)")
    }
    #expect(!ended.output.contains("\u{1B}"))
    let keys = try await Binary.run(
      ["events", "--type", "CacheWritten", "--data-dir", "data"], in: folder)
    #expect(keys.output.contains("1/\(asins[0])"))
    #expect(keys.output.contains("2/\(asins[1])"))
  }

  @Test func `a body of 100 MB is left out by name, in a table and in a folder`() async throws {
    let long =
      body("B000000001").dropLast() + ",\"x\":\"" + String(repeating: "x", count: 100 << 20)
      + "\"}"
    try table([
      ["B000000001", 1, String(long), hourAgo.description],
      [asins[0], 1, body(asins[0]), hourAgo.description],
    ])
    let ended = try await bring("old.db")
    #expect(counts(ended)["came in at no cost"]?.count == "1", "\(ended.errors)")
    #expect(
      counts(ended)["left out: the body is too long"]?.which
        == "row B000000001 (\(long.utf8.count / 1_000_000),857,\(long.utf8.count % 1_000) bytes)")
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/bodies", withIntermediateDirectories: true)
    try long.write(toFile: "\(folder.path)/bodies/a.json", atomically: true, encoding: .utf8)
    let other = try await bring("bodies")
    #expect(counts(other)["left out: the body is too long"]?.count == "1", "\(other.errors)")
    #expect(counts(other)["came in at no cost"]?.count == "0")
  }

  @Test func `a folder of bodies and answers comes in, with the times of answers or files`()
    async throws
  {
    let bodies = "\(folder.path)/bodies/deep"
    try FileManager.default.createDirectory(atPath: bodies, withIntermediateDirectories: true)
    func write(_ text: String, _ name: String) throws {
      try text.write(toFile: "\(bodies)/\(name)", atomically: true, encoding: .utf8)
    }
    let older = hourAgo.advanced(byMilliseconds: -60_000)
    try write(
      "{\"timestamp\":\(older.milliseconds),\"products\":[\(body(asins[0])),\(body(asins[1]))]}",
      "1.json")
    try write(
      "{\"timestamp\":\(hourAgo.milliseconds),\"products\":[\(body(asins[0])),{\"title\":1}]}",
      "2.json")
    try write(body(asins[2], domain: 3), "3.json")
    try write("no JSON", "4.json")
    try write("{\"products\":[]}", "5.json")
    try write(body("B000000001"), "6.txt")
    let ended = try await bring("bodies")
    let counts = counts(ended)
    #expect(ended.lines.first == "bodies: 5 files")
    #expect(counts["came in at no cost"]?.count == "3", "\(ended.errors)")
    #expect(
      counts["left out: one that is as young stands before it"]?.count == nil,
      "the younger one came after")
    #expect(counts["left out: an older one, of which a younger one came"]?.which == asins[0])
    #expect(counts["left out: the body is no product"]?.which == "deep/2.json, deep/5.json")
    #expect(
      counts["left out: the body is not JSON"]?.which
        == "deep/4.json (a value is expected, at byte 0)")
    #expect(counts["in all"]?.count == "7")
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", "data"], in: folder)
    let answer = try await serving.batch([asins[0], asins[1]])
    #expect(answer["results"]?[0]?["fetched_at"]?.string == hourAgo.description)
    #expect(answer["results"]?[1]?["fetched_at"]?.string == older.description)
    #expect(try await serving.get("/keepa/products/3/\(asins[2])")["asin"]?.string == asins[2])
    #expect(await serving.end().status == 0)
  }

  @Test func `more than a request takes come in, of several marketplaces`() async throws {
    try table(
      (0..<450).map { number in
        let asin = "B\(100_000_000 + number)"
        return [asin, number % 2 == 0 ? 1 : 3, body(asin), hourAgo.description]
      })
    let ended = try await bring("old.db")
    #expect(counts(ended)["came in at no cost"]?.count == "450", "\(ended.errors)")
    #expect(
      counts(try await bring("old.db"))["left out: the cache has one that is as young"]?.count
        == "450")
  }

  @Test func `what cannot be moved in is refused by name, and no data directory is made`()
    async throws
  {
    let path = folder.path
    try table((0..<400).map { ["B\(100_000_000 + $0)", 1, body(asins[0]), 1] }, as: "whole.db")
    let whole = try Data(contentsOf: URL(fileURLWithPath: "\(path)/whole.db"))
    try whole.prefix(whole.count / 2 / 4_096 * 4_096).write(
      to: URL(fileURLWithPath: "\(path)/cut.db"))
    try Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 167 ^ $0 >> 3) }).write(
      to: URL(fileURLWithPath: "\(path)/encrypted.db"))
    try Data().write(to: URL(fileURLWithPath: "\(path)/empty.db"))
    for (name, sql) in [
      ("tableless.db", "CREATE TABLE other (a)"),
      ("bodiless.db", "CREATE TABLE keepa_products_cache (asin, cached_at, price)"),
      ("timeless.db", "CREATE TABLE keepa_products_cache (asin, raw_data)"),
      (
        "rowless.db",
        "CREATE TABLE keepa_products_cache (asin PRIMARY KEY, raw_data, cached_at) WITHOUT ROWID"
      ),
    ] {
      let base = try DatabaseQueue(path: "\(path)/\(name)")
      try await base.write { try $0.execute(sql: sql) }
      try base.close()
    }
    try FileManager.default.createDirectory(
      atPath: "\(path)/none", withIntermediateDirectories: true)
    try "x".write(toFile: "\(path)/none/a.txt", atomically: true, encoding: .utf8)
    let refusals = [
      ("nothing.db", "nothing.db is not there."),
      ("cut.db", "cut.db is damaged or cut off (SQLite says: database disk image is malformed)."),
      ("encrypted.db", "encrypted.db is no file of SQLite, or it is encrypted."),
      ("empty.db", "empty.db has no table keepa_products_cache; it has none."),
      ("tableless.db", "tableless.db has no table keepa_products_cache; it has other."),
      ("bodiless.db", "has no column for the bodies: none of raw_data, raw_keepa_data"),
      ("bodiless.db", "It has asin, cached_at, price."),
      ("timeless.db", "has no column for the times: none of fetched_at"),
      ("rowless.db", "was made WITHOUT ROWID"),
      ("none", "none has no file of a body: none below it ends in .json."),
      ("/dev/null", "/dev/null is neither a file nor a folder."),
    ]
    for (file, sentence) in refusals {
      let ended = try await bring(file)
      #expect(ended.status == 1, "\(file)")
      #expect(ended.errors.contains(sentence), "\(file): \(ended.errors)")
      #expect(ended.output.isEmpty, "\(file)")
    }
    let domain = try await bring("whole.db", "--domain", "7")
    #expect(domain.status == 2)
    #expect(domain.errors.contains("--domain is one of 1 (com), 2 (co.uk)"))
    #expect(!FileManager.default.fileExists(atPath: "\(path)/data"))
  }

  @Test func `a file that is damaged further in: what stands before comes in, and the end is told`()
    async throws
  {
    try table(
      (0..<2_000).map { number in
        let asin = "B\(100_000_000 + number)"
        return [asin, 1, body(asin), hourAgo.description]
      })
    let place = URL(fileURLWithPath: "\(folder.path)/old.db")
    var bytes = try Data(contentsOf: place)
    bytes.replaceSubrange(
      bytes.count * 3 / 4..<bytes.count * 7 / 8,
      with: Data(count: bytes.count * 7 / 8 - bytes.count * 3 / 4))
    try bytes.write(to: place)
    let ended = try await bring("old.db")
    #expect(ended.status == 1)
    #expect(ended.errors.contains("old.db is damaged or cut off"), "\(ended.errors)")
    let count = counts(ended)["came in at no cost"].flatMap {
      Int($0.count.filter { $0 != "," })
    }
    #expect(try #require(count) > 100)
    #expect(try await Binary.run(["verify", "--data-dir", "data"], in: folder).status == 0)
  }
}
