import TollbookEvents

extension DealQuestion {
  /// A page of rows, and where the next one begins; nil: there is none.
  ///
  /// Goes through the rows in their order from the cursor on, until the page is full.
  ///
  /// - Parameter shown: the rows that may be in it.
  package func page(
    of table: DealTable, shownBy shown: RowSet
  ) -> (rows: [DealBoard.Row], next: String?) {
    var shown = shown
    if let category { shown.formIntersection(table.rows(ofCategory: category)) }
    // A long word is in few titles.
    let words = Set(words).sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
      .map { (text: $0, searched: SearchedText(word: $0)) }
    let pairs = words.reduce(SIMD4<UInt64>()) { $0 | $1.searched.pairs }
    func areThere(in listing: SeenListing) -> Bool {
      let title = listing.searchedTitle
      guard words.allSatisfy({ title.has($0.searched) }) else { return false }
      if title.isASCII, words.allSatisfy(\.searched.isASCII) { return true }
      // An `e` is not the beginning of an `é`, though its bytes may be.
      let text = listing.title.lowercased()
      return words.allSatisfy { text.contains($0.text) }
    }
    let numbers = table.numbers(in: order)
    var found: [Int] = []
    for number in numbers[start(in: numbers, of: table)...] {
      let row = Int(number)
      guard shown.contains(row), means(table.facts[row]),
        table.facts[row].pairs & pairs == pairs,
        words.isEmpty || areThere(in: table.rows[row].listing)
      else { continue }
      // One more shows that there is a next page.
      if found.count == limit {
        let last = found[limit - 1]
        let key = table.key(of: last, in: order)
        return (found.map { table.rows[$0] }, "\(key)~\(table.rows[last].listing.id)")
      }
      found.append(row)
    }
    return (found.map { table.rows[$0] }, nil)
  }

  /// Whether a row is meant, but for its title and its category.
  private func means(_ facts: DealTable.Facts) -> Bool {
    if let minimum, facts.total < minimum { return false }
    if let maximum, facts.total > maximum { return false }
    if let minimumScore, facts.tenths < minimumScore { return false }
    if let confidence, facts.confidence.map({ $0.rank >= confidence.rank }) != true { return false }
    if let condition, facts.condition != condition { return false }
    if let marketplace, facts.marketplace != marketplace { return false }
    if let endsBefore, facts.ends >= endsBefore.milliseconds { return false }
    return true
  }

  /// The first place behind the cursor, found by halving.
  private func start(in numbers: [Int32], of table: DealTable) -> Int {
    guard let cursor else { return 0 }
    var (low, high) = (0, numbers.count)
    while low < high {
      let middle = low + (high - low) / 2
      let row = Int(numbers[middle])
      let place = (table.key(of: row, in: order), table.rows[row].listing.id)
      if (cursor.key, cursor.id) < place { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension Confidence {
  fileprivate var rank: Int {
    switch self {
    case .low: 0
    case .medium: 1
    case .high: 2
    }
  }
}
