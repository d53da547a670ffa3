import Foundation
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite struct AuditCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> Ended {
    try await Binary.run(arguments + place, in: folder, environment: environment)
  }

  /// A directory in which three products were bought and two of them read again.
  private func fill() async throws {
    let serving = try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB", "B0BSHF7WHW"])
    _ = try await serving.batch(["B09T2ZLMHB", "B0BSHF7WHW", "B07FZ8S74R"])
    // A proper end writes the counts of reads down.
    #expect(await serving.end().status == 0)
  }

  @Test func `an audit tells what was spent, avoided and wasted, to people and to programs`()
    async throws
  {
    try await fill()
    let table = try await run(["audit"])
    #expect(table.status == 0, "\(table.errors)")
    #expect(table.output.contains("Audit of "))
    #expect(table.output.contains("served"))
    #expect(table.output.contains("all explained"))
    #expect(table.output.contains("Every charge was what the price list says."))
    #expect(!table.output.contains("\u{1B}["), "a pipe gets no colours")
    #expect(!table.output.contains("█"), "a pipe gets no bars")
    #expect(table.errors.isEmpty, "no progress where no terminal is")

    let json = try JSONDocument(
      Array(try await run(["audit", "--format", "json", "--by", "resource"]).output.utf8)
    ).root
    let amounts = json["total"]?["amounts"]?.array?.first
    #expect(amounts?["unit"]?.string == "tokens")
    #expect(amounts?["certain"]?.int64 == 3)
    #expect(amounts?["avoided"]?.int64 == 2)
    #expect(json["groups"]?.array?.count == 3)
    #expect(json["waste"]?.array?.first?["served"]?.int64 == 3)

    let csv = try await run(["audit", "--format", "csv", "--by", "operation"])
    #expect(csv.lines.count == 2)
    #expect(csv.lines.first?.hasPrefix("operation,unit,low,high,certain,") == true)
    #expect(csv.lines.last?.hasPrefix("keepa.product,tokens,3,3,3,0,0,3,2,2,0,3,2,0,0,3,") == true)

    let filtered = try await run(["audit", "--account", "nobody", "--format", "csv"])
    #expect(filtered.lines.count == 1)
  }

  @Test(arguments: [10, 3_653])
  func `a clock that was ahead puts only what it dated under its day`(days: Int64) async throws {
    let now = TimeSource.system.now()
    let time = ManualTime(now.advanced(byMilliseconds: days * 86_400_000))
    let log = try folder.openLog(folds: allFolds, time: time.source)
    try await log.append(SharedCall(from: 1, at: time.now).events)
    let future = String("\(time.now)".prefix(10))
    var expected: [String] = []
    for hours in [-47, -23] as [Int64] {
      time.setWallClock(to: now.advanced(byMilliseconds: hours * 3_600_000))
      let before = log.head + 1 - SharedCall.count
      try await log.append(SharedCall(from: log.head + 1, at: time.now, after: before).events)
      expected.append(String("\(time.now)".prefix(10)))
    }
    log.close()
    expected.append(future)
    let csv = try await run(["audit", "--by", "day", "--format", "csv"])
    #expect(csv.status == 0, "\(csv.errors)")
    let rows = csv.lines.dropFirst().map { $0.split(separator: ",").map(String.init) }
      .filter { $0[1] == "tokens" }
    #expect(rows.map { $0[0] } == expected)
    #expect(rows.map { $0[4] } == ["21", "21", "21"])
    let proof = try await run(["audit", "--by", "day", "--replay"])
    #expect(proof.status == 0, "\(proof.output)")
    #expect(proof.output.contains("agree with 18 events"))
    let usage = try await run(["usage", "--daily"])
    #expect(usage.status == 0, "\(usage.errors)")
    // What is dated later than now has happened by now; the third is of the day before.
    #expect(usage.output.contains("42 spent"), "\(usage.output)")
    #expect(usage.output.contains("half of 2 calls"), "\(usage.output)")
  }

  @Test func `money stands beside tokens where a token has a price`() async throws {
    try await fill()
    let price = ["KEEPA_TOKEN_PRICE": "0.0412 EUR"]
    let table = try await run(["audit"], environment: price)
    #expect(table.output.contains("0.12 EUR"))
    #expect(table.output.contains("Money at 0.0412 EUR a token, rounded to hundredths"))
    let json = try await run(["audit", "--format", "json"], environment: price)
    let root = try JSONDocument(Array(json.output.utf8)).root
    let money = root["total"]?["amounts"]?.array?.first?["money"]
    #expect(money?["high_nano_units"]?.int64 == 123_600_000)
    let wrong = try await run(["audit"], environment: ["KEEPA_TOKEN_PRICE": "4 cents"])
    #expect(wrong.status == 2)
    #expect(wrong.errors.contains("such as 0.0412 EUR"))
  }

  @Test(arguments: [
    (["--from", "5", "--to", "4"], "the end lies before the beginning"),
    (["--from", "2026-11-22", "--to", "2026-11-21"], "the end lies before the beginning"),
    (["--time-zone", "Mars/Base"], "Mars/Base"), (["--by", "colour"], "colour"),
    (["--from", "yesterday"], "yesterday"), (["--limit", "0"], "--limit"),
    (["--format", "xml"], "xml"),
  ])
  func `what cannot be meant ends with status 2 and names it`(
    arguments: [String], word: String
  ) async throws {
    let ended = try await run(["audit"] + arguments)
    #expect(ended.status == 2)
    #expect(ended.errors.contains(word))
    #expect(ended.output.isEmpty)
    #expect(try folder.contents().isEmpty, "nothing is written")
  }

  /// A directory that holds a call of two accounts, paid with tokens and money, and a read of what it brought.
  private func fillWithTwoUnits() async throws {
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    let call = SharedCall(from: 1, at: time.now)
    try await log.append(call.events)
    try await log.append([.readsTallied(call.reads("A", account: "acme", fresh: 1))])
    log.close()
  }

  @Test func `several units stand side by side, and what is nothing of each is left out`()
    async throws
  {
    try await fillWithTwoUnits()
    let price = ["KEEPA_TOKEN_PRICE": "0.01 EUR"]
    let table = try await run(["audit", "--by", "account"], environment: price)
    #expect(table.status == 0, "\(table.errors)")
    let lines = table.output.split(separator: "\n").map { line in
      line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
    for line in [
      "UNIT CERTAIN MONEY CHARGES AVOIDED MONEY AVOIDED HIT RATE", "EUR 0.07 1 0.04 36.36 %",
      "tokens 21 0.21 EUR 1 10 0.10 EUR 32.26 %", "What was avoided is in no other column.",
      "ACCOUNT SPENT MONEY CHARGES AVOIDED CALLS BOUGHT READS HITS",
      "acme 0.06 EUR 1 0.04 1 2 2 50.00 %", "acme 15 tokens 0.15 EUR 1 10",
      "zeta 0.01 EUR 1 0.00 1 0 1 0.00 %", "zeta 6 tokens 0.06 EUR 1 0", "What became of it",
      "EUR 0.01 14.29 % handed on handed on to who asked, and not kept",
      "1 reading, 1 unexplained: 7 tokens in all. Somebody else used the key, between:",
    ] { #expect(lines.contains(line), "\(line) in \(table.output)") }
    #expect(table.output.contains("Hit rate 33.33 % by reads.\n"))
    #expect(table.output.contains("7 tokens on llm:project, model flash, day 2026-11-21"))
    for word in ["unprovable", "UNPROVABLE", "REFUSED", "duplicate"] {
      #expect(!table.output.contains(word), "there is no \(word) in \(table.output)")
    }

    let csv = try await run(
      ["audit", "--by", "account", "--format", "csv"], environment: price)
    #expect(csv.lines.count == 5)
    #expect(
      csv.lines.contains { $0.hasPrefix("acme,EUR,60000000,60000000,60000000,0,0,60000000,") })
    #expect(csv.lines.contains { $0.hasPrefix("acme,tokens,15,15,15,0,0,15,") })
    #expect(csv.lines.contains { $0.hasPrefix("zeta,tokens,6,6,6,0,0,6,") })
    #expect(csv.lines.filter { $0.hasSuffix(",EUR,150000000,150000000,100000000") }.count == 1)
    #expect(csv.lines.filter { $0.hasSuffix(",,,,") }.count == 2, "money has no price")

    let part = try await run(["audit", "--account", "zeta", "--format", "json"])
    let root = try JSONDocument(Array(part.output.utf8)).root
    let amounts = root["total"]?["amounts"]?.array
    #expect(amounts?.map { $0["high"]?.string } == ["0.01", nil], "money is a decimal text")
    #expect(amounts?.map { $0["high"]?.int64 } == [nil, 6])

    let usage = try await run(["usage", "--monthly"], environment: price)
    for word in ["savings in EUR", "savings in tokens", "forecast in EUR", "forecast in tokens"] {
      #expect(usage.output.contains(word), "\(word) in \(usage.output)")
    }
  }

  @Test func `a day as an end is all of it, in the zone that is asked for`() async throws {
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    // At half past eight in the morning of 21 November in UTC.
    time.advance(byMilliseconds: 1_800_000)
    try await log.append(SharedCall(from: 1, at: time.now).events)
    log.close()
    func charges(_ arguments: [String]) async throws -> Int64? {
      let ended = try await run(["audit", "--format", "json"] + arguments)
      #expect(ended.status == 0, "\(ended.errors)")
      return try JSONDocument(Array(ended.output.utf8)).root["total"]?["charges"]?.int64
    }
    #expect(try await charges(["--to", "2026-11-21"]) == 1)
    #expect(try await charges(["--to", "2026-11-20"]) == 0)
    #expect(try await charges(["--from", "2026-11-21", "--to", "2026-11-21"]) == 1)
    let alaska = ["--time-zone", "America/Anchorage"]
    #expect(try await charges(["--to", "2026-11-20"] + alaska) == 1)
    #expect(try await charges(["--from", "2026-11-21"] + alaska) == 0)
    #expect(try await charges(["--from", "2026-11-21T00:00:00Z"] + alaska) == 1)
  }

  @Test func `a range in which nothing happened is told as such`() async throws {
    try await fill()
    let ended = try await run(["audit", "--from", "2020-01-01", "--to", "2020-02-01"])
    #expect(ended.status == 0)
    #expect(ended.output.contains("Nothing happened in that range."))
  }

  @Test func `the reviews say what is good and what is not`() async throws {
    try await fill()
    let daily = try await run(["usage"])
    #expect(daily.status == 0, "\(daily.errors)")
    #expect(daily.output.contains("Daily review"))
    #expect(!daily.output.contains("Weekly review"), "the log is too young")
    #expect(daily.output.contains("+  cache hits"))
    #expect(daily.output.contains("!  hit rate"))
    #expect(daily.output.contains("-  tokens"))
    let all = try await run(["usage", "--daily", "--weekly", "--monthly"])
    for word in [
      "Weekly review", "Monthly review", "savings", "forecast", "retries", "anomalies", "expiry",
      "response times",
    ] { #expect(all.output.contains(word), "\(word)") }
  }

  @Test func `a log without events, and none at all, have a sentence each`() async throws {
    let none = try await run(["usage"])
    #expect(none.status == 1)
    #expect(none.errors.contains("is not a data directory"))
    let audit = try await run(["audit"])
    #expect(audit.status == 1)
    #expect(try folder.contents().isEmpty)
  }
}
