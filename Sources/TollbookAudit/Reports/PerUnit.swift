/// Something for each unit, in the order of the units' bytes. What is of one unit is never added to what is of another.
package struct PerUnit<Value: Hashable & Sendable>: Hashable, Sendable {
  package struct Element: Hashable, Sendable {
    package let unit: String
    package var value: Value
  }

  private var elements: [Element] = []

  package init() {}

  /// From values that stand at the numbers of their units.
  ///
  /// - Parameter isWanted: whether to take a value.
  init(_ values: [Value], unitsOf names: Names, where isWanted: (Value) -> Bool) {
    for (number, value) in values.enumerated() where isWanted(value) {
      self[names.all[number].text, default: value] = value
    }
  }

  package var units: [String] { elements.map(\.unit) }

  package subscript(unit: String) -> Value? {
    let place = place(of: unit)
    return isThere(unit, at: place) ? elements[place].value : nil
  }

  /// Reading does not add the unit; changing does.
  package subscript(unit: String, default value: @autoclosure () -> Value) -> Value {
    get { self[unit] ?? value() }
    set {
      let place = place(of: unit)
      if isThere(unit, at: place) {
        elements[place].value = newValue
      } else {
        elements.insert(Element(unit: unit, value: newValue), at: place)
      }
    }
  }

  package mutating func removeAll(where isUnwanted: (Value) -> Bool) {
    elements.removeAll { isUnwanted($0.value) }
  }

  /// Where a unit stands, or would.
  private func place(of unit: String) -> Int {
    elements.firstIndex { !$0.unit.utf8.lexicographicallyPrecedes(unit.utf8) } ?? elements.count
  }

  private func isThere(_ unit: String, at place: Int) -> Bool {
    place < elements.count && elements[place].unit.utf8.elementsEqual(unit.utf8)
  }
}

extension PerUnit: Sequence {
  package func makeIterator() -> IndexingIterator<[Element]> { elements.makeIterator() }

  package var isEmpty: Bool { elements.isEmpty }
}
