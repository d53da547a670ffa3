/// Which keys are of the same product.
///
/// Numbers of GTIN and catalogue are their own groups. Titles are written in many ways, so two title keys are the same
/// product if
///
/// * their ``TitleKey/identity`` is the same: the numbers, and the words that tell models and accessories apart, and
/// * they have a number (without one, all words must be the same), and
/// * they share at least two words, and what they share weighs at least 2/3 of the side that weighs less, by
///   ``WordWeights``: a longer title may say more about the same product.
///
/// That rule alone is not transitive. So the wordings are gone through from the most frequent one, the first of the
/// alphabet among equals, and each joins the first group whose leading wording is the same product, or leads a group of
/// its own. The order of the offers changes nothing. The rule and its bounds are our own convention.
package struct ProductGroups: Sendable {
  /// How many leading wordings with the same identity a wording is compared with; beyond, it leads its own group.
  package static let mostLeaders = 64

  /// A title key taken apart, with what each word weighs.
  private struct Wording {
    let key: TitleKey
    let identity: Substring
    let words: [Substring]
    var weights: [Int] = []
    var weight = 0

    init(_ key: TitleKey) {
      self.key = key
      (identity, words) = key.parts
    }

    /// How many words both have, and what these weigh. The words of both are sorted.
    func shared(_ other: Wording) -> (count: Int, weight: Int) {
      var (place, otherPlace, count, sum) = (0, 0, 0, 0)
      while place < words.count, otherPlace < other.words.count {
        if words[place] == other.words[otherPlace] {
          count += 1
          sum += weights[place]
          place += 1
          otherPlace += 1
        } else if words[place] < other.words[otherPlace] {
          place += 1
        } else {
          otherPlace += 1
        }
      }
      return (count, sum)
    }
  }

  private let weights: WordWeights
  /// Places in `leading`.
  private var leaders: [Substring: [Int]] = [:]
  private var leading: [Wording] = []
  /// Places in `leading`.
  private var groups: [TitleKey: Int] = [:]

  /// - Parameter keys: one for each offer; the same key more than once counts more than once.
  package init(_ keys: some Sequence<ProductKey>) { self.init(keys, weights: nil) }

  /// - Parameter weights: of words; nil: by these keys alone.
  init(_ keys: some Sequence<ProductKey>, weights known: WordWeights?) {
    var counts: [TitleKey: Int] = [:]
    for case .title(let key) in keys { counts[key, default: 0] += 1 }
    let ordered = counts.sorted { left, right in
      left.value == right.value ? left.key < right.key : left.value > right.value
    }.map { (wording: Wording($0.key), count: $0.value) }
    var weights = known ?? WordWeights()
    if known == nil {
      for (wording, count) in ordered { weights.count(wording.words, count) }
    }
    self.weights = weights
    groups.reserveCapacity(ordered.count)
    for (wording, _) in ordered {
      let weighed = weighed(wording)
      let found = leader(for: weighed)
      groups[wording.key] = found ?? leading.count
      if found == nil {
        leaders[wording.identity, default: []].append(leading.count)
        leading.append(weighed)
      }
    }
  }

  /// The key that stands for all of its group. A title in a wording that was not among the keys gets the group that it
  /// would have joined, or itself.
  package func group(of key: ProductKey) -> ProductKey {
    guard case .title(let title) = key, let number = number(of: title) else { return key }
    return .title(leading[number].key)
  }

  /// The number of a title's group, by which groups are told apart faster than by their keys; nil: it would be alone.
  func number(of title: TitleKey) -> Int? {
    groups[title] ?? leader(for: weighed(Wording(title)))
  }

  /// Whether two wordings are the same product by the rule, in which neither leads.
  package func isSame(_ left: TitleKey, _ right: TitleKey) -> Bool {
    Self.isSame(weighed(Wording(left)), weighed(Wording(right)))
  }

  private static func isSame(_ left: Wording, _ right: Wording) -> Bool {
    guard left.identity == right.identity else { return false }
    if left.words == right.words { return true }
    guard left.key.hasNumber else { return false }
    let shared = left.shared(right)
    return shared.count >= 2 && 3 * shared.weight >= 2 * min(left.weight, right.weight)
  }

  private func leader(for wording: Wording) -> Int? {
    leaders[wording.identity]?.prefix(Self.mostLeaders).first {
      Self.isSame(leading[$0], wording)
    }
  }

  private func weighed(_ wording: Wording) -> Wording {
    var weighed = wording
    weighed.weights = wording.words.map { weights.weight(of: $0) }
    weighed.weight = weighed.weights.reduce(0, +)
    return weighed
  }
}
