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
      .map { (text: $0, searched: SearchedText($0)) }
    let places = table.places(in: order)
    var found: [DealTable.Place] = []
    for place in places[start(in: places, of: table)...] {
      let row = Int(place.row)
      guard shown.contains(row), means(table.facts[row]) else { continue }
      if let marketplace, table.rows[row].listing.marketplace != marketplace { continue }
      let pairs = table.facts[row].pairs
      guard words.allSatisfy({ $0.searched.canBe(in: pairs) }) else { continue }
      let title = table.rows[row].title
      guard words.allSatisfy({ title.has($0.searched) }) else { continue }
      if !title.isASCII || !words.allSatisfy(\.searched.isASCII) {
        // An `e` is not the beginning of an `é`, though its bytes may be.
        let text = table.rows[row].listing.title.lowercased()
        guard words.allSatisfy({ text.contains($0.text) }) else { continue }
      }
      // One more shows that there is a next page.
      if found.count == limit {
        let last = found[limit - 1]
        let id = table.rows[Int(last.row)].listing.id
        return (found.map { table.rows[Int($0.row)] }, "\(last.key)~\(id)")
      }
      found.append(place)
    }
    return (found.map { table.rows[Int($0.row)] }, nil)
  }

  /// Whether a row is meant, but for its title and its category.
  private func means(_ facts: DealTable.Facts) -> Bool {
    if let minimum, facts.total < minimum { return false }
    if let maximum, facts.total > maximum { return false }
    if let minimumScore, facts.tenths < minimumScore { return false }
    if let confidence, facts.confidence.map({ $0.rank >= confidence.rank }) != true { return false }
    if let condition, facts.condition != condition { return false }
    if let endsBefore, facts.ends >= endsBefore.milliseconds { return false }
    return true
  }

  /// The first place behind the cursor, found by halving.
  private func start(in places: [DealTable.Place], of table: DealTable) -> Int {
    guard let cursor else { return 0 }
    var (low, high) = (0, places.count)
    while low < high {
      let middle = low + (high - low) / 2
      let place = places[middle]
      let id = table.rows[Int(place.row)].listing.id.description
      if (cursor.key, cursor.id) < (place.key, id) { high = middle } else { low = middle + 1 }
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
