/// A list that mostly has one element, which then takes no memory of its own.
struct ShortList<Element> {
  private var head: Element?
  private var tail: [Element] = []

  init() {}

  init(_ element: Element) { head = element }

  mutating func append(_ element: Element) {
    if head == nil { head = element } else { tail.append(element) }
  }
}

extension ShortList: RandomAccessCollection, MutableCollection {
  var startIndex: Int { 0 }
  var endIndex: Int { head == nil ? 0 : 1 + tail.count }

  subscript(index: Int) -> Element {
    get {
      if index == 0, let head { return head }
      return tail[index - 1]
    }
    set {
      if index == 0 { head = newValue } else { tail[index - 1] = newValue }
    }
  }
}

extension ShortList: Sendable where Element: Sendable {}

/// So much of a unit, by the number of the unit.
struct UnitAmount: Sendable {
  var unit: Int
  var count: Int64
}

extension ShortList<UnitAmount> {
  /// Adds an amount to that of its unit.
  mutating func add(_ count: Int64, unit: Int) {
    if let place = firstIndex(where: { $0.unit == unit }) {
      self[place].count &+= count
    } else {
      append(UnitAmount(unit: unit, count: count))
    }
  }
}
