import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// A credential that calls can be sent with in this process, and the upstream as it is bought from with it.
struct CredentialMember: Sendable {
  let id: String
  /// On whose meters it counts.
  let upstream: any Upstream
}

extension [CredentialMember] {
  /// Without those that count on the meters of one before them: what these refuse, they refuse too.
  var onDifferentMeters: [CredentialMember] {
    var seen: Set<MeterKey> = []
    return filter { member in
      member.upstream.meters.first.map { seen.insert($0.key).inserted } ?? true
    }
  }

  /// The upstreams behind them, each once.
  var upstreams: [any Upstream] {
    var seen: Set<String> = []
    return filter { seen.insert($0.upstream.credentials.joined(separator: "\0")).inserted }
      .map(\.upstream)
  }
}

/// How one credential stands for a decision.
struct CandidateCredential: Sendable {
  var member: CredentialMember
  /// How often it is chosen beside others.
  var weight: UInt32 = 1
  /// What is left of its limit, or in the upstream's bucket; nil: nobody knows.
  var remaining: Int64?
  /// When the upstream wanted no calls of its group last; nil: never.
  var limited: Timestamp?
}

extension Selection {
  /// The candidates in the order in which they are tried.
  ///
  /// - Parameters:
  ///   - candidates: in the order in which they were put in.
  ///   - draw: from 0 up to, not including, 1. Each order that chance has a say in is drawn from it.
  func order(_ candidates: [CandidateCredential], draw: Double) -> [CandidateCredential] {
    guard candidates.count > 1 else { return candidates }
    switch self {
    case .failover: return candidates
    case .mostRemaining:
      return sorted(candidates) { ($0.remaining ?? .min) > ($1.remaining ?? .min) }
    case .leastRecentlyLimited:
      let first = Timestamp(milliseconds: .min)
      return sorted(candidates) { ($0.limited ?? first) < ($1.limited ?? first) }
    case .weighted:
      return drawn(candidates, draw) { UInt64(max(1, $0.weight)) }
    case .random, .UNRECOGNIZED: return drawn(candidates, draw) { _ in 1 }
    }
  }

  /// Sorted, and where neither comes first as they stand.
  private func sorted(
    _ candidates: [CandidateCredential],
    by isBefore: (CandidateCredential, CandidateCredential) -> Bool
  ) -> [CandidateCredential] {
    candidates.enumerated().sorted { left, right in
      if isBefore(left.element, right.element) { return true }
      if isBefore(right.element, left.element) { return false }
      return left.offset < right.offset
    }.map(\.element)
  }

  /// One after the other, each as likely among those that are left as its weight among theirs. What is left of the draw
  /// when one is found is the draw for the next.
  private func drawn(
    _ candidates: [CandidateCredential], _ draw: Double,
    weight: (CandidateCredential) -> UInt64
  ) -> [CandidateCredential] {
    var left = candidates
    var order: [CandidateCredential] = []
    var draw = min(max(0, draw), 1.0.nextDown)
    while left.count > 1 {
      let all = left.reduce(0) { $0 + weight($1) }
      var place = draw * Double(all)
      var index = 0
      while index < left.count - 1, place >= Double(weight(left[index])) {
        place -= Double(weight(left[index]))
        index += 1
      }
      draw = min(max(0, place / Double(weight(left[index]))), 1.0.nextDown)
      order.append(left.remove(at: index))
    }
    return order + left
  }
}
