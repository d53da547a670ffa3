import JSONText
import Testing

@Suite("values of a document") struct JSONValueTests {
  private func root(_ text: String) throws -> JSONValue { try JSONDocument(Array(text.utf8)).root }

  @Test(
    arguments: [
      ("0", 0, 0), ("-0", 0, 0), ("9007199254740993", 9_007_199_254_740_993, 9_007_199_254_740_993),
      ("9223372036854775807", .max, 9_223_372_036_854_775_807),
      ("9223372036854775808", nil, 9_223_372_036_854_775_808), ("-9223372036854775808", .min, nil),
      ("-9223372036854775809", nil, nil), ("18446744073709551615", nil, .max),
      ("18446744073709551616", nil, nil), ("-1", -1, nil), ("12.0", nil, nil), ("1e3", nil, nil),
      ("99999999999999999999999", nil, nil), ("\"1\"", nil, nil), ("null", nil, nil),
    ] as [(String, Int64?, UInt64?)]
  )
  func `integers are exact or nil`(text: String, signed: Int64?, unsigned: UInt64?) throws {
    let value = try root(text)
    #expect(value.int64 == signed)
    #expect(value.uint64 == unsigned)
  }

  @Test(
    arguments: [
      ("1.5", 1.5), ("-0", -0.0), ("1e3", 1000), ("0.1", 0.1), ("1E-2", 0.01), ("1e400", nil),
      ("5e-324", .leastNonzeroMagnitude), ("12.0", 12), ("true", nil), ("\"1\"", nil),
      ("9007199254740993", 9_007_199_254_740_992),
    ] as [(String, Double?)]
  )
  func `doubles are the nearest ones`(text: String, expected: Double?) throws {
    #expect(try root(text).double == expected)
  }

  @Test(
    arguments: [
      (#""""#, ""), (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"),
      (#""\u00e9\u20AC""#, "é€"), (#""\ud83d\ude00!""#, "😀!"), (#""\ud83d""#, "\u{FFFD}"),
      (#""\ud83dx""#, "\u{FFFD}x"), (#""\ude00""#, "\u{FFFD}"),
      (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
      (#""\ud83d\n""#, "\u{FFFD}\n"), ("\"é€😀\"", "é€😀"), (#""\u0000""#, "\u{0}"),
    ]
  )
  func `strings are unescaped`(text: String, expected: String) throws {
    #expect(try root(text).string == expected)
  }

  @Test func `members and elements are found along a path`() throws {
    let value = try root(#"{"a":{"x":[10,[],{"y":"z"}]},"n":null,"t":true,"":7,"k\u00e9y":8}"#)
    #expect(value["a"]?["x"]?[0]?.int == 10)
    #expect(value["a"]?["x"]?[2]?["y"]?.string == "z")
    #expect(value["a"]?["x"]?[3] == nil)
    #expect(value["a"]?["x"]?[-1] == nil)
    #expect(value["a"]?["x"]?["x"] == nil)
    #expect(value["a"]?[0] == nil)
    #expect(value["n"]?.isNull == true)
    #expect(value["t"]?.bool == true)
    #expect(value[""]?.int == 7)
    #expect(value["kéy"]?.int == 8)
    #expect(value["b"] == nil)
    #expect(value.members?.map(\.name) == ["a", "n", "t", "", "kéy"])
    #expect(value["a"]?["x"]?.array?.count == 3)
    #expect(value["a"]?["x"]?[1]?.array?.isEmpty == true)
    #expect(value["a"]?["x"]?.array?.first?.int == 10)
  }

  @Test func `a value gives its exact bytes`() throws {
    let value = try root(#" {"b" : [ 1 , {"q": "\u0041" } ] , "c":-0.0e1}"#)
    #expect(String(decoding: value["b"]!.bytes, as: UTF8.self) == #"[ 1 , {"q": "\u0041" } ]"#)
    #expect(String(decoding: value["c"]!.bytes, as: UTF8.self) == "-0.0e1")
    #expect(value["b"]!.range == 8..<32)
  }

  @Test func `of two members with one name the last is found and both are listed`() throws {
    let value = try root(#"{"a":1,"b":2,"\u0061":3}"#)
    #expect(value["a"]?.int == 3)
    #expect(value.members?.map { $0.value.int } == [1, 2, 3])
  }

  @Test func `kinds have names for a sentence`() throws {
    let value = try root(#"[null,true,1,"s",[],{}]"#)
    #expect(
      value.array?.map(\.kind.description) == [
        "null", "true or false", "a number", "a string", "an array", "an object",
      ])
  }
}
