import Testing
import TollbookEvents

@Suite struct ResourceKeyTests {
  @Test(arguments: [
    ("shared/keepa.product/1/B09T2ZLMHB", "keepa.product", "1/B09T2ZLMHB"),
    ("account/acme/extract/9a3f/1", "extract", "9a3f/1"),
    ("account/acme/extract", "extract", ""),
    ("account/acme", "", ""),
    ("shared/keepa.product/", "keepa.product", ""),
    ("shared/keepa.product", "keepa.product", ""),
    ("shared//x", "", "x"),
    ("shared", "", ""),
    ("", "", ""),
  ])
  func `a key names its kind and its path`(text: String, kind: String, path: String) {
    let key = ResourceKey(stored: text)
    #expect(key.kind == kind)
    #expect(key.path == path)
    #expect(key.description == text)
  }

  @Test func `a shared key is made of its parts`() {
    let key = ResourceKey(shared: "keepa.product", path: "1/B09T2ZLMHB")
    #expect(key == ResourceKey(stored: "shared/keepa.product/1/B09T2ZLMHB"))
  }

  @Test func `two keys are the same if their bytes are`() {
    // An é in one character and in two, and two signs of three bytes each that look alike.
    let texts = ["caf\u{e9}", "cafe\u{301}", "\u{212b}", "A\u{30a}", "caf", ""]
    let keys = texts.map { ResourceKey(stored: $0) }
    #expect(Set(keys).count == texts.count)
    for (index, key) in keys.enumerated() {
      #expect(keys.firstIndex(of: key) == index)
      #expect(
        Set(keys).contains(ResourceKey(stored: String(decoding: texts[index].utf8, as: UTF8.self))))
    }
  }
}
