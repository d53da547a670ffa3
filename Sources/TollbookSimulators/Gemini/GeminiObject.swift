import JSONText

/// An object of a request. Its members may be named in camelCase or in snake_case, as in the JSON of protobuf; a member
/// that is `null` is absent.
struct GeminiObject: Sendable {
  let value: JSONValue
  /// Where it stands in the body, in the names that errors use; empty for the body itself.
  let path: String

  init(_ value: JSONValue, at path: String) throws(GeminiError) {
    guard value.kind == .object else {
      throw .invalid(path, "must be an object, not \(value.kind)")
    }
    self.value = value
    self.path = path
  }

  /// The value of a member, by its name in camelCase.
  subscript(name: String) -> JSONValue? {
    guard let found = value[name] ?? value[Self.snakeCase(name)], !found.isNull else { return nil }
    return found
  }

  /// Where a member stands in the body.
  func path(of name: String) -> String {
    path.isEmpty ? Self.snakeCase(name) : "\(path).\(Self.snakeCase(name))"
  }

  func object(_ name: String) throws(GeminiError) -> GeminiObject? {
    guard let value = self[name] else { return nil }
    return try GeminiObject(value, at: path(of: name))
  }

  /// The elements of an array, each of which must be an object; empty if the member is absent.
  func objects(_ name: String) throws(GeminiError) -> [GeminiObject] {
    var objects: [GeminiObject] = []
    for (index, value) in try array(name).enumerated() {
      objects.append(try GeminiObject(value, at: "\(path(of: name))[\(index)]"))
    }
    return objects
  }

  /// The elements of an array; empty if the member is absent.
  func array(_ name: String) throws(GeminiError) -> [JSONValue] {
    guard let value = self[name] else { return [] }
    guard let array = value.array else {
      throw .invalid(path(of: name), "must be an array, not \(value.kind)")
    }
    return Array(array)
  }

  func string(_ name: String) throws(GeminiError) -> String? {
    guard let value = self[name] else { return nil }
    guard let string = value.string else {
      throw .invalid(path(of: name), "must be a string, not \(value.kind)")
    }
    return string
  }

  func bool(_ name: String) throws(GeminiError) -> Bool? {
    guard let value = self[name] else { return nil }
    guard let bool = value.bool else {
      throw .invalid(path(of: name), "must be true or false, not \(value.kind)")
    }
    return bool
  }

  /// An integer of a range. The JSON of protobuf allows it in quotes, too.
  func int(_ name: String, _ range: ClosedRange<Int>) throws(GeminiError) -> Int? {
    guard let value = self[name] else { return nil }
    guard let int = value.int ?? value.string.flatMap({ Int($0) }), range.contains(int) else {
      throw .invalid(
        path(of: name), "must be an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return int
  }

  /// Checks a number of a range.
  func check(_ name: String, _ range: ClosedRange<Double>) throws(GeminiError) {
    guard let value = self[name] else { return }
    guard let number = value.double, range.contains(number) else {
      throw .invalid(
        path(of: name), "must be a number from \(range.lowerBound) to \(range.upperBound)")
    }
  }

  /// `inlineData` becomes `inline_data`.
  private static func snakeCase(_ name: String) -> String {
    var snake: [UInt8] = []
    for byte in name.utf8 {
      if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) {
        snake.append(UInt8(ascii: "_"))
        snake.append(byte | 0x20)
      } else {
        snake.append(byte)
      }
    }
    return String(decoding: snake, as: UTF8.self)
  }
}
