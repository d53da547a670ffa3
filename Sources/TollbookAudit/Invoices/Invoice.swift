import Crypto
package import TollbookEvents

/// An upstream's bill, as a table of comma-separated values.
///
/// Its first line names the columns, in any order: `day`; at most one of `operation` and `model`; `units`, `money` or
/// both; with `units` a `unit`, which is tokens where it is left out; with `money` a `currency`. A bill with neither
/// `operation` nor `model` tells one sum of a day.
package struct Invoice: Sendable {
  package static let mostBytes = 1 << 20
  package static let mostLines = 20_000

  /// By what a bill divides a day.
  package enum Division: Hashable, Sendable {
    case none, operation, model
  }

  /// So much of a unit on a day.
  package struct Line: Hashable, Sendable {
    /// Of the file, from 1.
    package let number: Int
    package let day: CalendarDay
    /// The operation or the model; empty: all.
    package let name: String
    package let amount: Amount
  }

  package let division: Division
  package let lines: [Line]
  /// SHA-256 of the file.
  package let digest: [UInt8]

  /// - Throws: `InvoiceProblem` that names the line.
  package init(_ bytes: [UInt8]) throws(InvoiceProblem) {
    guard bytes.count <= Self.mostBytes else {
      throw InvoiceProblem("it has \(bytes.count) bytes; \(Self.mostBytes) are allowed")
    }
    let records = try CSVRecords.read(bytes, limit: Self.mostLines)
    guard let heading = records.first else {
      throw InvoiceProblem("it is empty; its first line names the columns")
    }
    let columns = try Columns(heading)
    division = columns.division
    var lines: [Line] = []
    for record in records.dropFirst() { lines += try columns.lines(of: record) }
    guard !lines.isEmpty else { throw InvoiceProblem("it has no line but that of the columns") }
    self.lines = lines
    digest = Array(SHA256.hash(data: bytes))
  }

  /// The days that it is about.
  var days: Set<CalendarDay> { Set(lines.map(\.day)) }
}

/// Where the columns of a bill stand.
private struct Columns {
  private static let known = ["day", "operation", "model", "units", "unit", "money", "currency"]

  private var places: [String: Int] = [:]
  private let count: Int

  init(_ heading: CSVRecords.Record) throws(InvoiceProblem) {
    count = heading.cells.count
    for (place, cell) in heading.cells.enumerated() {
      let name = cell.trimmed.lowercased()
      guard Self.known.contains(name) else {
        throw InvoiceProblem(
          "“\(cell.inOneLine(atMost: 50))” is no column; columns are"
            + " \(Self.known.joined(separator: ", "))", line: heading.line)
      }
      guard places.updateValue(place, forKey: name) == nil else {
        throw InvoiceProblem("the column \(name) stands twice", line: heading.line)
      }
    }
    for (name, other) in [("unit", "units"), ("currency", "money"), ("money", "currency")]
    where has(name) && !has(other) {
      throw InvoiceProblem("the column \(other) is missing beside \(name)", line: heading.line)
    }
    guard has("day") else {
      throw InvoiceProblem("the column day is missing", line: heading.line)
    }
    guard has("units") || has("money") else {
      throw InvoiceProblem("the columns units and money are both missing", line: heading.line)
    }
    guard !has("operation") || !has("model") else {
      throw InvoiceProblem("it has both operation and model; one is allowed", line: heading.line)
    }
  }

  private func has(_ name: String) -> Bool { places[name] != nil }

  var division: Invoice.Division {
    has("operation") ? .operation : has("model") ? .model : .none
  }

  /// One for the units, and one for the money.
  func lines(of record: CSVRecords.Record) throws(InvoiceProblem) -> [Invoice.Line] {
    guard record.cells.count == count else {
      throw InvoiceProblem(
        "there are \(record.cells.count) cells; the first line has \(count)", line: record.line)
    }
    func cell(_ name: String) -> String { places[name].map { record.cells[$0].trimmed } ?? "" }
    guard let day = CalendarDay(cell("day")) else {
      throw InvoiceProblem(
        "“\(cell("day").inOneLine(atMost: 50))” is no day, such as 2026-11-21", line: record.line)
    }
    let name = cell(has("model") ? "model" : "operation")
    guard division == .none || (1...200).contains(name.utf8.count) else {
      throw InvoiceProblem(
        "\(division == .model ? "model" : "operation") is empty or too long", line: record.line)
    }
    var amounts: [Amount] = []
    if !cell("units").isEmpty {
      amounts.append(try units(cell("units"), cell("unit"), record.line))
    }
    if !cell("money").isEmpty {
      amounts.append(try money(cell("money"), cell("currency"), record.line))
    }
    guard !amounts.isEmpty else {
      throw InvoiceProblem("it tells neither units nor money", line: record.line)
    }
    return amounts.map { amount in
      Invoice.Line(number: record.line, day: day, name: name, amount: amount)
    }
  }

  private func units(
    _ text: String, _ unit: String, _ line: Int
  ) throws(InvoiceProblem) -> Amount {
    guard let count = Int64(text) else {
      throw InvoiceProblem(
        "units is “\(text.inOneLine(atMost: 50))”; it must be a whole number", line: line)
    }
    let unit = unit.isEmpty ? Amount.firstUnit : unit
    guard unit.utf8.count <= 64, !Amount.isMoney(unit) else {
      throw InvoiceProblem(
        "“\(unit.inOneLine(atMost: 50))” is no unit of a count; money has columns of its own",
        line: line)
    }
    return Amount(count, unit)
  }

  private func money(
    _ text: String, _ currency: String, _ line: Int
  ) throws(InvoiceProblem) -> Amount {
    let isNegative = text.hasPrefix("-")
    guard let amount = DecimalText.nanoUnits(isNegative ? String(text.dropFirst()) : text) else {
      throw InvoiceProblem(
        "money is “\(text.inOneLine(atMost: 50))”; it must be a number such as 12.50", line: line)
    }
    guard Amount.isMoney(currency) else {
      throw InvoiceProblem(
        "currency is “\(currency.inOneLine(atMost: 50))”; it must be three capitals such as EUR",
        line: line)
    }
    return Amount(isNegative ? 0 - amount : amount, currency)
  }
}

extension String {
  /// Without blanks at both ends.
  fileprivate var trimmed: String {
    var text = self[...]
    while text.first == " " || text.first == "\t" { text.removeFirst() }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return String(text)
  }
}
