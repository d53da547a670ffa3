package import JSONText
import TollbookArchive
import TollbookEvents

/// What became of what was paid. Each token, and each part of any other unit, that was spent or may have been, belongs
/// to one class; there is none for the rest, so that nothing hides in it.
///
/// What a call cost is divided over its resources by the shares in the event, and by its weights where there are none,
/// as for a doubt. Where a share tells what became of it, that is its class. What events that tell it leave open, and
/// what is left of a doubt, brought nothing. In events of format 1, which tell nothing, the first rule of this list that
/// matches says it, for each resource by itself.
///
/// Of a range of whole hours an audit says what the log knows at its head; of another range what was known at its end,
/// which is the same for ever.
package enum WasteClass: Int, CaseIterable, Sendable {
  /// Charged, though when the call began the cache held a fresh entry that covered what was wanted and was not older
  /// than the reader accepted, or another call that was under way would have brought it.
  case duplicate
  /// Charged for an attempt that brought nothing for the resource: no answer, or an answer without it.
  case failed
  /// In doubt.
  case inDoubt
  /// Held as spent for good, because nothing can prove it any more.
  case unprovable
  /// Reserved for an attempt of which the end is not known.
  case reserved
  /// Charged for an answer with the same body as the entry that it replaced, or with “there is no such thing” again.
  case unchanged
  /// Charged for a refresh that nobody waited for, and no read was answered with it while it was fresh, before it was
  /// stale, replaced or removed.
  case neverRead
  /// Charged for a refresh that nobody waited for, and it answered at least one read while it was fresh.
  case refreshed
  /// Charged for what somebody waited for: its buyer read it.
  case served
  /// Charged for a part of an answer that was handed on to who asked, and not kept.
  case handedOn
  /// Charged for a call that was passed through: its answers are never kept.
  case passedThrough
  /// Charged for a refresh that nobody waited for, that nobody has read yet, and that is still fresh. In whole hours: of
  /// which no event says yet that it is not.
  case live
  /// Added to charges that were found wrong, or taken off them. It counts when that was found.
  case corrected

  /// As JSON and CSV name it.
  package var name: String {
    switch self {
    case .duplicate: "duplicate"
    case .failed: "failed"
    case .inDoubt: "in_doubt"
    case .unprovable: "unprovable"
    case .reserved: "reserved"
    case .unchanged: "unchanged"
    case .neverRead: "never_read"
    case .refreshed: "refreshed_and_used"
    case .served: "served"
    case .handedOn: "handed_on"
    case .passedThrough: "passed_through"
    case .live: "still_live"
    case .corrected: "corrected"
    }
  }

  /// Whether what was paid bought nothing of use; nil where that is not known yet.
  package var isWaste: Bool? {
    switch self {
    case .duplicate, .failed, .unchanged, .neverRead: true
    case .inDoubt, .unprovable, .reserved, .live, .corrected: nil
    case .refreshed, .served, .handedOn, .passedThrough: false
    }
  }
}

/// Amounts of one unit by what became of them. The classes sum to what was spent of it in the range at most: certain,
/// in doubt, unprovable and reserved. What corrections take off is less than nothing.
package struct WasteSums: Hashable, Sendable {
  private var amounts = [Int64](repeating: 0, count: WasteClass.allCases.count)

  package static let zero = WasteSums()

  package init() {}

  package subscript(wasteClass: WasteClass) -> Int64 {
    get { amounts[wasteClass.rawValue] }
    set { amounts[wasteClass.rawValue] = newValue }
  }

  package var total: Int64 { amounts.reduce(0, &+) }

  /// What certainly bought nothing of use.
  package var wasted: Int64 {
    WasteClass.allCases.filter { $0.isWaste == true }.reduce(0) { $0 &+ self[$1] }
  }

  package func write(to json: inout JSONWriter, unit: String) {
    json.object { json in
      json.field("unit", unit)
      for wasteClass in WasteClass.allCases {
        json.amount(wasteClass.name, self[wasteClass], unit)
      }
      json.amount("total", total, unit)
    }
  }
}

/// Divides an amount by weights, in integers, largest remainder first. The parts sum to the amount, whatever its sign.
func divide(_ amount: Int64, over weights: [Int64]) -> [Int64] {
  let weights = weights.map { max(0, $0) }
  guard amount < 0 else { return allot(amount, over: weights) }
  // The least number has no counterpart: one of it goes to the first.
  guard amount > .min else {
    var parts = divide(-.max, over: weights)
    if !parts.isEmpty { parts[0] -= 1 }
    return parts
  }
  return allot(-amount, over: weights).map { -$0 }
}

/// Divides an amount evenly, in integers: what is left over goes one by one to the first. The parts sum to the amount,
/// whatever its sign.
func evenly(_ amount: Int64, over count: Int) -> [Int64] {
  guard count > 0 else { return [] }
  let (quotient, rest) = amount.quotientAndRemainder(dividingBy: Int64(count))
  return (0..<count).map { quotient + ($0 < abs(rest) ? rest.signum() : 0) }
}
