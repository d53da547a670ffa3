import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookLog

/// The statement of an account's month, as people and programs read it.
struct AccountMonthPage {
  private let found: AccountMonth
  private let price: TokenPrice?

  init(_ found: AccountMonth, price: TokenPrice?) {
    self.found = found
    self.price = price
  }

  private var root: String { found.root.map(\.hexadecimal) ?? "" }

  /// What a row costs in money at the least and at the most, if its unit has a price.
  private func money(_ row: AccountMonth.Row) -> (low: Int64, high: Int64, currency: String)? {
    guard let price, price.isOf(row.unit) else { return nil }
    return (
      price.nanoUnits(of: row.spent.low), price.nanoUnits(of: row.spent.high), price.currency
    )
  }

  // MARK: For people

  var lines: [String] {
    var lines = [
      Console.strong(
        "\(found.account), \(found.month), days of \(found.calendar.name)")
    ]
    guard !found.rows.isEmpty else { return lines + ["Nothing was spent."] + end }
    var table = TextTable(
      [.left, .left, .right, .right, .right, .right, .right, .right, .left, .right],
      heading: [
        "OPERATION", "TAGS", "CALLS", "CHARGED", "CORRECTED", "IN DOUBT", "UNPROVABLE", "SPENT",
        "UNIT", price == nil ? "" : "MONEY",
      ])
    for row in found.rows {
      func figure(_ amount: Int64) -> String {
        amount == 0 ? "" : Amount(amount, row.unit).figure
      }
      let low = Amount(row.spent.low, row.unit).figure
      let high = Amount(row.spent.high, row.unit).figure
      table.add([
        row.operation, row.tags.joined(separator: ","), row.calls.grouped, figure(row.charged),
        figure(row.corrected), figure(row.inDoubt), figure(row.unprovable),
        row.spent.isExact ? low : "\(low) to \(high)", row.unit,
        money(row) == nil ? "" : price?.amount(of: row.spent.high) ?? "",
      ])
    }
    lines += table.lines()
    return lines + sums + end
  }

  /// What all rows come to, once for each unit.
  private var sums: [String] {
    var low: [Amount] = []
    var high: [Amount] = []
    for row in found.rows where !row.unit.isEmpty {
      low.add(row.spent.low, row.unit)
      high.add(row.spent.high, row.unit)
    }
    return [low == high ? "In all \(low.text)." : "In all \(low.text) to \(high.text)."]
  }

  private var end: [String] {
    var lines = ["As of position \(found.position.grouped), root \(root)"]
    if let missing = found.missingUntil {
      lines.append(
        "The log goes on from a snapshot of position \(missing.grouped): what the month saw before"
          + " is not in it.")
    }
    return lines
  }

  // MARK: For programs

  /// A heading and a row for each operation, tags and unit. Money is decimal text.
  var csv: [String] {
    let heading = [
      "account", "month", "time_zone", "operation", "tags", "unit", "calls", "charged",
      "corrected", "in_doubt", "unprovable", "spent_low", "spent_high", "price", "currency",
      "money_low", "money_high", "position", "root",
    ]
    return [heading.joined(separator: ",")]
      + found.rows.map { row in
        let money = money(row)
        let cells =
          [
            found.account, "\(found.month)", found.calendar.name, row.operation,
            row.tags.joined(separator: ","), row.unit, "\(row.calls)",
          ].map(CSVCell.quoted)
          + amounts(row).map { $0.1 }
          + [
            CSVCell.quoted(money == nil ? "" : price?.description ?? ""), money?.currency ?? "",
            money.map { DecimalText.text(nanoUnits: $0.low) } ?? "",
            money.map { DecimalText.text(nanoUnits: $0.high) } ?? "", "\(found.position)", root,
          ]
        return cells.joined(separator: ",")
      }
  }

  /// The amounts of a row with their names.
  private func amounts(_ row: AccountMonth.Row) -> [(String, String)] {
    let amounts = [
      ("charged", row.charged), ("corrected", row.corrected), ("in_doubt", row.inDoubt),
      ("unprovable", row.unprovable), ("spent_low", row.spent.low),
      ("spent_high", row.spent.high),
    ]
    return amounts.map { name, amount in
      (name, Amount.isMoney(row.unit) ? DecimalText.text(nanoUnits: amount) : "\(amount)")
    }
  }

  var json: String {
    var json = JSONWriter(layout: .indented)
    json.object { json in
      json.field("account", found.account)
      json.field("month", "\(found.month)")
      json.field("time_zone", found.calendar.name)
      json.field("token_price", price?.description)
      json.field("position", found.position)
      json.field("root", found.root == nil ? nil : root)
      json.field("base_position", found.missingUntil)
      json.array("rows", found.rows) { json, row in
        json.object { json in
          json.field("operation", row.operation)
          json.array("tags", row.tags)
          json.field("unit", row.unit)
          json.field("calls", row.calls)
          json.amount("charged", row.charged, row.unit)
          json.amount("corrected", row.corrected, row.unit)
          json.amount("in_doubt", row.inDoubt, row.unit)
          json.amount("unprovable", row.unprovable, row.unit)
          json.amount("spent_low", row.spent.low, row.unit)
          json.amount("spent_high", row.spent.high, row.unit)
          if let money = money(row) {
            json.field("currency", money.currency)
            json.field("money_low", DecimalText.text(nanoUnits: money.low))
            json.field("money_high", DecimalText.text(nanoUnits: money.high))
          }
        }
      }
    }
    return json.string
  }
}
