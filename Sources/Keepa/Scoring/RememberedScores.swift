import DequeModule
import TollbookEvents

/// Scores that were worked out, each for as long as its window lasts. The oldest make room for new ones.
struct RememberedScores {
  /// What a score is the same for. The basis is part of it by its version.
  struct Key: Hashable {
    let digest: [UInt8]
    let costs: ProductCosts
    let day: Int64
    let version: String
  }

  /// How long a score answers if nothing else is said, in milliseconds.
  static let window: Int64 = 6 * 3_600_000
  /// The most that are remembered; one takes about a kilobyte.
  static let most = 100_000

  private let window: Int64
  private let most: Int
  private var scores: [Key: (score: ProductScore, until: Timestamp)] = [:]
  /// In the order in which they came, also those that were worked out anew since.
  private var order: Deque<(key: Key, until: Timestamp)> = []

  init(window: Int64 = Self.window, most: Int = Self.most) {
    self.window = window
    self.most = most
  }

  var count: Int { scores.count }

  /// Nil: it is not known, or its window is over.
  func score(_ key: Key, at now: Timestamp) -> ProductScore? {
    guard let found = scores[key], now < found.until,
      // Worked out in a future that a clock has been set back from.
      found.until <= now.advanced(byMilliseconds: window)
    else { return nil }
    return found.score
  }

  mutating func remember(_ score: ProductScore, _ key: Key, at now: Timestamp) {
    guard window > 0, most > 0 else { return }
    let until = now.advanced(byMilliseconds: window)
    // Two may work out the same at once.
    guard scores[key]?.until != until else { return }
    scores[key] = (score, until)
    order.append((key, until))
    while let oldest = order.first, order.count > most || oldest.until <= now {
      order.removeFirst()
      if scores[oldest.key]?.until == oldest.until { scores[oldest.key] = nil }
    }
  }
}
