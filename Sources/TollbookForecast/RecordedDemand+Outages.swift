import TollbookEvents

extension RecordedDemand {
  /// When the upstream did not answer well, and how long its answers took.
  ///
  /// - Parameter isBucket: whether what is left of the limit is followed.
  mutating func findOutages(isBucket: Bool) {
    var lastGood: Int64?
    var began: Int64?
    var shortest = Int64.max
    for call in calls.sorted(by: { $0.start < $1.start }) where call.end != .max {
      if call.hasSucceeded {
        if let from = began {
          outages.append(from...max(from, call.start))
          began = nil
        }
        lastGood = call.start
        for item in call.items {
          let fetched = purchases[Int(item)].fetched
          guard fetched != .min else { continue }
          shortest = min(shortest, max(0, fetched - call.start))
          longestAnswer = max(longestAnswer, fetched - call.start)
        }
      } else if began == nil, call.failure.isOfUpstream(isBucket: isBucket) {
        began = lastGood ?? call.start - 3_600_000
      }
    }
    if let began { outages.append(began ... .max) }
    shortestAnswer = shortest == .max ? 0 : shortest
    if shortest == .max { longestAnswer = 30_000 }
  }
}

extension FailureReason {
  /// Whether whoever had asked at that time would have failed too.
  ///
  /// - Parameter isBucket: whether what is left of the limit is followed.
  fileprivate func isOfUpstream(isBucket: Bool) -> Bool {
    switch self {
    case .insufficientTokens: !isBucket
    case .requestRejected, .processEnded, .retryRefused: false
    default: true
    }
  }
}
