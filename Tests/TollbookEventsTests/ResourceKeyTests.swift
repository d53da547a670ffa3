import Testing
import TollbookEvents

@Suite struct ResourceKeyTests {
  @Test(arguments: [
    ("shared/keepa.product/1/B09T2ZLMHB", "keepa.product", "1/B09T2ZLMHB"),
    ("account/acme/extract", "acme", "extract"),
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
}
