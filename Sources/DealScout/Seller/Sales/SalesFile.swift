import JSONText
import TollbookAudit
import TollbookEvents
import TollbookHTTP

/// The user's own sales as they send them in: a table of comma-separated values (RFC 4180, UTF-8), or JSON.
///
/// The first line of a table names the columns, in any order: `date` (a day such as `2026-11-21`, not after today; also
/// called `sold_on`), `title`, `price` (without shipping, such as `31.99`), `currency` (three capitals) and `order_id`
/// (also called `sale_id`) must be there; `condition`, `gtin`, `shipping`, `fees` and `line` (of the order, from 1) may
/// be. A condition is one of ``ConditionGroup`` or a number of eBay's, such as `3000`. An empty cell means that it is not
/// known. JSON is `{"sales": [{…}, …]}` with members of the same names.
///
/// Lines of one order without a number are counted in their order. A line that cannot be read is named, with what is
/// wrong with it, and the others count.
struct SalesFile: Hashable, Sendable {
  static let mostBytes = 8 << 20
  static let mostSales = 20_000

  /// What is wrong with a line.
  struct Fault: Error, Hashable, Sendable {
    /// Of the table, from 1 for the heading; of JSON the sale, from 1.
    var line = 0
    let field: String
    let what: String
  }

  private(set) var sales: [SoldItem] = []
  private(set) var faults: [Fault] = []
  private var seen: [String: Int] = [:]
  /// By order and line: where it stood.
  private var places: [String: Int] = [:]

  static let required = ["date", "title", "price", "currency", "order_id"]
  static let optional = ["condition", "gtin", "shipping", "fees", "line"]
  private static let otherNames = ["sold_on": "date", "sale_id": "order_id"]

  /// Reads a table.
  ///
  /// - Parameter today: no sale is after it.
  init(csv bytes: [UInt8], today: CalendarDay) throws(Problem) {
    let records: [CSVRecords.Record]
    do throws(InvoiceProblem) {
      records = try CSVRecords.read(bytes, limit: Self.mostSales + 1)
    } catch { throw Problem(.invalidField, "the table cannot be read: \(error)", field: "line") }
    guard let heading = records.first else {
      throw Problem(.missingField, "the table is empty; its first line names the columns")
    }
    let columns = try Self.columns(heading.cells)
    for record in records.dropFirst() {
      guard record.cells.count == heading.cells.count else {
        faults.append(
          Fault(
            line: record.line, field: "",
            what: "it has \(record.cells.count) cells; the first line has \(heading.cells.count)"))
        continue
      }
      read(line: record.line, today: today) { name in
        guard let place = columns[name] else { return nil }
        let text = ListingTitle.oneLine(record.cells[place])
        return text.isEmpty ? nil : text
      }
    }
  }

  private static func columns(_ cells: [String]) throws(Problem) -> [String: Int] {
    var columns: [String: Int] = [:]
    for (place, cell) in cells.enumerated() {
      let written = ListingTitle.oneLine(cell)
      let name = otherNames[written] ?? written
      guard (required + optional).contains(name) else {
        throw Problem(
          .invalidField,
          "“\(written.inOneLine(atMost: 50))” is no column; columns are"
            + " \((required + optional).joined(separator: ", "))",
          field: written.inOneLine(atMost: 50))
      }
      guard columns.updateValue(place, forKey: name) == nil else {
        throw Problem(.invalidField, "the column \(name) stands twice", field: name)
      }
    }
    if let missing = required.first(where: { columns[$0] == nil }) {
      throw Problem(.missingField, "the column \(missing) is missing", field: missing)
    }
    return columns
  }

