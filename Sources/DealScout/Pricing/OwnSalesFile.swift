package import TollbookEvents
import TollbookAudit

/// The user's own sales, as a table of comma-separated values (RFC 4180, UTF-8).
///
/// The first line names the columns, in any order. These must be there:
///
/// * `sold_on`: a day such as `2026-11-21`, not after today.
/// * `title`: what was sold, at most 300 characters.
/// * `condition`: `new`, `open_box`, `refurbished`, `used` or `parts`, or eBay's number, such as `3000`.
/// * `price`: what the buyer paid without shipping, with a point: `31.99`.
/// * `currency`: three capitals.
///
/// These may be: `shipping`, what the buyer paid for it, where an empty cell means that it is not known; `fees`, what
/// the marketplace kept; `gtin`; `epid`; `sale_id`, which may not stand twice.
///
/// A row that cannot be read is left out and named by its line; the others count.
package struct OwnSalesFile: Hashable, Sendable {
  package static let mostBytes = 8 << 20
  /// Rows, the first one included.
  package static let mostRows = 100_000
  /// The most problems that are listed; ``unreadable`` counts all.
  package static let mostProblems = 100

  package let sales: [OwnSale]
  /// In the order of their lines.
  package let problems: [OwnSalesProblem]
  /// How many rows could not be read.
  package let unreadable: Int

  /// - Parameters:
  ///   - today: no sale is after it.
  ///   - decimals: how many decimals the smallest unit of a currency has; nil for one that is not known.
  /// - Throws: what keeps the whole file from being read: too long, no columns, quotes that are not closed.
  package init(
    _ bytes: [UInt8], today: CalendarDay, decimals: (_ currency: String) -> Int?
  ) throws(OwnSalesProblem) {
    guard bytes.count <= Self.mostBytes else {
      throw OwnSalesProblem(
        "the file has \(bytes.count.grouped) bytes; \(Self.mostBytes.grouped) are allowed")
    }
    let records = try Self.records(bytes)
    guard let heading = records.first else {
      throw OwnSalesProblem("the file is empty; its first line names the columns")
    }
    let columns = try Columns(heading)
    var sales: [OwnSale] = []
    var problems: [OwnSalesProblem] = []
    var unreadable = 0
    var lineOfID: [String: Int] = [:]
    for record in records.dropFirst() {
      do throws(OwnSalesProblem) {
        let sale = try columns.sale(record, today: today, decimals: decimals)
        if let id = sale.id {
          if let line = lineOfID[id] {
            throw OwnSalesProblem(
              "sale_id: “\(id.inOneLine(atMost: 50))” stands on line \(line) already",
              line: record.line)
          }
          lineOfID[id] = record.line
        }
        sales.append(sale)
      } catch {
        unreadable += 1
        if problems.count < Self.mostProblems { problems.append(error) }
      }
    }
    self.sales = sales
    self.problems = problems
    self.unreadable = unreadable
  }

  private static func records(_ bytes: [UInt8]) throws(OwnSalesProblem) -> [CSVRecords.Record] {
    do { return try CSVRecords.read(bytes, limit: mostRows) } catch {
      throw OwnSalesProblem(error)
    }
  }
}

/// What is wrong with a file of sales, or with one row of it.
package struct OwnSalesProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// Of the file, from 1; nil: it is about the file as a whole.
  package let line: Int?
  /// With the line, if there is one.
  package let description: String

  init(_ text: String, line: Int? = nil) {
    self.line = line
    description = line.map { "line \($0): \(text)" } ?? text
  }

  fileprivate init(_ problem: InvoiceProblem) {
    line = problem.line
    description = problem.description
  }
}

/// Where the columns stand.
private struct Columns {
  private static let required = ["sold_on", "title", "condition", "price", "currency"]
  private static let optional = ["shipping", "fees", "gtin", "epid", "sale_id"]

  private var places: [String: Int] = [:]
  private let count: Int

  init(_ heading: CSVRecords.Record) throws(OwnSalesProblem) {
    count = heading.cells.count
    let known = Self.required + Self.optional
    for (place, cell) in heading.cells.enumerated() {
      let name = cell.inOneLine(atMost: 50)
      guard known.contains(name) else {
        throw OwnSalesProblem(
          "“\(name)” is no column; columns are \(known.joined(separator: ", "))",
          line: heading.line)
      }
      guard places.updateValue(place, forKey: name) == nil else {
        throw OwnSalesProblem("the column \(name) stands twice", line: heading.line)
      }
    }
    if let missing = Self.required.first(where: { places[$0] == nil }) {
      throw OwnSalesProblem("the column \(missing) is missing", line: heading.line)
    }
  }

