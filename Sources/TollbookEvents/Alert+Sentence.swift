extension Alert {
  /// For people: what has come to pass, in one sentence without a full stop.
  package var sentence: String {
    switch name {
    case AlertName.threshold.rawValue:
      "the budget \(whose) has used \(percent) % of \(text(limit)); \(text(free)) are free"
    case AlertName.exceeded.rawValue:
      "the budget \(whose) refuses what does not fit; \(text(max(0, free))) of \(text(limit))"
        + " are free"
    case AlertName.low.rawValue:
      "\(upstream) has \(text(free)) left, which is below \(text(limit))"
    case AlertName.rejected.rawValue:
      "\(upstream) refuses the credential \(credential)\(detail.isEmpty ? "" : ": \(detail)")"
    case AlertName.cooling.rawValue:
      "\(upstream) wants no calls of the credential \(credential)"
        + (detail.isEmpty ? "" : ": \(detail)")
    case AlertName.finished.rawValue:
      "job \(job ?? "") of \(account) has ended: \(detail)"
    default: name
    }
  }

  /// The number of the job that has ended, where that is told: its payments bear it as a tag.
  package var job: String? {
    let prefix = "job:"
    guard name == AlertName.finished.rawValue, tag.hasPrefix(prefix) else { return nil }
    return String(tag.dropFirst(prefix.count))
  }

  /// The budget as people are told it: with its tag and its window.
  private var whose: String {
    budget + (tag.isEmpty ? "" : ", \(tag)") + (window.isEmpty ? "" : ", \(window)")
  }

  private func text(_ count: Int64) -> String { Amount(count, unit).inWords }
}

/// What alerts there are, and of what a webhook can be told. The raw values are part of the HTTP API and of events.
package enum AlertName: String, Hashable, Sendable, CaseIterable {
  /// A budget has used one of the shares of its limit at which it is told.
  case threshold = "budget.threshold"
  /// A budget has refused something, for the first time in its window.
  case exceeded = "budget.exceeded"
  /// An upstream has less left than the setting asks for.
  case low = "meter.low"
  /// An upstream refuses a credential.
  case rejected = "credential.rejected"
  /// An upstream wants no calls of a credential for a while.
  case cooling = "credential.cooling"
  /// A job that outlives the process has ended. Nothing is wrong with that, and it is open at no time.
  case finished = "job.finished"
}

extension NotificationSent {
  /// How it ended, for people.
  package var end: String {
    let answer = status == 0 ? detail : detail.isEmpty ? "\(status)" : "\(status), \(detail)"
    return switch outcome {
    case .delivered: answer.isEmpty ? "delivered" : "delivered (\(answer))"
    case .failed: "failed (\(answer)), tried again at \(Timestamp(milliseconds: nextMs))"
    case .dead, .UNRECOGNIZED: "given up (\(answer))"
    }
  }
}
