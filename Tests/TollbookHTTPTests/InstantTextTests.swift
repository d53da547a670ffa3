import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct InstantTextTests {
  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func `the fast text of an instant is its description`(_ seed: UInt64) {
    var numbers = SeededGenerator(seed: seed)
    var instants = InstantText()
    for _ in 0..<2_000 {
      let instant = Timestamp(
        milliseconds: Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &numbers))
      #expect(String(decoding: instants.quoted(instant), as: UTF8.self) == "\"\(instant)\"")
    }
    for milliseconds in [-1, 0, 1, 86_399_999, 86_400_000] as [Int64] {
      let instant = Timestamp(milliseconds: milliseconds)
      #expect(String(decoding: instants.quoted(instant), as: UTF8.self) == "\"\(instant)\"")
    }
  }

  @Test func `percent and hexadecimal texts are read, or refused`() {
    #expect(percentDecoded("a%2Fb%20c") == "a/b c")
    #expect(percentDecoded("%2") == nil)
    #expect(percentDecoded("%zz") == nil)
    #expect(percentDecoded("%ff") == nil)
    #expect(bytes(hexadecimal: "00fFa0") == [0, 255, 160])
    #expect(bytes(hexadecimal: "0") == nil)
    #expect(bytes(hexadecimal: "0g") == nil)
  }
}
