/// How old answers were: counts by age, in classes that are less than one percent wide.
struct AgeHistogram: Sendable {
  /// Ages below have a class each, in seconds.
  private static let exact: Int64 = 128
  private static let classesPerDoubling: Int64 = 128

  private var counts: [Int64] = Array(repeating: 0, count: 128 * 40)

  mutating func add(milliseconds: Int64, times: Int64) {
    counts[Self.index(max(0, milliseconds) / 1_000)] += times
  }

  private static func index(_ seconds: Int64) -> Int {
    guard seconds >= exact else { return Int(seconds) }
    let doublings = Int64(63 - seconds.leadingZeroBitCount - 7)
    let place = (seconds >> doublings) - classesPerDoubling
    return min(Int((doublings + 1) * classesPerDoubling + place), 128 * 40 - 1)
  }

  /// The seconds that a class holds.
  private static func seconds(_ index: Int) -> ClosedRange<Int64> {
    let index = Int64(index)
    guard index >= exact else { return index...index }
    let doublings = index / classesPerDoubling - 1
    let first = (index % classesPerDoubling + classesPerDoubling) << doublings
    return first...(first + (1 << doublings) - 1)
  }

  /// The age that this part of all answers does not exceed, in seconds; nil without answers.
  func percentile(_ part: Double) -> ClosedRange<Int64>? {
    let total = counts.reduce(0, +)
    guard total > 0 else { return nil }
    let wanted = max(1, Int64((Double(total) * part).rounded(.up)))
    var sum: Int64 = 0
    for (index, count) in counts.enumerated() {
      sum += count
      if sum >= wanted { return Self.seconds(index) }
    }
    return nil
  }
}
