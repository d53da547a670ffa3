/// Reads a text once from left to right, checks it against RFC 8259 byte by byte and notes where
/// each value stands. Keeps its own stack, so that no text can exhaust the thread's.
struct JSONScanner {
  private(set) var tape: [JSONNode] = []
  private var position = 0
  /// Indexes on the tape of the containers that are open.
  private var open: [Int] = []
  private let maximumDepth: Int
  private let maximumValues: Int

  init(maximumDepth: Int, maximumValues: Int) {
    self.maximumDepth = maximumDepth
    self.maximumValues = maximumValues
  }

  /// Scans a whole text. The tape is complete when it returns.
  mutating func scan(_ text: Span<UInt8>) throws(JSONError) {
    guard text.count < Int(UInt32.max) else { throw JSONError(.tooLong, at: Int(UInt32.max)) }
    tape.reserveCapacity(min(text.count / 8 + 1, maximumValues))
    if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF {
      throw JSONError(.byteOrderMark, at: 0)
    }
    while true {
      // A value stands here. An opened container with something in it starts over with that.
      if try beginValue(text) { continue }
      guard try endValue(text) else { break }
    }
    skipSpace(text)
    if position < text.count { throw JSONError(.trailingText, at: position) }
  }

  /// Reads a scalar, an empty container or the beginning of one. Returns whether a value inside it
  /// comes next.
  private mutating func beginValue(_ text: Span<UInt8>) throws(JSONError) -> Bool {
    skipSpace(text)
    let byte = try current(text)
    switch byte {
    case UInt8(ascii: "\""): try string(text)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number(text)
    case UInt8(ascii: "{"): return try openObject(text)
    case UInt8(ascii: "["): return try openArray(text)
    case UInt8(ascii: "t"): try literal(text, "true", .bool, .yes)
    case UInt8(ascii: "f"): try literal(text, "false", .bool, .none)
    case UInt8(ascii: "n"): try literal(text, "null", .null, .none)
    default: throw JSONError(.expectedValue, at: position)
    }
    return false
  }

  /// After a value: closes what is closed here. Returns whether another value comes next.
  private mutating func endValue(_ text: Span<UInt8>) throws(JSONError) -> Bool {
    while let container = open.last {
      skipSpace(text)
      let byte = try current(text)
      if tape[container].kind == .object {
        if byte == UInt8(ascii: ",") {
          position += 1
          try name(text)
          return true
        }
        guard byte == UInt8(ascii: "}") else {
          throw JSONError(.expectedCommaOrBrace, at: position)
        }
      } else {
        if byte == UInt8(ascii: ",") {
          position += 1
          return true
        }
        guard byte == UInt8(ascii: "]") else {
          throw JSONError(.expectedCommaOrBracket, at: position)
        }
      }
      close()
    }
    return false
  }

  // MARK: - Containers

  private mutating func openObject(_ text: Span<UInt8>) throws(JSONError) -> Bool {
    try openContainer(.object)
    skipSpace(text)
    if try current(text) == UInt8(ascii: "}") {
      close()
      return false
    }
    try name(text)
    return true
  }

  private mutating func openArray(_ text: Span<UInt8>) throws(JSONError) -> Bool {
    try openContainer(.array)
    skipSpace(text)
    if try current(text) == UInt8(ascii: "]") {
      close()
      return false
    }
    return true
  }

  private mutating func openContainer(_ kind: JSONKind) throws(JSONError) {
    guard open.count < maximumDepth else { throw JSONError(.tooDeep, at: position) }
    open.append(tape.count)
    try append(kind, .none, from: position)
    position += 1
  }

  private mutating func close() {
    position += 1
    let container = open.removeLast()
    tape[container].end = UInt32(truncatingIfNeeded: position)
    tape[container].next = UInt32(truncatingIfNeeded: tape.count)
  }

  private mutating func name(_ text: Span<UInt8>) throws(JSONError) {
    skipSpace(text)
    guard try current(text) == UInt8(ascii: "\"") else {
      throw JSONError(.expectedName, at: position)
    }
    try string(text)
    skipSpace(text)
    guard try current(text) == UInt8(ascii: ":") else {
      throw JSONError(.expectedColon, at: position)
    }
    position += 1
  }

  // MARK: - Scalars

