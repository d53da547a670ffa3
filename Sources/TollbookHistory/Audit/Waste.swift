package import JSONText

/// What became of tokens. Each token that was spent, or may have been, belongs to the first rule of this list that
/// matches; there is no class for the rest, so that nothing hides in it.
///
/// A call's tokens are divided over its resources by the shares in the event, and evenly where there are none, as for a
/// doubt. The rules judge each resource by itself, with what the log knows at the end of the audited range: an audit of
/// the same range always says the same.
package enum WasteClass: Int, CaseIterable, Sendable {
  /// Charged, though when the call began the cache held a fresh entry that covered what was wanted and was not older
  /// than the reader accepted, or another call that was under way would have brought it.
  case duplicate
  /// Charged for an attempt that brought nothing for the resource: no answer, or an answer without it.
  case failed
  /// In doubt at the end of the range.
  case inDoubt
  /// Held as spent for good, because nothing can prove it any more.
  case unprovable
  /// Charged for an answer with the same body as the entry that it replaced, or with “there is no such thing” again.
  case unchanged
  /// Charged for a refresh that nobody waited for, and no read was answered with it while it was fresh, before it was
  /// stale, replaced or removed.
  case neverRead
  /// Charged for a refresh that nobody waited for, and it answered at least one read while it was fresh.
  case refreshed
  /// Charged for what somebody waited for: its buyer read it.
  case served
  /// Charged for a refresh that nobody waited for, that nobody has read yet, and that is still fresh.
  case live

  /// As JSON and CSV name it.
  package var name: String {
    switch self {
    case .duplicate: "duplicate"
    case .failed: "failed"
    case .inDoubt: "in_doubt"
    case .unprovable: "unprovable"
    case .unchanged: "unchanged"
    case .neverRead: "never_read"
    case .refreshed: "refreshed_and_used"
    case .served: "served"
    case .live: "still_live"
    }
  }

  /// Whether the tokens bought nothing of use; nil where that is not known yet.
  package var isWaste: Bool? {
    switch self {
    case .duplicate, .failed, .unchanged, .neverRead: true
    case .inDoubt, .unprovable, .live: nil
    case .refreshed, .served: false
    }
  }
}

/// Tokens by what became of them. The classes sum to the tokens of the range: certain, in doubt and unprovable.
package struct WasteSums: Hashable, Sendable {
  private var amounts = [Int64](repeating: 0, count: WasteClass.allCases.count)

  package init() {}

  package subscript(wasteClass: WasteClass) -> Int64 {
    get { amounts[wasteClass.rawValue] }
    set { amounts[wasteClass.rawValue] = newValue }
  }

  package var total: Int64 { amounts.reduce(0, &+) }

  /// Tokens that certainly bought nothing of use.
  package var wasted: Int64 {
    WasteClass.allCases.filter { $0.isWaste == true }.reduce(0) { $0 &+ self[$1] }
  }

  package func write(to json: inout JSONWriter) {
    json.object { json in
      for wasteClass in WasteClass.allCases { json.field(wasteClass.name, self[wasteClass]) }
      json.field("total", total)
    }
  }
}

/// Divides an amount evenly, in integers: what is left over goes one by one to the first. The parts sum to the amount,
/// whatever its sign.
func evenly(_ amount: Int64, over count: Int) -> [Int64] {
  guard count > 0 else { return [] }
  let (quotient, rest) = amount.quotientAndRemainder(dividingBy: Int64(count))
  return (0..<count).map { quotient + ($0 < abs(rest) ? rest.signum() : 0) }
}