  func sale(
    _ record: CSVRecords.Record, today: CalendarDay, decimals: (String) -> Int?
  ) throws(OwnSalesProblem) -> OwnSale {
    guard record.cells.count == count else {
      throw OwnSalesProblem(
        "there are \(record.cells.count.of("cell")); the first line has \(count)",
        line: record.line)
    }
    let row = Row(cells: record.cells, places: places, line: record.line)
    let title = try row.text("title", atMost: TitleWords.mostScalars)
    let currency = row["currency"]
    guard Amount.isMoney(currency), let places = decimals(currency), 0...4 ~= places else {
      throw row.problem("currency", "is no currency that is known, such as USD")
    }
    let sale = OwnSale(
      id: try row.textIfAny("sale_id", atMost: 100), title: title,
      gtin: try row.textIfAny("gtin", atMost: 32), epid: try row.textIfAny("epid", atMost: 20),
      condition: try row.condition(), price: try row.amount("price", places),
      shipping: try row.amountIfAny("shipping", places), fees: try row.amountIfAny("fees", places),
      currency: currency, soldOn: try row.day("sold_on", notAfter: today))
    guard let sale else { throw row.problem("price", "with shipping is 0 or too much") }
    return sale
  }
}

/// The cells of a row by their names.
private struct Row {
  let cells: [String]
  let places: [String: Int]
  let line: Int

  /// Without blanks around it; empty where there is no such column.
  subscript(name: String) -> String {
    guard let cell = places[name].map({ cells[$0] }) else { return "" }
    let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    var text = cell.drop(while: blank)
    while let last = text.last, blank(last) { text.removeLast() }
    return String(text)
  }

  func problem(_ name: String, _ text: String) -> OwnSalesProblem {
    let cell = self[name]
    let shown = cell.isEmpty ? "an empty cell" : "“\(cell.inOneLine(atMost: 50))”"
    return OwnSalesProblem("\(name): \(shown) \(text)", line: line)
  }

  func text(_ name: String, atMost limit: Int) throws(OwnSalesProblem) -> String {
    let text = self[name]
    guard !text.isEmpty else { throw problem(name, "says nothing") }
    guard text.unicodeScalars.count <= limit else {
      throw problem(name, "has more than \(limit) characters")
    }
    return text
  }

  func textIfAny(_ name: String, atMost limit: Int) throws(OwnSalesProblem) -> String? {
    self[name].isEmpty ? nil : try text(name, atMost: limit)
  }

  func condition() throws(OwnSalesProblem) -> ConditionGroup {
    let text = self["condition"]
    let isNumber = text.utf8.allSatisfy { 0x30...0x39 ~= $0 }
    let group =
      isNumber ? Int(text).flatMap { ConditionGroup(id: $0) } : ConditionGroup(rawValue: text)
    guard let group else {
      let names = ConditionGroup.allCases.map(\.rawValue).joined(separator: ", ")
      throw problem("condition", "is neither one of \(names) nor a number of eBay's")
    }
    return group
  }

  func day(_ name: String, notAfter today: CalendarDay) throws(OwnSalesProblem) -> CalendarDay {
    guard let day = CalendarDay(self[name]) else {
      throw problem(name, "is no day, such as 2026-11-21")
    }
    guard day <= today else { throw problem(name, "is after today, \(today)") }
    return day
  }

  func amountIfAny(_ name: String, _ decimals: Int) throws(OwnSalesProblem) -> Int64? {
    self[name].isEmpty ? nil : try amount(name, decimals)
  }

  /// In minor units; digits beyond them must be zeros.
  func amount(_ name: String, _ decimals: Int) throws(OwnSalesProblem) -> Int64 {
    var unit: Int64 = 1_000_000_000
    for _ in 0..<decimals { unit /= 10 }
    guard self[name].utf8.count <= 32, let nano = DecimalText.nanoUnits(self[name]),
      nano.isMultiple(of: unit), nano / unit <= Offer.mostMinorUnits
    else {
      throw problem(
        name,
        decimals == 0 ? "is no whole amount" : "is no amount, with at most \(decimals) decimals")
    }
    return nano / unit
  }
}