  private mutating func literal(
    _ text: Span<UInt8>, _ word: StaticString, _ kind: JSONKind, _ trait: JSONNode.Trait
  ) throws(JSONError) {
    let start = position
    for byte in word.description.utf8 {
      guard position < text.count else { throw JSONError(.unexpectedEnd, at: position) }
      guard text[position] == byte else { throw JSONError(.expectedValue, at: start) }
      position += 1
    }
    try append(kind, trait, from: start)
  }

  /// `-`, digits without a leading zero, then perhaps a fraction and an exponent.
  private mutating func number(_ text: Span<UInt8>) throws(JSONError) {
    let start = position
    var isInteger = true
    if text[position] == UInt8(ascii: "-") { position += 1 }
    if position < text.count, text[position] == UInt8(ascii: "0") {
      position += 1
    } else {
      try digits(text)
    }
    if position < text.count, text[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try digits(text)
    }
    if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < text.count,
        text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-")
      {
        position += 1
      }
      try digits(text)
    }
    if position < text.count, Self.continuesNumber(text[position]) {
      throw JSONError(.badNumber, at: position)
    }
    try append(.number, isInteger ? .integer : .none, from: start)
  }

  private mutating func digits(_ text: Span<UInt8>) throws(JSONError) {
    let start = position
    while position < text.count, text[position] &- UInt8(ascii: "0") < 10 { position += 1 }
    if position == start {
      throw JSONError(position < text.count ? .badNumber : .unexpectedEnd, at: position)
    }
  }

  /// Whether a byte after a number shows that the number itself is meant to be wrong, as in `01`.
  private static func continuesNumber(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: ".")
      || (byte | 0x20) &- UInt8(ascii: "a") < 26
  }

  private mutating func string(_ text: Span<UInt8>) throws(JSONError) {
    let start = position
    var at = position + 1
    var trait = JSONNode.Trait.none
    while true {
      guard at < text.count else { throw JSONError(.unexpectedEnd, at: text.count) }
      let byte = text[at]
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") {
        trait = .escaped
        at += try Self.escapeLength(text, at)
      } else if byte < 0x20 {
        throw JSONError(.controlCharacter, at: at)
      } else if byte < 0x80 {
        at += 1
      } else {
        at += try Self.sequenceLength(text, at)
      }
    }
    position = at + 1
    try append(.string, trait, from: start)
  }

  /// Length in bytes of the escape at `at`. A surrogate without its partner is grammatical JSON and
  /// passes; it reads as U+FFFD.
  private static func escapeLength(_ text: Span<UInt8>, _ at: Int) throws(JSONError) -> Int {
    guard at + 1 < text.count else { throw JSONError(.unexpectedEnd, at: text.count) }
    switch text[at + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 2
    case UInt8(ascii: "u"):
      for index in at + 2..<at + 6 {
        guard index < text.count else { throw JSONError(.unexpectedEnd, at: text.count) }
        guard hexValue(text[index]) != nil else { throw JSONError(.badEscape, at: index) }
      }
      return 6
    default: throw JSONError(.badEscape, at: at + 1)
    }
  }

  /// Length of the UTF-8 sequence of two to four bytes at `at`: none too long for its character, no
  /// surrogate, nothing above U+10FFFF (RFC 3629, section 4).
  private static func sequenceLength(_ text: Span<UInt8>, _ at: Int) throws(JSONError) -> Int {
    let length: Int
    let second: ClosedRange<UInt8>
    switch text[at] {
    case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: throw JSONError(.badUTF8, at: at)
    }
    for index in at + 1..<at + length {
      guard index < text.count else { throw JSONError(.unexpectedEnd, at: text.count) }
      let allowed = index == at + 1 ? second : 0x80...0xBF
      guard allowed.contains(text[index]) else { throw JSONError(.badUTF8, at: index) }
    }
    return length
  }

  // MARK: - Bytes

  private mutating func skipSpace(_ text: Span<UInt8>) {
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
        position += 1
      default: return
      }
    }
  }

  private func current(_ text: Span<UInt8>) throws(JSONError) -> UInt8 {
    guard position < text.count else { throw JSONError(.unexpectedEnd, at: position) }
    return text[position]
  }

  private mutating func append(
    _ kind: JSONKind, _ trait: JSONNode.Trait, from start: Int
  ) throws(JSONError) {
    guard tape.count < maximumValues else { throw JSONError(.tooManyValues, at: start) }
    tape.append(
      JSONNode(
        start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: position),
        next: UInt32(truncatingIfNeeded: tape.count + 1), kind: kind, trait: trait))
  }
}

/// The value of a hexadecimal digit.
func hexValue(_ byte: UInt8) -> UInt32? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
  default: nil
  }
}
