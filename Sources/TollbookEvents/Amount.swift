/// A number of units of something that is paid with.
package struct Amount: Hashable, Sendable {
  /// Such as `tokens`, `requests`; the three capitals of a currency, such as `EUR`, mean nano-units of it.
  package var unit: String
  package var count: Int64

  package init(_ count: Int64, _ unit: String) {
    self.count = count
    self.unit = unit
  }

  /// The unit of events of format 1 that name none.
  package static let firstUnit = "tokens"

  /// Whether a unit is money: nano-units of a currency, which its three capitals name.
  package static func isMoney(_ unit: String) -> Bool {
    unit.utf8.count == 3
      && unit.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
  }

  /// The unit as it stands behind its number: `token` behind 1, else `tokens`; of money the currency.
  package var unitInWords: String {
    count == 1 && !Self.isMoney(unit) && unit.hasSuffix("s") ? String(unit.dropLast()) : unit
  }

  /// For a sentence: `1 token`, `1200 tokens`, `12.50 EUR`.
  package var inWords: String {
    let number = Self.isMoney(unit) ? DecimalText.text(nanoUnits: count) : "\(count)"
    return "\(number) \(unitInWords)"
  }
}

extension [Amount] {
  /// Adds an amount to that of its unit.
  package mutating func add(_ count: Int64, _ unit: String) {
    if let index = firstIndex(where: { $0.unit.isSameText(as: unit) }) {
      self[index].count &+= count
    } else {
      append(Amount(count, unit))
    }
  }

  package mutating func add(_ others: [Amount]) {
    for other in others { add(other.count, other.unit) }
  }

  /// The amount of a unit; 0 if there is none.
  package func count(of unit: String) -> Int64 {
    first { $0.unit.isSameText(as: unit) }?.count ?? 0
  }
}

extension String {
  /// Whether both have the same bytes. To Swift texts are equal that look alike; in the tables they are not.
  fileprivate func isSameText(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }
}

extension Cost {
  package init(_ amount: Amount) {
    self.init()
    unit = amount.unit
    self.amount = amount.count
  }
}

extension CacheWritten {
  /// What the entry cost, once for each unit.
  package var amounts: [Amount] {
    costs.isEmpty
      ? [Amount(tokens, Amount.firstUnit)] : costs.map { Amount($0.amount, $0.unit) }
  }
}

extension CachePurged {
  /// What the entry had cost, once for each unit.
  package var amounts: [Amount] {
    costs.isEmpty
      ? [Amount(tokens, Amount.firstUnit)] : costs.map { Amount($0.amount, $0.unit) }
  }
}

extension ServiceRecovered {
  /// What is in doubt, once for each unit.
  package var amountsInDoubt: [Amount] {
    inDoubt.isEmpty
      ? [Amount(tokensInDoubt, Amount.firstUnit)] : inDoubt.map { Amount($0.amount, $0.unit) }
  }
}
