import Synchronization
package import TollbookLog

/// What the housekeeping has to tell whoever runs the service.
package enum HouseNote: Hashable, Sendable, CustomStringConvertible {
  /// From here on nothing is bought for want of space, and why.
  case outOfSpace(String)
  case spaceIsBack
  /// Readings of processes that died while they read no longer hold pages.
  case deadReaders(Int)
  /// Something that somebody should know.
  case alertRaised(String)
  case alertCleared(String)
  /// A webhook could not be told.
  case deliveryGivenUp(String)

  package var description: String {
    switch self {
    case .outOfSpace(let reason): "read-only, nothing is bought: \(reason)"
    case .spaceIsBack: "there is space again: purchases go on"
    case .deadReaders(let count):
      "let go of \(count) \(count == 1 ? "reading" : "readings") of processes that died in it"
    case .alertRaised(let text): text
    case .alertCleared(let text): "over: \(text)"
    case .deliveryGivenUp(let text): "gave up the delivery \(text)"
    }
  }
}

/// Sees when space goes and when it comes back, and tells each once.
final class StorageWatch: Sendable {
  private let isShort = Mutex(false)

  /// - Parameter shortage: why nothing can be bought now; nil: there is space.
  /// - Returns: what is news.
  func note(_ shortage: String?) -> HouseNote? {
    isShort.withLock { isShort in
      guard isShort != (shortage != nil) else { return nil }
      isShort = shortage != nil
      return shortage.map { .outOfSpace($0) } ?? .spaceIsBack
    }
  }
}

extension EventLog {
  /// Why nothing is bought for want of space: the log takes no events, or what is left is kept for calls already paid.
  /// Nil: there is space.
  package func shortage() throws(LogError) -> String? {
    if case .readOnly(let reason) = writerState {
      let advice = try headroom().shortage
      return advice.map { "\(reason); \($0)" } ?? reason
    }
    return try headroom().shortage
  }
}

extension Gateway {
  /// Looks after the space of the log: once after each round of tallies.
  func watchStorage(_ tell: @Sendable (HouseNote) -> Void) {
    log.reopenIfThereIsSpace()
    do throws(LogError) {
      if let note = storage.note(try log.shortage()) { tell(note) }
    } catch {
      // The next round looks again.
    }
  }

  /// Lets go of what dead processes held.
  func releaseDeadReaders(_ tell: @Sendable (HouseNote) -> Void) {
    let count = (try? log.releaseDeadReaders()) ?? 0
    if count > 0 { tell(.deadReaders(count)) }
  }
}
