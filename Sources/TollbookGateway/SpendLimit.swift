import Synchronization

/// What a request may still spend by its own word, over all its calls and every attempt of them. What is in doubt
/// counts as spent.
final class SpendLimit: Sendable {
  private let left: Mutex<Int64?>

  /// - Parameter limit: nil for none.
  init(_ limit: Int64?) { left = Mutex(limit) }

  var remaining: Int64? { left.withLock { $0 } }

  /// Takes what was reserved by the limit that `remaining` named.
  func take(_ tokens: Int64) {
    left.withLock { left in left = left.map { $0 - tokens } }
  }

  /// Takes it only if it is there.
  func takeIfPossible(_ tokens: Int64) -> Bool {
    left.withLock { left in
      guard let known = left else { return true }
      guard known >= tokens else { return false }
      left = known - tokens
      return true
    }
  }

  /// Gives back what an attempt did not use; takes what it used beyond its bound.
  func giveBack(_ tokens: Int64) { take(-tokens) }
}
