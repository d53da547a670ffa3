package import TollbookEvents
package import TollbookLog
package import TollbookViews

/// Which failed jobs of the log are left out of the list. The jobs stay in the log, with what they have cost.
///
/// A job is cleared if it has failed, was there when failed jobs were cleared, and had ended then. Positions tell that, and
/// no clock: one that is set back changes nothing. What is cleared stays so: a later clearing covers all that one before
/// did.
package struct JobClearing: Hashable, Sendable {
  package static let kindName = "tollbook.jobs_cleared"
  static let resource = ResourceKey(shared: kindName, path: "failed")
  static let kind = ResourceKind(kindName, freshness: lasting, isBought: false)

  private static var lasting: FreshnessPolicy {
    let century: Int64 = 36_525 * 86_400_000
    var policy = FreshnessPolicy()
    policy.present = FreshnessWindows(fresh: century, grace: 0, errorGrace: 0, keep: century)
    return policy
  }

  /// The head of the log when failed jobs were cleared.
  package var head: Position
  /// Jobs that had not ended then, in the order of their numbers. As few as the kinds of jobs allow to be open.
  package var open: [Position]

  init(head: Position, open: [Position]) {
    self.head = head
    self.open = open
  }

  /// Whether a job is left out of the list.
  package func covers(_ number: Position, _ state: JobRow.State) -> Bool {
    state == .failed && number <= head && !open.contains(number)
  }
}

// MARK: As it is kept

extension JobClearing {
  /// The head, then the jobs that were open. Nil if it is not what is written.
  init?(_ bytes: [UInt8]) {
    var numbers: [Position] = []
    for word in bytes.split(separator: UInt8(ascii: " ")) {
      guard let number = Position(String(decoding: word, as: UTF8.self)) else { return nil }
      numbers.append(number)
    }
    guard let head = numbers.first else { return nil }
    self.init(head: head, open: Array(numbers.dropFirst()))
  }

  var bytes: [UInt8] { Array(([head] + open).map(String.init).joined(separator: " ").utf8) }
}

extension Gateway {
  /// The kinds of what the engine itself keeps.
  package static let ownKinds: Set<String> = [JobClearing.kindName]

  /// Leaves out of the list all jobs that have failed. No job changes, and none that waits or runs is concerned, now or
  /// when it has failed later.
  ///
  /// - Returns: what is left out from now on.
  @discardableResult
  package func clearFailedJobs() async throws -> JobClearing {
    // The head first: what is taken on after it is not covered, whether it is seen as open or not.
    let head = log.head
    let view = JobsView(log)
    let open = try log.read { (reading) throws(LogError) in try view.open(in: reading) }
    let clearing = JobClearing(head: head, open: open)
    let kept = try await rekeep(JobClearing.resource) { old in
      // Of two at the same time the later one holds, whichever is written last.
      if let old, let other = JobClearing(old), other.head >= head { return old }
      return clearing.bytes
    }
    jobs.forgetFailed()
    return JobClearing(kept) ?? clearing
  }

  /// Which failed jobs are left out of the list; nil: none were ever cleared.
  package func jobClearing() throws(LogError) -> JobClearing? {
    try keptContent(JobClearing.resource).flatMap { JobClearing($0) }
  }
}
