import JSONText

/// The JSON object that a finder or deal query consists of: the parameter `selection`, or the body
/// of a POST.
struct KeepaSelection: Sendable {
  private let root: JSONValue

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    let bytes =
      parameters.body.isEmpty ? Array((parameters["selection"] ?? "").utf8) : parameters.body
    guard let document = try? JSONDocument(bytes, maximumDepth: 16),
      document.root.kind == .object
    else { throw KeepaRejection(details: "selection is no JSON object") }
    root = document.root
  }

  /// The names and values, in the order of the text.
  var members: [(name: String, value: JSONValue)] {
    root.members.map { $0.map { ($0.name, $0.value) } } ?? []
  }

  /// A value; nil if it is absent or null.
  subscript(name: String) -> JSONValue? {
    root[name].flatMap { $0.isNull ? nil : $0 }
  }

  /// An integer of a range; a text of digits counts too.
  func number(
    _ name: String, _ range: ClosedRange<Int> = Int.min...Int.max
  ) throws(KeepaRejection) -> Int? {
    guard let value = self[name] else { return nil }
    guard let number = Self.number(value), range.contains(number) else {
      throw KeepaRejection(details: "\(name) of the selection is not valid")
    }
    return number
  }

  /// True or false; absent is false.
  func flag(_ name: String) throws(KeepaRejection) -> Bool {
    guard let value = self[name] else { return false }
    guard let flag = value.bool else {
      throw KeepaRejection(details: "\(name) of the selection is neither true nor false")
    }
    return flag
  }

  /// An array of integers, or one integer without brackets.
  func numbers(_ name: String) throws(KeepaRejection) -> [Int]? {
    try list(name, Self.number)
  }

  /// An array of texts, or one text without brackets.
  func texts(_ name: String) throws(KeepaRejection) -> [String]? {
    try list(name) { $0.string }
  }

  /// The words of a text, in small letters.
  func words(_ name: String) -> [String] {
    self[name]?.string?.lowercased().split(separator: " ").map(String.init) ?? []
  }

  /// Two integers, the smaller one first.
  func range(_ name: String) throws(KeepaRejection) -> ClosedRange<Int>? {
    guard let ends = try numbers(name) else { return nil }
    guard ends.count == 2, ends[0] <= ends[1] else {
      throw KeepaRejection(details: "\(name) of the selection is no range")
    }
    return ends[0]...ends[1]
  }

  /// The value if it is an integer, or a text of one.
  static func number(_ value: JSONValue) -> Int? {
    value.int ?? value.string.flatMap { Int($0) }
  }

  private func list<Element>(
    _ name: String, _ read: (JSONValue) -> Element?
  ) throws(KeepaRejection) -> [Element]? {
    guard let value = self[name] else { return nil }
    let values = value.array.map(Array.init) ?? [value]
    let elements = values.compactMap(read)
    guard elements.count == values.count else {
      throw KeepaRejection(details: "\(name) of the selection is not valid")
    }
    return elements
  }
}
