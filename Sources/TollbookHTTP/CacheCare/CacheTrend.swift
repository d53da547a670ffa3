import JSONText

/// How a figure changed from one stretch of time to the next.
struct CacheTrend: Hashable, Sendable {
  enum Direction: String, Sendable { case rising, falling, steady }

  /// How much it may differ and still count as steady.
  enum Tolerance: Sendable {
    /// By as much as the figure counts.
    case points(Double)
    /// By a part of what it was before.
    case part(Double)
  }

  /// Nil: it is not known.
  let before: Double?
  let after: Double?
  /// Nil unless both are known.
  let change: Double?
  let direction: Direction?

  init(before: Double?, after: Double?, steadyWithin tolerance: Tolerance) {
    self.before = before
    self.after = after
    guard let before, let after else {
      change = nil
      direction = nil
      return
    }
    let change = rounded(after - before, digits: 2)
    self.change = change
    let bound =
      switch tolerance {
      case .points(let points): points
      case .part(let part): abs(before) * part
      }
    direction = abs(change) <= bound ? .steady : change > 0 ? .rising : .falling
  }

  func write(_ name: String, to json: inout JSONWriter) {
    json.object(name) { json in
      json.field("before", before)
      json.field("after", after)
      json.field("change", change)
      json.field("direction", direction?.rawValue)
    }
  }
}