  /// Reads JSON.
  init(json bytes: [UInt8], today: CalendarDay) throws(Problem) {
    let fields = try JSONFields(bytes, names: ["sales"], mostValues: 32 * Self.mostSales)
    let value = try JSONFields.require(fields.value("sales"), "sales", "a list of sales")
    guard let elements = value.array else {
      throw Problem(.invalidField, "sales must be an array, not \(value.kind)", field: "sales")
    }
    let names = Self.required + Self.optional
    var number = 0
    for element in elements {
      number += 1
      guard number <= Self.mostSales else {
        throw Problem(
          .invalidField, "there are more than \(Self.mostSales) sales", field: "sales")
      }
      guard let members = element.members else {
        faults.append(Fault(line: number, field: "", what: "it must be an object"))
        continue
      }
      var texts: [String: String] = [:]
      var fault: Fault?
      for member in members where fault == nil {
        let written = member.name.inOneLine(atMost: 50)
        let name = Self.otherNames[written] ?? written
        if !names.contains(name) {
          fault = Fault(field: name, what: "there is no such member")
        } else if member.value.isNull {
          continue
        } else if member.value.kind == .number {
          texts[name] = String(decoding: member.value.bytes.prefix(60), as: UTF8.self)
        } else if let text = member.value.string {
          texts[name] = ListingTitle.oneLine(text)
        } else {
          fault = Fault(field: name, what: "it must be a text or a number")
        }
      }
      if var fault {
        fault.line = number
        faults.append(fault)
        continue
      }
      read(line: number, today: today) { name in texts[name].flatMap { $0.isEmpty ? nil : $0 } }
    }
  }

  // MARK: One sale

  private mutating func read(
    line: Int, today: CalendarDay, _ text: @escaping (_ name: String) -> String?
  ) {
    do throws(Fault) {
      let sale = try SaleCells(today: today, text: text).sale { order in
        seen[order, default: 0] += 1
        return seen[order, default: 1]
      }
      let key = "\(sale.line)/\(sale.order)"
      if let place = places.updateValue(line, forKey: key) {
        throw Fault(
          field: "line", what: "line \(sale.line) of the order stands on line \(place) already")
      }
      sales.append(sale)
    } catch {
      var fault = error
      fault.line = line
      faults.append(fault)
    }
  }
}

/// The cells of one sale, by their names.
private struct SaleCells {
  typealias Fault = SalesFile.Fault

  let today: CalendarDay
  let text: (_ name: String) -> String?

  private func required(_ name: String, atMost limit: Int = 60) throws(Fault) -> String {
    guard let found = text(name) else { throw Fault(field: name, what: "it is missing") }
    guard found.unicodeScalars.count <= limit else {
      throw Fault(field: name, what: "it has more than \(limit) characters")
    }
    return found
  }

  private func wrong(_ name: String, _ found: String, _ what: String) -> Fault {
    Fault(field: name, what: "“\(found.inOneLine(atMost: 40))” \(what)")
  }

  private func amount(_ name: String, _ currency: EbayCurrency) throws(Fault) -> EbayMoney? {
    guard let found = text(name) else { return nil }
    guard let money = EbayMoney(found, currency) else {
      throw wrong(name, found, "is no amount of \(currency) such as 12.50")
    }
    return money
  }

  /// - Parameter next: the number of the next line of an order.
  func sale(_ next: (_ order: String) -> Int) throws(Fault) -> SoldItem {
    let order = try required("order_id", atMost: SoldItem.longestOrder)
    let line: Int
    if let found = text("line") {
      guard let number = Int(found), 1...10_000 ~= number else {
        throw wrong("line", found, "is no number from 1 to 10000")
      }
      line = number
    } else {
      line = next(order)
    }
    let date = try required("date")
    guard let day = CalendarDay(date) else {
      throw wrong("date", date, "is no day such as 2026-11-21")
    }
    guard day <= today else { throw wrong("date", date, "is after today, \(today)") }
    let code = try required("currency")
    guard let currency = EbayCurrency(code) else {
      throw wrong("currency", code, "is no currency: three capitals such as USD")
    }
    guard let price = try amount("price", currency) else {
      throw Fault(field: "price", what: "it is missing")
    }
    var condition: ConditionGroup?
    if let word = text("condition") {
      condition =
        Int(word).flatMap { ConditionGroup(id: $0) }
        ?? ConditionGroup(rawValue: word.lowercased().replacing(" ", with: "_"))
      guard condition != nil else {
        throw wrong(
          "condition", word, "is none of \(ConditionGroup.words), nor a number of eBay's")
      }
    }
    var gtin: String?
    if let digits = text("gtin") {
      gtin = GTIN.checked(digits)
      guard gtin != nil else { throw wrong("gtin", digits, "has no right check digit") }
    }
    return SoldItem(
      order: order, line: line, soldOn: day,
      title: try required("title", atMost: SoldItem.longestTitle), price: price,
      shipping: try amount("shipping", currency), fees: try amount("fees", currency),
      condition: condition, gtin: gtin)
  }
}
