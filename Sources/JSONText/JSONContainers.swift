// What is inside objects and arrays, found by walking the tape: a lookup costs one step for each
// member or element before it, whatever these contain.

extension JSONValue {
  /// The value of a member; the last one if the name stands there twice. Nil if there is none, or
  /// if this is not an object.
  package subscript(name: String) -> JSONValue? {
    guard node.kind == .object else { return nil }
    let tape = document.tape
    let end = Int(node.next)
    let length = name.utf8.count + 2  // in the text it has quotes
    var found: JSONValue?
    var at = index + 1
    while at < end {
      let own = tape[at]
      if own.trait == .escaped || Int(own.end - own.start) == length,
        JSONValue(document: document, index: at).equals(name)
      {
        found = JSONValue(document: document, index: at + 1)
      }
      at = Int(tape[at + 1].next)
    }
    return found
  }

  /// An element of an array, counted from 0. Nil if there is none, or if this is not an array.
  package subscript(position: Int) -> JSONValue? {
    guard position >= 0, let array else { return nil }
    var rest = position
    for element in array {
      if rest == 0 { return element }
      rest -= 1
    }
    return nil
  }

  /// The members of an object, in the order of the text.
  package var members: JSONMembers? {
    node.kind == .object ? JSONMembers(object: self) : nil
  }

  /// The elements of an array, in order.
  package var array: JSONElements? {
    node.kind == .array ? JSONElements(array: self) : nil
  }
}

/// One member of an object.
package struct JSONMember: Sendable {
  private let nameValue: JSONValue
  package let value: JSONValue

  init(name: JSONValue, value: JSONValue) {
    nameValue = name
    self.value = value
  }

  package var name: String { nameValue.string ?? "" }

  /// Where the name stands, quotes included.
  package var nameRange: Range<Int> { nameValue.range }

  /// Whether the member has this name; cheaper than comparing ``name``.
  package func isNamed(_ name: String) -> Bool { nameValue.equals(name) }
}

/// The members of an object.
package struct JSONMembers: Sequence, Sendable {
  let object: JSONValue

  package func makeIterator() -> Iterator {
    Iterator(
      document: object.document, index: object.index + 1, end: Int(object.node.next))
  }

  package struct Iterator: IteratorProtocol {
    let document: JSONDocument
    var index: Int
    let end: Int

    package mutating func next() -> JSONMember? {
      guard index < end else { return nil }
      let name = JSONValue(document: document, index: index)
      let value = JSONValue(document: document, index: index + 1)
      index = Int(value.node.next)
      return JSONMember(name: name, value: value)
    }
  }
}

/// The elements of an array.
package struct JSONElements: Sequence, Sendable {
  let array: JSONValue

  /// How many there are; counts them.
  package var count: Int { reduce(0) { count, _ in count + 1 } }

  package var isEmpty: Bool { Int(array.node.next) == array.index + 1 }

  package var first: JSONValue? { self.first { _ in true } }

  package func makeIterator() -> Iterator {
    Iterator(document: array.document, index: array.index + 1, end: Int(array.node.next))
  }

  package struct Iterator: IteratorProtocol {
    let document: JSONDocument
    var index: Int
    let end: Int

    package mutating func next() -> JSONValue? {
      guard index < end else { return nil }
      let value = JSONValue(document: document, index: index)
      index = Int(value.node.next)
      return value
    }
  }
}
