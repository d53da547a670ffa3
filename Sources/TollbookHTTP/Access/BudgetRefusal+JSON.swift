package import JSONText
import TollbookEvents
package import TollbookGateway

extension BudgetRefusal {
  /// The members `budget`, `tag`, `window`, `limit`, `free` and `unit`.
  package func write(to json: inout JSONWriter) {
    json.field("budget", name)
    json.field("tag", tag.isEmpty ? nil : tag)
    json.field("window", window.isEmpty ? nil : window)
    json.amount("limit", limit, unit)
    json.amount("free", free, unit)
    json.field("unit", unit)
  }
}

extension JSONWriter {
  /// An amount of a unit: a number, and of money a decimal text.
  package mutating func amount(_ name: String, _ count: Int64, _ unit: String) {
    if Amount.isMoney(unit) {
      field(name, DecimalText.text(nanoUnits: count))
    } else {
      field(name, count)
    }
  }

  /// The same where there may be none.
  package mutating func amount(_ name: String, _ count: Int64?, _ unit: String) {
    if let count {
      amount(name, count, unit)
    } else {
      field(name, nil as Int64?)
    }
  }
}
