/// Points for a figure: straight lines between knots, level outside of them.
package struct ScoreCurve: Hashable, Sendable {
  package struct Knot: Hashable, Sendable {
    package let at: Int64
    /// 0 to 100.
    package let points: Int64

    package init(_ at: Int64, _ points: Int64) {
      self.at = at
      self.points = points
    }
  }

  /// In rising order; at least one.
  package let knots: [Knot]

  init(knots: [Knot]) { self.knots = knots }

  /// The points of a figure, 0 to 100, to the nearest whole one.
  package func points(at value: Int64) -> Int64 {
    guard let next = knots.firstIndex(where: { $0.at >= value }) else {
      return knots.last?.points ?? 0
    }
    let right = knots[next]
    guard next > 0, right.at > value else { return right.points }
    let left = knots[next - 1]
    let width = Int128(right.at) - Int128(left.at)
    let rise = Int128(right.points - left.points) * (Int128(value) - Int128(left.at))
    return Int64(clamping: (Int128(left.points) * width + rise).rounded(dividingBy: width))
  }
}
