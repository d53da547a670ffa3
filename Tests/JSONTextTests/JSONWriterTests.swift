import JSONText
import Testing

@Suite("writing JSON") struct JSONWriterTests {
  @Test func `members stand in the order in which they are written`() {
    var json = JSONWriter()
    json.object { json in
      json.field("z", "text")
      json.field("a", -5)
      json.field("price", 2599 as Int64?)
      json.field("none", nil as Int64?)
      json.fieldIfPresent("left out", nil as String?)
      json.fieldIfPresent("there", true)
      json.nullField("null")
      json.object("inner") { $0.field("k", UInt64.max) }
      json.object("empty") { _ in }
      json.array("list", [1, 2]) { $0.value($1 * 10) }
      json.array("plain", ["a", "b"])
      json.array("mixed") { json in
        json.value(1.5)
        json.object { $0.field("x", 1) }
        json.array { $0.value(nil as Bool?) }
      }
      json.rawField("raw", Array("{\"any\" : 1}".utf8))
      json.field("fragment", JSONFragment(Array("[ ]".utf8)))
    }
    #expect(
      json.string == """
        {"z":"text","a":-5,"price":2599,"none":null,"there":true,"null":null,\
        "inner":{"k":18446744073709551615},"empty":{},"list":[10,20],"plain":["a","b"],\
        "mixed":[1.5,{"x":1},[null]],"raw":{"any" : 1},"fragment":[ ]}
        """)
  }

  @Test func `the indented layout is for people`() {
    var json = JSONWriter(layout: .indented)
    json.object { json in
      json.field("a", 1)
      json.array("b") { json in
        json.value("x")
        json.array { _ in }
      }
      json.object("c") { _ in }
    }
    #expect(
      json.string == """
        {
          "a": 1,
          "b": [
            "x",
            []
          ],
          "c": {}
        }
        """)
  }

  @Test(
    arguments: [
      (Double.nan, "null"), (.infinity, "null"), (-.infinity, "null"), (0, "0.0"), (-0.0, "-0.0"),
      (0.1, "0.1"), (12, "12.0"), (1e21, "1e+21"), (.leastNonzeroMagnitude, "5e-324"),
      (1.0 / 3, "0.3333333333333333"),
    ] as [(Double, String)]
  )
  func `doubles are written short`(value: Double, text: String) {
    var json = JSONWriter()
    json.value(value)
    #expect(json.string == text)
  }

  @Test(arguments: [0, 9, 10, -1, -10, .min, .max, 1_000_000] as [Int64])
  func `integers are written in full`(value: Int64) {
    var json = JSONWriter()
    json.value(value)
    #expect(json.string == "\(value)")
  }

  @Test func `an error inside leaves through the closure as it is`() {
    struct Stop: Error {}
    var json = JSONWriter()
    #expect(throws: Stop.self) {
      try json.object { json throws(Stop) in
        json.field("a", 1)
        throw Stop()
      }
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `what is written is read back, by us and by Python`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let trees = (0..<50).map { _ in JSONTree.random(depth: 5, using: &random) }
    let texts = trees.map { tree in
      var json = JSONWriter()
      json.value(tree)
      return json.bytes
    }
    for (tree, text) in zip(trees, texts) {
      #expect(JSONTree(try JSONDocument(text).root) == tree)
      var indented = JSONWriter(layout: .indented)
      indented.value(tree)
      #expect(JSONTree(try JSONDocument(indented.bytes).root) == tree)
    }
    // Python splits lines at \\n only, since the text is read as bytes.
    let returned = try Python.run(
      """
      import json, sys
      for line in open(sys.argv[1], "rb").read().split(b"\\n"):
        print(json.dumps(json.loads(line.decode("utf-8"))))
      """, lines: texts)
    try #require(returned.count == trees.count)
    for (tree, text) in zip(trees, returned) {
      #expect(JSONTree(try JSONDocument(Array(text.utf8)).root) == tree)
    }
  }
}
