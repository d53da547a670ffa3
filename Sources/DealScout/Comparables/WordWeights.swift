/// How much the words of titles weigh: what is rare among the titles counts more.
///
/// A word weighs 1 + ⌊log2((titles + 1) / (titles with it + 1))⌋.
struct WordWeights: Sendable {
  private var titles = 0
  private var titlesWith: [Substring: Int] = [:]

  /// Counts titles in one wording.
  ///
  /// - Parameter words: each once.
  mutating func count(_ words: [Substring], _ number: Int) {
    titles += number
    for word in words { titlesWith[word, default: 0] += number }
  }

  func weight(of word: Substring) -> Int {
    let share = (titles + 1) / (titlesWith[word, default: 0] + 1)
    return Int.bitWidth - max(share, 1).leadingZeroBitCount
  }
}
