/// Reads the tokens of a PDF one after the other, and never fails: what is no token is ``Token/other``.
///
/// Every byte is passed a bounded number of times, in whatever order the methods here are called by a loop that only
/// moves forward.
///
/// - Source: ISO 32000-1, section 7.2 (characters, comments) and 7.3 (objects).
struct PDFLexer {
  enum Token: Equatable {
    case integer(Int)
    /// Where a name stands, without its slash.
    case name(Range<Int>)
    case keyword(Keyword)
    case openDictionary, closeDictionary, openArray, closeArray
    case string
    /// A real number, an integer that is too large, an unknown word, or a byte that fits nowhere.
    case other
    /// There is nothing any more.
    case end
  }

  /// Words that structure a file.
  enum Keyword: String {
    case obj, endobj, stream, endstream, xref, trailer, startxref, null
    case reference = "R"

    /// Whether it can stand in an array or a dictionary.
    var isValue: Bool { self == .null || self == .reference }
  }

  let bytes: [UInt8]
  let end: Int
  var position: Int
  /// Bytes that were looked at in vain, beyond those that ``position`` passed.
  private(set) var wasted = 0
  /// Whether a string without an end was met. Then parentheses mean nothing any more, or each of them could cost a
  /// look at the whole rest.
  private var stringsAreBroken = false

  init(_ bytes: [UInt8], in range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  init(_ bytes: [UInt8], at position: Int) {
    self.init(bytes, in: min(max(position, 0), bytes.count)..<bytes.count)
  }

  /// The next token.
  ///
  /// - Parameter readingStrings: Whether a string is one token. If not, its parenthesis is ``Token/other``; so it can
  ///   be used to look ahead at little cost.
  mutating func next(readingStrings: Bool = true) -> Token {
    skipSpace()
    guard position < end else { return .end }
    let byte = bytes[position]
    switch byte {
    case UInt8(ascii: "/"):
      position += 1
      return .name(regularRun())
    case UInt8(ascii: "<"): return openAngle()
    case UInt8(ascii: ">"):
      position += 1
      guard position < end, bytes[position] == byte else { return .other }
      position += 1
      return .closeDictionary
    case UInt8(ascii: "["): return single(.openArray)
    case UInt8(ascii: "]"): return single(.closeArray)
    case UInt8(ascii: "(") where readingStrings && !stringsAreBroken: return string()
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "}"):
      return single(.other)
    default: return word(regularRun())
    }
  }

  /// The text of a name, with `#xx` decoded; nil for one that is longer than 32 bytes.
  func text(ofName range: Range<Int>) -> String? {
    guard range.count <= 32 else { return nil }
    guard bytes[range].contains(UInt8(ascii: "#")) else {
      return String(decoding: bytes[range], as: UTF8.self)
    }
    var decoded: [UInt8] = []
    var index = range.lowerBound
    while index < range.upperBound {
      let digits = String(decoding: bytes[index..<min(index + 3, range.upperBound)], as: UTF8.self)
      if digits.utf8.count == 3, digits.hasPrefix("#"),
        let byte = UInt8(digits.dropFirst(), radix: 16)
      {
        decoded.append(byte)
        index += 3
      } else {
        decoded.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  // MARK: - Tokens

  private mutating func single(_ token: Token) -> Token {
    position += 1
    return token
  }

  /// `<<`, or a string in hexadecimal digits.
  private mutating func openAngle() -> Token {
    position += 1
    if position < end, bytes[position] == UInt8(ascii: "<") { return single(.openDictionary) }
    while position < end, bytes[position].isHexDigit || bytes[position].isPDFSpace { position += 1 }
    guard position < end, bytes[position] == UInt8(ascii: ">") else { return .other }
    return single(.string)
  }

  /// A string in parentheses, which may be nested.
  private mutating func string() -> Token {
    let start = position
    var depth = 0
    while position < end {
      switch bytes[position] {
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"): depth -= 1
      case UInt8(ascii: "\\"): position += 1
      default: break
      }
      position += 1
      if depth == 0 { return .string }
    }
    wasted += end - start
    stringsAreBroken = true
    position = start + 1
    return .other
  }

  /// A number or a keyword.
  private func word(_ range: Range<Int>) -> Token {
    if let value = integer(range) { return .integer(value) }
    guard range.count <= 9,
      let keyword = Keyword(rawValue: String(decoding: bytes[range], as: UTF8.self))
    else { return .other }
    return .keyword(keyword)
  }

  private func integer(_ range: Range<Int>) -> Int? {
    let first = bytes[range.lowerBound]
    let hasSign = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
    let digits = range.dropFirst(hasSign ? 1 : 0)
    var value = 0
    for index in digits {
      guard case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[index], value < 1 << 56 else {
        return nil
      }
      value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
    }
    if digits.isEmpty { return nil }
    return first == UInt8(ascii: "-") ? -value : value
  }

  private mutating func regularRun() -> Range<Int> {
    let start = position
    while position < end, bytes[position].isPDFRegular { position += 1 }
    return start..<position
  }

  /// White space, and comments up to the end of their line.
  private mutating func skipSpace() {
    while position < end {
      if bytes[position] == UInt8(ascii: "%") {
        while position < end, bytes[position] != 0x0a, bytes[position] != 0x0d { position += 1 }
      } else if bytes[position].isPDFSpace {
        position += 1
      } else {
        return
      }
    }
  }
}

extension UInt8 {
  /// White space. Source: ISO 32000-1, table 1.
  var isPDFSpace: Bool {
    switch self {
    case 0x00, 0x09, 0x0a, 0x0c, 0x0d, 0x20: true
    default: false
    }
  }

  /// Neither white space nor a delimiter. Source: ISO 32000-1, tables 1 and 2.
  fileprivate var isPDFRegular: Bool {
    switch self {
    case 0x00, 0x09, 0x0a, 0x0c, 0x0d, 0x20: false
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"),
      UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"),
      UInt8(ascii: "/"), UInt8(ascii: "%"):
      false
    default: true
    }
  }

  fileprivate var isHexDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"),
      UInt8(ascii: "a")...UInt8(ascii: "f"):
      true
    default: false
    }
  }
}
