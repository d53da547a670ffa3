import Testing
import TollbookTestSupport

@testable import DealScout

@Suite struct `Families of products` {
  private static let words = ["sonora", "optik", "mill", "lamp", "falcon", "grey", "case", "pro"]
  private static let numbers = ["7", "1000", "75192"]

  /// In any order, with a number or without one.
  private static func key(_ random: inout SeededGenerator) -> ProductKey? {
    var title = (0..<random.int(1...6)).map { _ in random.pick(words) }
    if random.chance(80) { title.append(random.pick(numbers)) }
    let text = title.shuffled(using: &random).joined(separator: " ")
    return ProductKey(epid: random.chance(10) ? random.pick(numbers) : nil, title: text)
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `a family by itself is grouped as it is among all, by what words weigh among all`(
    seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    let keys = (0..<random.int(1...80)).compactMap { _ in Self.key(&random) }
    let whole = ProductGroups(keys)
    var weights = WordWeights()
    for case .title(let key) in keys { weights.count(key.parts.words, 1) }
    for (family, own) in Dictionary(grouping: keys, by: { ProductFamily($0) }) {
      let part = ProductGroups(own, weights: weights)
      for key in own {
        let group = whole.group(of: key)
        #expect(part.group(of: key) == group, "seed \(seed)")
        #expect(ProductFamily(group) == family, "seed \(seed)")
      }
    }
  }
}
