import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents

/// A bill beside the ledger, as people and programs read it.
struct InvoicePage {
  private let comparison: InvoiceComparison

  init(_ comparison: InvoiceComparison) { self.comparison = comparison }

  var differs: Bool { !comparison.differences.isEmpty }

  // MARK: For people

  /// The lines that differ.
  var lines: [String] {
    var lines: [String] = []
    let found = comparison.differences
    if !found.isEmpty {
      var table = TextTable(
        [.left, .left, .right, .right, .right, .left],
        heading: ["DAY", "OF", "BILLED", "BOOKED", "DIFFERENCE", "UNIT"])
      for row in found {
        func figure(_ amount: Int64) -> String { Amount(amount, row.unit).figure }
        let low = row.booked.map { figure($0.low) } ?? ""
        let high = row.booked.map { figure($0.high) } ?? ""
        table.add([
          "\(row.day)", row.name.isEmpty ? "all" : row.name,
          row.billed.map(figure) ?? "nothing", low == high ? low : "\(low) to \(high)",
          (row.difference > 0 ? "+" : "") + figure(row.difference), row.unit,
        ])
      }
      lines += table.lines()
    }
    let all = comparison.rows.count { $0.booked != nil }
    lines.append(
      found.isEmpty
        ? "\(all.of("figure")) compared; the bill and the ledger agree."
        : "\(all.of("figure")) compared; \(found.count.of("differs", "differ")).")
    let unknown = Set(comparison.rows.filter { $0.booked == nil }.map(\.unit)).sorted()
    if !unknown.isEmpty {
      lines.append(
        "Not compared: \(unknown.joined(separator: ", ")), which the ledger does not count; see the"
          + " setting keepa.token_price.")
    }
    return lines
  }

  // MARK: For programs

  /// A heading and a row for each figure. Money is decimal text.
  var csv: [String] {
    ["day,name,unit,billed,booked_low,booked_high,difference"]
      + comparison.rows.map { row in
        [
          "\(row.day)", CSVCell.quoted(row.name), CSVCell.quoted(row.unit),
          text(row.billed, row), text(row.booked?.low, row), text(row.booked?.high, row),
          text(row.booked == nil ? nil : row.difference, row),
        ].joined(separator: ",")
      }
  }

  var json: String {
    var json = JSONWriter(layout: .indented)
    json.object { json in
      json.field("differences", comparison.differences.count)
      json.array("rows", comparison.rows) { json, row in
        json.object { json in
          json.field("day", "\(row.day)")
          json.field("name", row.name.isEmpty ? nil : row.name)
          json.field("unit", row.unit)
          json.amount("billed", row.billed, row.unit)
          json.amount("booked_low", row.booked?.low, row.unit)
          json.amount("booked_high", row.booked?.high, row.unit)
          json.amount("difference", row.booked == nil ? nil : row.difference, row.unit)
        }
      }
    }
    return json.string
  }

  private func text(_ amount: Int64?, _ row: InvoiceComparison.Row) -> String {
    amount.map { Amount.isMoney(row.unit) ? DecimalText.text(nanoUnits: $0) : "\($0)" } ?? ""
  }
}
