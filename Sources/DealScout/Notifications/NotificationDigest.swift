/// What is told in one message to one channel: one notice, or those of an hour.
package struct NotificationDigest: Hashable, Sendable {
  /// Notices that a digest tells; of more it gives the number.
  package static let mostTold = 50

  /// One at least, in the order in which they came.
  package let notices: [NotificationNotice]
  /// How many more there were.
  package let untold: Int

  /// - Parameter all: one at least; as many as fit are told.
  package init(_ all: [NotificationNotice]) {
    notices = Array(all.prefix(Self.mostTold))
    untold = all.count - notices.count
  }

  package var account: String { notices.first?.fact.account ?? "" }
}
