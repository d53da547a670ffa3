/// The entries of the least worth among any number that it is shown, in bounded memory: a heap whose root is the
/// first to give way to one of less worth.
package struct EvictionPolicy<Entry: Sendable>: Sendable {
  package struct Candidate: Sendable {
    package let worth: EvictionWorth
    package let entry: Entry

    package init(_ entry: Entry, worth: EvictionWorth) {
      self.worth = worth
      self.entry = entry
    }
  }

  /// The most that it keeps.
  package let limit: Int
  /// Whether it was shown more than it keeps.
  package private(set) var isCut = false
  /// No element has less worth than those below it, at twice its index and one or two more.
  private var heap: [Candidate] = []

  /// - Parameter limit: the most that it keeps; at least one.
  package init(limit: Int) { self.limit = max(1, limit) }

  /// Shows it an entry.
  ///
  /// - Complexity: O(log limit).
  package mutating func offer(_ entry: @autoclosure () -> Entry, worth: EvictionWorth) {
    if heap.count < limit {
      heap.append(Candidate(entry(), worth: worth))
      rise()
      return
    }
    isCut = true
    guard worth < heap[0].worth else { return }
    heap[0] = Candidate(entry(), worth: worth)
    sink()
  }

  /// Those that it keeps, in the order in which they go.
  package var leastFirst: [Candidate] { heap.sorted { $0.worth < $1.worth } }

  private mutating func rise() {
    var index = heap.count - 1
    while index > 0 {
      let above = (index - 1) / 2
      guard heap[above].worth < heap[index].worth else { return }
      heap.swapAt(above, index)
      index = above
    }
  }

  private mutating func sink() {
    var index = 0
    while true {
      var greatest = index
      for below in [2 * index + 1, 2 * index + 2]
      where below < heap.count && heap[greatest].worth < heap[below].worth { greatest = below }
      guard greatest != index else { return }
      heap.swapAt(greatest, index)
      index = greatest
    }
  }
}
