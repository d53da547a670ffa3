package import TollbookEvents

/// Notices that wait for the full hour, channel by channel: a pure state machine.
package struct NotificationDigests: Hashable, Sendable {
  /// Notices that a digest tells; of more it gives the number.
  package static let mostTold = 50
  /// Channels that may wait at once; what comes beyond is told at once.
  package static let mostChannels = 10_000
  private static let hour: Int64 = 3_600_000

  private struct Place: Hashable {
    let account: String
    let channel: String
  }

  private struct Waiting: Hashable {
    var notices: [NotificationNotice] = []
    var untold = 0
    let since: Timestamp
  }

  private var waiting: [Place: Waiting] = [:]

  package init() {}

  package var isEmpty: Bool { waiting.isEmpty }

  /// Takes a notice.
  ///
  /// - Returns: what is to be told now; nil: it waits.
  package mutating func add(
    _ notice: NotificationNotice, now: Timestamp
  ) -> NotificationDigest? {
    let place = Place(account: notice.fact.account, channel: notice.channel)
    guard notice.timing == .hourly, waiting[place] != nil || waiting.count < Self.mostChannels
    else { return NotificationDigest(notices: [notice], untold: 0) }
    var own = waiting[place] ?? Waiting(since: now)
    if own.notices.count < Self.mostTold { own.notices.append(notice) } else { own.untold += 1 }
    waiting[place] = own
    return nil
  }

  /// Takes out what is due: what has waited over a full hour of UTC, and all that a clock that was set back would hold
  /// for more than two hours.
  ///
  /// - Returns: by account and channel.
  package mutating func due(at now: Timestamp) -> [NotificationDigest] {
    let due = waiting.filter { _, own in
      let (next, overflow) = Self.fullHour(after: own.since)
      return overflow || now >= next || next > now.advanced(byMilliseconds: 2 * Self.hour)
    }
    for place in due.keys { waiting[place] = nil }
    return due.sorted { ($0.key.account, $0.key.channel) < ($1.key.account, $1.key.channel) }
      .map { NotificationDigest(notices: $0.value.notices, untold: $0.value.untold) }
  }

  private static func fullHour(after instant: Timestamp) -> (Timestamp, overflow: Bool) {
    let rest = instant.milliseconds % hour
    let (next, overflow) = instant.milliseconds.addingReportingOverflow(
      hour - (rest < 0 ? rest + hour : rest))
    return (Timestamp(milliseconds: next), overflow)
  }
}

/// What is told in one message to one channel: one notice, or those of an hour.
package struct NotificationDigest: Hashable, Sendable {
  /// One at least, in the order in which they came.
  package let notices: [NotificationNotice]
  /// How many more there were.
  package let untold: Int

  package init(notices: [NotificationNotice], untold: Int) {
    self.notices = notices
    self.untold = untold
  }

  package var account: String { notices.first?.fact.account ?? "" }
  package var channel: String { notices.first?.channel ?? "" }
}
