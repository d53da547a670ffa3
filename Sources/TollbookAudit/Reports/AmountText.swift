package import TollbookEvents

extension [Amount] {
  /// For people: each unit's amount, `3 tokens and 0.02 EUR`.
  package var text: String {
    guard count > 1, let last else { return first?.text ?? "nothing" }
    return dropLast().map(\.text).joined(separator: ", ") + " and \(last.text)"
  }
}

extension [Posting] {
  /// What the postings that a condition picks come to, once for each unit; what only limits a cost is left out.
  package func amounts(_ amount: (Posting.Change) -> Int64?) -> [Amount] {
    reduce(into: []) { sums, posting in
      guard !posting.isLimitOnly, let count = amount(posting.change) else { return }
      sums.add(count, posting.page.unit)
    }
  }
}
