import Testing
import TollbookTestSupport

@testable import TollbookAudit

@Suite struct AuditNamesTests {
  @Test(arguments: 0..<20)
  func `places are found by their names, also where hashes are the same`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var index = NameIndex()
    // Places under their hashes, of which there are few, at the end of the table too.
    var model: [Int: UInt64] = [:]
    for step in 0..<2_000 {
      let place = random.int(0...200)
      if let hash = model.removeValue(forKey: place) {
        index.remove(place, hash)
      } else {
        let hash = UInt64(random.int(0...40)) &* 0x0400_0000_0000_0003 &- 5
        model[place] = hash
        index.insert(place, hash)
      }
      #expect(index.count == model.count)
      guard step % 10 == 0 else { continue }
      for place in 0...200 {
        let found = model[place].flatMap { hash in index.find(hash) { $0 == place } }
        #expect(found == model[place].map { _ in place })
      }
    }
    for hash in Set(model.values) { #expect(index.find(hash) { $0 > 200 } == nil) }
  }

  @Test func `names that are equal to Swift and differ in their bytes are two`() {
    var names = Names()
    #expect(names.number(of: "caf\u{e9}") == 0)
    #expect(names.number(of: "cafe\u{301}") == 1)
    #expect(names.number(of: "caf\u{e9}") == 0)
    #expect(ByteName("shared/keepa.product/1/A").kind.text == "keepa.product")
    #expect(ByteName("nothing").kind.text == "")
  }
}
