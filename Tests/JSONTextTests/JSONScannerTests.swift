import JSONText
import Testing

@Suite("reading JSON") struct JSONScannerTests {
  @Test(
    arguments: [
      "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "-0.5", "0e0", "1e5", "1E+5",
      "1e-5", "123456789012345678901234567890", "\"\"", "\"a\"", "[]", "{}", " [ ] ",
      "\t\r\n {\n} ", "[1]", "[[]]", "[{}]", "{\"\":0}", "{\"a\":{\"b\":[1,2,{\"c\":null}]}}",
      #""\"\\\/\b\f\n\r\t""#, #""\u0000""#, #""\u00e9""#, #""\ud83d\ude00""#, #""\uD800""#,
      #""\udc00\ud800""#, "\"é€😀\"", "\"\u{7F}\"", "[1,[2,[3,[4]]]]", "\"\u{2028}\"",
      "{\"a\":1,\"a\":2}", "[\"\",\"\"]", "1e400", "[true,false,null]",
    ]
  )
  func `what RFC 8259 allows is read`(text: String) throws {
    let document = try JSONDocument(Array(text.utf8))
    #expect(String(decoding: document.root.bytes, as: UTF8.self) == trimmed(text))
  }

  @Test(
    arguments: [
      ("", 0, .unexpectedEnd), (" ", 1, .unexpectedEnd), ("nul", 3, .unexpectedEnd),
      ("nulL", 0, .expectedValue), ("True", 0, .expectedValue), ("'a'", 0, .expectedValue),
      ("01", 1, .badNumber), ("-01", 2, .badNumber), ("1.", 2, .unexpectedEnd),
      (".5", 0, .expectedValue), ("+1", 0, .expectedValue), ("-", 1, .unexpectedEnd),
      ("1.e5", 2, .badNumber), ("1e", 2, .unexpectedEnd), ("1e+", 3, .unexpectedEnd),
      ("1.5.5", 3, .badNumber), ("0x10", 1, .badNumber), ("1a", 1, .badNumber),
      ("NaN", 0, .expectedValue), ("Infinity", 0, .expectedValue), ("-Infinity", 1, .badNumber),
      ("1 2", 2, .trailingText), ("null,", 4, .trailingText), ("[1],", 3, .trailingText),
      ("[1,]", 3, .expectedValue), ("[,1]", 1, .expectedValue),
      ("[1 2]", 3, .expectedCommaOrBracket),
      ("[1}", 2, .expectedCommaOrBracket), ("[", 1, .unexpectedEnd), ("]", 0, .expectedValue),
      ("{\"a\":1,}", 7, .expectedName), ("{a:1}", 1, .expectedName), ("{1:1}", 1, .expectedName),
      ("{\"a\" 1}", 5, .expectedColon), ("{\"a\"}", 4, .expectedColon),
      ("{\"a\":}", 5, .expectedValue), ("{\"a\":1 \"b\":2}", 7, .expectedCommaOrBrace),
      ("{\"a\":1]", 6, .expectedCommaOrBrace), ("{,}", 1, .expectedName),
      ("\"a", 2, .unexpectedEnd), ("\"\n\"", 1, .controlCharacter),
      ("\"\u{1F}\"", 1, .controlCharacter), (#""\x""#, 2, .badEscape),
      (#""\u12g4""#, 5, .badEscape),
      (#""\u12"#, 5, .unexpectedEnd), (#""\"#, 2, .unexpectedEnd), ("[1] // x", 4, .trailingText),
      ("\u{FEFF}[]", 0, .byteOrderMark), ("\u{A0}[]", 0, .expectedValue),
    ] as [(String, Int, JSONError.Reason)]
  )
  func `what it forbids is refused where it stands`(
    text: String, offset: Int, reason: JSONError.Reason
  ) {
    #expect(throws: JSONError(reason, at: offset)) { try JSONDocument(Array(text.utf8)) }
  }

  @Test(
    arguments: [
      ([0x80], 1), ([0xC0, 0x80], 1), ([0xC1, 0xBF], 1), ([0xC3, 0x28], 2),
      ([0xE0, 0x80, 0x80], 2),
      ([0xED, 0xA0, 0x80], 2), ([0xE2, 0x82], 3), ([0xF0, 0x80, 0x80, 0x80], 2),
      ([0xF4, 0x90, 0x80, 0x80], 2), ([0xF5, 0x80, 0x80, 0x80], 1), ([0xFF], 1),
      ([0xF0, 0x9F, 0x98, 0x22], 4),
    ] as [([UInt8], Int)]
  )
  func `bytes that are not UTF-8 are refused`(bytes: [UInt8], offset: Int) {
    #expect(throws: JSONError(.badUTF8, at: offset)) { try JSONDocument([0x22] + bytes + [0x22]) }
  }

  @Test func `every cut of a document is refused`() {
    let text = #" {"a": [1, -2.5e3, "x\u00e9\n€", null], "b": {"c": true}, "d": "\ud83d\ude00"}"#
    let bytes = Array(text.utf8)
    #expect(throws: Never.self) { try JSONDocument(bytes) }
    for length in 0..<bytes.count {
      #expect(throws: JSONError(.unexpectedEnd, at: length)) {
        try JSONDocument(Array(bytes.prefix(length)))
      }
    }
  }

  @Test func `nesting is bounded, and the bound can be set`() throws {
    let deepest = Array(repeatElement("[", count: 512).joined().utf8)
    let closing = Array(repeatElement("]", count: 512).joined().utf8)
    #expect(try JSONDocument(deepest + closing).root.kind == .array)
    #expect(throws: JSONError(.tooDeep, at: 512)) {
      try JSONDocument([0x5B] + deepest + closing + [0x5D])
    }
    #expect(throws: JSONError(.tooDeep, at: 1)) {
      try JSONDocument(Array("[{}]".utf8), maximumDepth: 1)
    }
    #expect(throws: JSONError(.tooDeep, at: 512)) {
      try JSONDocument([UInt8](repeating: 0x5B, count: 1_000_000))
    }
  }

  @Test func `a text of more values than the bound is refused where the first one too many stands`()
    throws
  {
    func read(_ text: String, _ bound: Int) throws(JSONError) -> JSONKind {
      try JSONDocument(Array(text.utf8), maximumValues: bound).root.kind
    }
    #expect(try read("[0,0,0]", 4) == .array)
    #expect(throws: JSONError(.tooManyValues, at: 5)) { try read("[0,0,0]", 3) }
    #expect(throws: JSONError(.tooManyValues, at: 1)) { try read("[[]]", 1) }
    // A member is two: its name and its value.
    #expect(try read("{\"a\":null}", 3) == .object)
    #expect(throws: JSONError(.tooManyValues, at: 5)) { try read("{\"a\":null}", 2) }
    #expect(throws: JSONError(.tooManyValues, at: 1)) { try read("{\"a\":null}", 1) }
    #expect(throws: JSONError(.tooManyValues, at: 0)) { try read("true", 0) }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `damaged text never traps, and what is accepted hangs together`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for _ in 0..<50 {
      let text = Damage.text(using: &random)
      guard let document = try? JSONDocument(text) else { continue }
      check(document.root, within: 0..<text.count)
      var copy = JSONWriter()
      join(document.root, &copy)
      let again = try JSONDocument(copy.bytes)
      #expect(leaves(again.root) == leaves(document.root))
    }
  }

  @Test func `Python accepts and refuses the same`() throws {
    var random = SeededRandom(seed: 99)
    let texts = (0..<3_000).map { _ in Damage.text(using: &random) }
    let hexadecimal = texts.map { text in
      Array(("x" + text.map { String(0x100 + Int($0), radix: 16).dropFirst() }.joined()).utf8)
    }
    let verdicts = try Python.run(
      """
      import json, sys
      def refuse(word): raise ValueError(word)
      for line in open(sys.argv[1]).read().split("\\n"):
        try:
          json.loads(bytes.fromhex(line[1:]).decode("utf-8"), parse_constant=refuse)
          print("accepted")
        except (ValueError, UnicodeDecodeError):
          print("refused")
      """, lines: hexadecimal)
    try #require(verdicts.count == texts.count)
    var accepted = 0
    for (text, verdict) in zip(texts, verdicts) {
      let own = (try? JSONDocument(text)) == nil ? "refused" : "accepted"
      #expect(own == verdict, "\(String(decoding: text, as: UTF8.self))")
      accepted += own == "accepted" ? 1 : 0
    }
    #expect((300..<2_700).contains(accepted), "the damage is neither too mild nor too hard")
  }

  private func trimmed(_ text: String) -> String {
    String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }

  /// Children stand inside their parent, in order, apart from each other.
  private func check(_ value: JSONValue, within outer: Range<Int>) {
    #expect(outer.contains(value.range.lowerBound) && value.range.upperBound <= outer.upperBound)
    var from = value.range.lowerBound + 1
    let end = value.range.upperBound - 1
    for element in value.array.map(Array.init) ?? [] {
      #expect(element.range.lowerBound >= from)
      check(element, within: from..<end)
      from = element.range.upperBound
    }
    for member in value.members.map(Array.init) ?? [] {
      #expect(member.nameRange.lowerBound >= from)
      from = member.nameRange.upperBound
      check(member.value, within: from..<end)
      from = member.value.range.upperBound
    }
    switch value.kind {
    case .string: #expect(value.string != nil)
    case .bool: #expect(value.bool != nil)
    case .number: _ = (value.int64, value.uint64, value.double)
    default: break
    }
  }

  /// The document again, made of the ranges of its scalars and names.
  private func join(_ value: JSONValue, _ json: inout JSONWriter) {
    if let elements = value.array {
      json.array(elements) { join($1, &$0) }
    } else if let members = value.members {
      json.object { json in
        for member in members {
          json.name(member.name)
          join(member.value, &json)
        }
      }
    } else {
      json.raw(value.bytes)
    }
  }

  private func leaves(_ value: JSONValue) -> [ArraySlice<UInt8>] {
    if let elements = value.array { return elements.flatMap { leaves($0) } }
    if let members = value.members {
      return members.flatMap { [ArraySlice($0.name.utf8)] + leaves($0.value) }
    }
    return [value.bytes]
  }
}

/// A random document with a few bytes of it changed, taken out or put in.
enum Damage {
  static func text(using random: inout SeededRandom) -> [UInt8] {
    var json = JSONWriter(layout: Bool.random(using: &random) ? .compact : .indented)
    json.value(JSONTree.random(depth: 4, using: &random))
    var text = json.bytes
    let interesting = Array("{}[]\",:\\u019eE+-. \n\u{0}trnfl".utf8) + [0x80, 0xC3, 0xED, 0xFF]
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let at = Int.random(in: 0...text.count, using: &random)
      let byte = interesting.randomElement(using: &random)!
      switch Int.random(in: 0..<3, using: &random) {
      case 0 where at < text.count: text[at] = byte
      case 1 where at < text.count: text.remove(at: at)
      default: text.insert(byte, at: at)
      }
    }
    return text
  }
}
