import TollbookEvents
import TollbookLog

/// A place in a stream of events, as its ids name it: which history, and after which position.
///
/// As text `3fa9c2d41b7e-1234`.
struct StreamPlace: Hashable, CustomStringConvertible {
  /// Nil: a position that somebody wrote by hand.
  var history: LogIdentity?
  var position: Position

  init(_ history: LogIdentity, _ position: Position) {
    self.history = history
    self.position = position
  }

  /// Reads an id, or a position alone; nil for anything else.
  init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard let last = parts.last, let position = Position(String(last)), parts.count <= 2 else {
      return nil
    }
    self.position = position
    guard parts.count == 2 else { return }
    guard let history = LogIdentity(parts[0]) else { return nil }
    self.history = history
  }

  var description: String {
    history.map { "\($0)-\(position)" } ?? "\(position)"
  }
}
