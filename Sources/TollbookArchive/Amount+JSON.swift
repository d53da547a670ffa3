package import JSONText
package import TollbookEvents

extension JSONWriter {
  /// An amount of a unit: a number, and of money a decimal text of the currency, such as `"0.0006116"`.
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

extension Amount {
  /// Writes `{"unit":"tokens","amount":3}`, and of money `{"unit":"EUR","amount":"0.02"}`.
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("unit", unit)
      json.amount("amount", count, unit)
    }
  }

  /// Reads what `write` wrote; nil if it is no such object.
  package init?(_ value: JSONValue) {
    guard let unit = value["unit"]?.string, let amount = value["amount"],
      let count = amount.string.map(DecimalText.nanoUnits) ?? amount.int64
    else { return nil }
    self.init(count, unit)
  }
}
