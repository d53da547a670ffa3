package import TollbookEvents

/// What costs in different units weigh beside each other, though they cannot be added.
///
/// Each unit is measured by what entries of the cache have cost in it on average: an average purchase in tokens
/// weighs as much as an average purchase in money, and one that cost twice the average of its unit weighs 2. So it
/// does not matter how small a unit is, nor how many entries are paid with it. An entry that cost something in
/// several units weighs what it weighs in the unit in which it is dearest; nothing is added.
package struct CostScale: Sendable {
  /// The most units that it knows. In one beyond them every purchase is an average one.
  static let mostUnits = 256

  private struct Unit {
    var sum = 0.0
    var purchases = 0.0
  }

  private var units: [String: Unit] = [:]

  package init() {}

  /// Takes in what an entry has cost.
  package mutating func add(_ amounts: [Amount]) {
    for amount in amounts where amount.count > 0 {
      guard units.count < Self.mostUnits || units[amount.unit] != nil else { continue }
      units[amount.unit, default: Unit()].sum += Double(amount.count)
      units[amount.unit, default: Unit()].purchases += 1
    }
  }

  /// What an entry's cost weighs: 1 for an average purchase, 0 if it cost nothing.
  package func weight(_ amounts: [Amount]) -> Double {
    var weight = 0.0
    for amount in amounts where amount.count > 0 {
      let average = units[amount.unit].map { $0.sum / $0.purchases }
      weight = max(weight, average.map { Double(amount.count) / $0 } ?? 1)
    }
    return weight
  }
}
