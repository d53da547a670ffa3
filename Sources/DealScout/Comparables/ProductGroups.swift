/// Which keys are of the same product.
///
/// Numbers of GTIN and catalogue are their own groups. Titles are written in many ways, so two title keys are the same
/// product if
///
/// * their ``TitleKey/identity`` is the same: the numbers, and the words that tell models and accessories apart, and
/// * they have a number (without one, all words must be the same), and
/// * the words that both have weigh at least 2/3 of the side that weighs less, and at least 1/3 of all words of both. A
///   word weighs 1 + ⌊log2((titles + 1) / (titles with it + 1))⌋: what is rare among the titles counts more.
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

    /// What the words weigh that both have. The words of both are sorted.
    func sharedWeight(_ other: Wording) -> Int {
      var (place, otherPlace, sum) = (0, 0, 0)
      while place < words.count, otherPlace < other.words.count {
        if words[place] == other.words[otherPlace] {
          sum += weights[place]
          place += 1
          otherPlace += 1
        } else if words[place] < other.words[otherPlace] {
          place += 1
        } else {
          otherPlace += 1
        }
      }
      return sum
    }
  }

  private var frequencies: [Substring: Int] = [:]
  private var titleCount = 0
  private var leaders: [Substring: [Wording]] = [:]
  private var groups: [TitleKey: TitleKey] = [:]

  /// - Parameter keys: one for each offer; the same key more than once counts more than once.
  package init(_ keys: some Sequence<ProductKey>) {
    var counts: [TitleKey: Int] = [:]
    for case .title(let key) in keys { counts[key, default: 0] += 1 }
    let ordered = counts.sorted { left, right in
      left.value == right.value ? left.key < right.key : left.value > right.value
    }.map { (wording: Wording($0.key), count: $0.value) }
    for (wording, count) in ordered {
      titleCount += count
      for word in wording.words { frequencies[word, default: 0] += count }
    }
    groups.reserveCapacity(ordered.count)
    for (wording, _) in ordered {
      let weighed = weighed(wording)
      let found = leader(for: weighed)
      groups[wording.key] = found ?? wording.key
      if found == nil { leaders[wording.identity, default: []].append(weighed) }
    }
  }

  /// The key that stands for all of its group. A title in a wording that was not among the keys gets the group that it
  /// would have joined, or itself.
  package func group(of key: ProductKey) -> ProductKey {
    guard case .title(let title) = key else { return key }
    return .title(groups[title] ?? leader(for: weighed(Wording(title))) ?? title)
  }

  /// Whether two wordings are the same product by the rule, in which neither leads.
  package func isSame(_ left: TitleKey, _ right: TitleKey) -> Bool {
    Self.isSame(weighed(Wording(left)), weighed(Wording(right)))
  }

  private static func isSame(_ left: Wording, _ right: Wording) -> Bool {
    guard left.identity == right.identity else { return false }
    if left.words == right.words { return true }
    guard left.key.hasNumber else { return false }
    let shared = left.sharedWeight(right)
    guard shared > 0 else { return false }
    return 3 * shared >= 2 * min(left.weight, right.weight)
      && 3 * shared >= left.weight + right.weight - shared
  }

  private func leader(for wording: Wording) -> TitleKey? {
    leaders[wording.identity]?.prefix(Self.mostLeaders).first { Self.isSame($0, wording) }?.key
  }

  private func weighed(_ wording: Wording) -> Wording {
    var weighed = wording
    weighed.weights = wording.words.map { word in
      let share = (titleCount + 1) / (frequencies[word, default: 0] + 1)
      return Int.bitWidth - max(share, 1).leadingZeroBitCount
    }
    weighed.weight = weighed.weights.reduce(0, +)
    return weighed
  }
}
