import Testing
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookAudit

@Suite struct InvoiceTests {
  private static func invoice(_ text: String) throws -> Invoice { try Invoice(Array(text.utf8)) }

  // MARK: Reading

  @Test func `columns stand in any order, and what is left out has a meaning`() throws {
    let bill = try Self.invoice(
      "\u{feff}Operation, day ,units\r\nkeepa.product,2026-11-21,470\r\n\r\n"
        + "\"a, \"\"b\"\"\",2026-11-22,-3\r\n"
    )
    #expect(bill.division == .operation)
    #expect(bill.lines.map(\.number) == [2, 4])
    #expect(bill.lines.map(\.name) == ["keepa.product", "a, \"b\""])
    #expect(bill.lines.map { "\($0.day)" } == ["2026-11-21", "2026-11-22"])
    #expect(bill.lines.map(\.amount) == [Amount(470, "tokens"), Amount(-3, "tokens")])
    #expect(bill.digest.count == 32)
  }

  @Test func `a line of units and money tells both`() throws {
    let bill = try Self.invoice(
      "day,model,units,unit,money,currency\n2026-11-21,flash,9,calls,0.50,EUR\n"
        + "2026-11-21,pro,,,-2,USD"
    )
    #expect(bill.division == .model)
    #expect(
      bill.lines.map(\.amount)
        == [Amount(9, "calls"), Amount(500_000_000, "EUR"), Amount(-2_000_000_000, "USD")])
    #expect(bill.lines.map(\.number) == [2, 2, 3])
    #expect(try Self.invoice("day,units\n2026-11-21,9").division == .none)
  }

  @Test(arguments: [
    ("", "it is empty"), ("day,units\n", "no line but that of the columns"),
    ("day,units,colour\n", "line 1: “colour” is no column"),
    ("day,units,day\n", "line 1: the column day stands twice"),
    ("units\n", "line 1: the column day is missing"),
    ("day\n", "line 1: the columns units and money are both missing"),
    ("day,money\n", "line 1: the column currency is missing beside money"),
    ("day,units,operation,model\n", "line 1: it has both operation and model"),
    ("day,units\n2026-11-21,1\n2026-02-30,1", "line 3: “2026-02-30” is no day"),
    ("day,units\n2026-11-21,1.5", "line 2: units is “1.5”"),
    ("day,units\n2026-11-21", "line 2: there are 1 cells; the first line has 2"),
    ("day,units\n2026-11-21,", "line 2: it tells neither units nor money"),
    ("day,operation,units\n2026-11-21,,1", "line 2: operation is empty"),
    ("day,money,currency\n2026-11-21,1,eur", "line 2: currency is “eur”"),
    ("day,money,currency\n2026-11-21,1e3,EUR", "line 2: money is “1e3”"),
    ("day,units,unit\n2026-11-21,1,EUR", "line 2: “EUR” is no unit of a count"),
    ("day,units\n\"2026-11-21,1", "line 2: a quote is not closed"),
    ("day,units\n\"2026-11-21\"x,1", "line 2: something stands behind a closing quote"),
  ])
  func `a bill that cannot be read is refused by its line`(text: String, problem: String) throws {
    let error = #expect(throws: InvoiceProblem.self) { try Self.invoice(text) }
    #expect("\(try #require(error))".contains(problem))
  }

  @Test func `a bill has so many bytes and lines, and no more`() throws {
    let line = "2026-11-21,1\n"
    let most = "day,units\n" + String(repeating: line, count: Invoice.mostLines - 1)
    #expect(try Self.invoice(most).lines.count == Invoice.mostLines - 1)
    let tooMany = #expect(throws: InvoiceProblem.self) { try Self.invoice(most + line) }
    #expect("\(try #require(tooMany))".contains("line \(Invoice.mostLines + 1)"))
    let bytes = [UInt8](repeating: 0x20, count: Invoice.mostBytes + 1)
    #expect(throws: InvoiceProblem.self) { try Invoice(bytes) }
    #expect(throws: InvoiceProblem.self) { try Invoice(Array("day,units\n".utf8) + [0xff, 0x2c]) }
  }

  // MARK: Comparing

  /// Two days: 10 and 20 tokens, of which 5 of the second day are in doubt; a correction of the first charge on the
  /// second day.
  private func log(_ folder: TemporaryFolder, _ time: ManualTime) async throws -> EventLog {
    let log = try folder.openLog(folds: allFolds, time: time.source)
    var story = AuditStory()
    func append(_ change: (inout AuditStory) -> Void) async throws {
      let before = story.events.count
      change(&story)
      try await log.append(story.events.dropFirst(before).map(\.event))
    }
    try await append { story in
      let fetch = story.start(["A"])
      story.charge(fetch, [("A", 10)])
    }
    time.advance(byMilliseconds: 86_400_000)
    try await append { story in
      let fetch = story.start(["B"])
      story.charge(fetch, [("B", 15)])
      let lost = story.start(["C"])
      story.doubt(lost, 5)
      var event = ChargeCorrected()
      (event.charge, event.fetch, event.attempt) = (2, 1, 1)
      event.operation = "keepa.product"
      event.payers = [Payer(account: "default")]
      var move = Move()
      move.meter = MeterKey(owner: AuditStory.credential, unit: "tokens").name
      move.amount = -3
      event.moves = [move]
      story.add(.chargeCorrected(event))
    }
    return log
  }

  private func rows(
    _ text: String, _ calendar: AuditCalendar = .utc, price: TokenPrice? = nil, in log: EventLog
  ) throws -> [InvoiceComparison.Row] {
    try InvoiceComparison(
      Self.invoice(text), calendar: calendar, price: price, in: LogSource(log)
    ).rows
  }

  @Test func `a correction counts on the day of its charge, and a doubt explains what lies in it`()
    async throws
  {
    let folder = try TemporaryFolder()
    let log = try await log(folder, ManualTime())
    defer { log.close() }
    let rows = try rows("day,units\n2026-11-21,7\n2026-11-22,18", in: log)
    #expect(rows.map(\.booked) == [AmountInterval(7), AmountInterval(low: 15, high: 20)])
    #expect(rows.map(\.difference) == [0, 0])
    let others = try self.rows("day,units\n2026-11-21,9\n2026-11-22,21\n2026-11-23,0", in: log)
    #expect(others.map(\.difference) == [2, 1, 0])
    #expect(
      try self.rows("day,units\n2026-11-22,14", in: log).map(\.difference) == [-1])
  }

  @Test func `what the bill leaves out of an upstream is a difference`() async throws {
    let folder = try TemporaryFolder()
    let log = try await log(folder, ManualTime())
    defer { log.close() }
    let rows = try rows("day,operation,units\n2026-11-21,keepa.discovery,1", in: log)
    #expect(rows.map(\.name) == ["keepa.discovery", "keepa.product"])
    #expect(rows.map(\.billed) == [1, nil])
    #expect(rows.map(\.difference) == [1, -7])
    let other = try self.rows("day,operation,units\n2026-11-21,other.thing,1", in: log)
    #expect(other.map(\.name) == ["other.thing"])
  }

  @Test func `days are those of a zone`() async throws {
    let folder = try TemporaryFolder()
    let log = try await log(
      folder, ManualTime(try #require(Timestamp(rfc3339: "2026-11-21T23:30:00Z"))))
    defer { log.close() }
    let berlin = try #require(AuditCalendar(zone: "Europe/Berlin"))
    let rows = try rows("day,units\n2026-11-21,0\n2026-11-22,7", berlin, in: log)
    #expect(rows.map(\.difference) == [0, 0])
  }

  @Test func `money is compared by the price of tokens, and not at all without one`() async throws {
    let folder = try TemporaryFolder()
    let log = try await log(folder, ManualTime())
    defer { log.close() }
    let bill = "day,money,currency\n2026-11-21,0.80,EUR"
    let price = TokenPrice(nanoUnits: 100_000_000, currency: "EUR")
    let priced = try rows(bill, price: price, in: log)
    #expect(priced.map(\.isPriced) == [true])
    #expect(priced.map(\.difference) == [100_000_000])
    #expect(try rows(bill, in: log).map(\.booked) == [nil])
    #expect(try rows(bill, in: log).map(\.difference) == [0])
  }

  @Test func `what was posted from a bill before is booked`() async throws {
    let folder = try TemporaryFolder()
    let log = try await log(folder, ManualTime())
    defer { log.close() }
    var event = InvoicePosted()
    event.meter = MeterKey(owner: AuditStory.credential, unit: "tokens").name
    (event.day, event.unexplained) = ("2026-11-21", 2)
    try await log.append([.invoicePosted(event)])
    #expect(try rows("day,units\n2026-11-21,9", in: log).map(\.difference) == [0])
  }
}
