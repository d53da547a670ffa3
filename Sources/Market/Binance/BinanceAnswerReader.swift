import JSONText

/// A place in an answer of the exchange. Whatever is wrong there is thrown with the row and the member.
struct BinanceAnswerReader {
  let what: String
  var row: Int?

  func fault(
    _ problem: BinanceReadingError.Problem, _ member: String = ""
  ) -> BinanceReadingError {
    BinanceReadingError(problem, in: what, row: row, member: member)
  }

  /// The value of a text.
  ///
  /// - Parameter values: how many values the text may hold at most.
  func root(
    _ bytes: [UInt8], depth: Int, values: Int
  ) throws(BinanceReadingError) -> JSONValue {
    do throws(JSONError) {
      return try JSONDocument(bytes, maximumDepth: depth, maximumValues: values).root
    } catch { throw fault(.notJSON(error)) }
  }

  /// The elements of an array.
  func elements(
    _ value: JSONValue, _ member: String = ""
  ) throws(BinanceReadingError) -> JSONElements {
    guard let array = value.array else {
      throw fault(.isNot("an array", found: value.kind), member)
    }
    return array
  }

  /// The members of an object by name, those that are asked for; each at most once.
  func members(
    _ value: JSONValue, _ names: [String]
  ) throws(BinanceReadingError) -> BinanceMembers {
    guard let all = value.members else { throw fault(.isNot("an object", found: value.kind)) }
    var found: [JSONValue?] = Array(repeating: nil, count: names.count)
    for member in all {
      guard let index = names.firstIndex(where: { member.isNamed($0) }) else { continue }
      guard found[index] == nil else { throw fault(.twice, names[index]) }
      found[index] = member.value
    }
    return BinanceMembers(reader: self, names: names, values: found)
  }

  // MARK: - Scalars

  /// A number in a string.
  func decimal(_ value: JSONValue, _ member: String) throws(BinanceReadingError) -> BinanceDecimal {
    guard value.kind == .string else {
      throw fault(.isNot("a string", found: value.kind), member)
    }
    // A string longer than this is no number, however it is escaped.
    guard value.range.count <= BinanceDecimal.mostBytes * 6 + 2, let text = value.string,
      let number = BinanceDecimal(text)
    else {
      let bytes = value.bytes.dropFirst().dropLast().prefix(50)
      throw fault(.badNumber(String(decoding: bytes, as: UTF8.self)), member)
    }
    return number
  }

  func notNegative(
    _ value: JSONValue, _ member: String
  ) throws(BinanceReadingError) -> BinanceDecimal {
    let number = try decimal(value, member)
    if number.isNegative { throw fault(.negative(number.text), member) }
    return number
  }

  func positive(
    _ value: JSONValue, _ member: String
  ) throws(BinanceReadingError) -> BinanceDecimal {
    let number = try decimal(value, member)
    guard number.isPositive else { throw fault(.notPositive(number.text), member) }
    return number
  }

  /// A whole number of a range.
  func integer(
    _ value: JSONValue, _ member: String, _ range: ClosedRange<Int64>
  ) throws(BinanceReadingError) -> Int64 {
    guard let number = value.int64 else {
      throw fault(.isNot("a whole number", found: value.kind), member)
    }
    guard range.contains(number) else { throw fault(.outside(range, number), member) }
    return number
  }

  /// An instant in milliseconds, of ``BinanceTime/range``.
  func time(_ value: JSONValue, _ member: String) throws(BinanceReadingError) -> Int64 {
    try integer(value, member, ClosedRange(BinanceTime.range))
  }

  func bool(_ value: JSONValue, _ member: String) throws(BinanceReadingError) -> Bool {
    guard let bool = value.bool else {
      throw fault(.isNot("true or false", found: value.kind), member)
    }
    return bool
  }

  /// A string of 1 to `most` bytes.
  func text(
    _ value: JSONValue, _ member: String, most: Int
  ) throws(BinanceReadingError) -> String {
    guard value.kind == .string else {
      throw fault(.isNot("a string", found: value.kind), member)
    }
    guard value.range.count <= most * 6 + 2, let text = value.string,
      1...most ~= text.utf8.count
    else {
      throw fault(.count(value.range.count - 2, expected: "1 to \(most) bytes"), member)
    }
    return text
  }
}

/// The members of an object that were asked for.
struct BinanceMembers {
  let reader: BinanceAnswerReader
  fileprivate let names: [String]
  fileprivate let values: [JSONValue?]

  fileprivate init(reader: BinanceAnswerReader, names: [String], values: [JSONValue?]) {
    self.reader = reader
    self.names = names
    self.values = values
  }

  /// A member; nil if it is not there.
  func optional(_ name: String) -> JSONValue? {
    names.firstIndex(of: name).flatMap { values[$0] }
  }

  subscript(name: String) -> JSONValue {
    get throws(BinanceReadingError) {
      guard let value = optional(name) else { throw reader.fault(.missing, name) }
      return value
    }
  }

  func notNegative(_ name: String) throws(BinanceReadingError) -> BinanceDecimal {
    try reader.notNegative(try self[name], name)
  }

  func positive(_ name: String) throws(BinanceReadingError) -> BinanceDecimal {
    try reader.positive(try self[name], name)
  }

  /// A number that may be below 0, if it is there.
  func optionalDecimal(_ name: String) throws(BinanceReadingError) -> BinanceDecimal? {
    guard let value = optional(name) else { return nil }
    return try reader.decimal(value, name)
  }

  /// A number that is not below 0, if it is there.
  func optionalNotNegative(_ name: String) throws(BinanceReadingError) -> BinanceDecimal? {
    guard let value = optional(name) else { return nil }
    return try reader.notNegative(value, name)
  }

  func integer(
    _ name: String, _ range: ClosedRange<Int64>
  ) throws(BinanceReadingError) -> Int64 {
    try reader.integer(try self[name], name, range)
  }

  func time(_ name: String) throws(BinanceReadingError) -> Int64 {
    try reader.time(try self[name], name)
  }

  func bool(_ name: String) throws(BinanceReadingError) -> Bool {
    try reader.bool(try self[name], name)
  }

  func text(_ name: String, most: Int) throws(BinanceReadingError) -> String {
    try reader.text(try self[name], name, most: most)
  }
}
