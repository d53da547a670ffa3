import Testing
import TollbookTestSupport

@testable import Market

@Suite("numbers in strings") struct BinanceDecimalTests {
  @Test(arguments: [
    ("61199.90", 61_199.9), ("0", 0), ("0.00000000", 0), ("-83.13", -83.13), ("007", 7),
    ("1234567890123456789012345678901234567890", 1.2345678901234568e39),
  ])
  func `a number keeps its text`(_ text: String, _ value: Double) throws {
    let number = try #require(BinanceDecimal(text))
    #expect(number.text == text)
    #expect(number.value == value)
  }

  @Test(arguments: [
    "", "-", ".", "1.", ".5", "1e999", "1E5", "NaN", "nan", "inf", "Infinity", "+1", " 1", "1 ",
    "1,5", "0x10", "1.2.3", "--1", "1-", "１", "1_000", "12345678901234567890123456789012345678901",
  ])
  func `what is no plain decimal number is none`(_ text: String) {
    #expect(BinanceDecimal(text) == nil)
  }

  @Test func `signs are told by digits and not by the minus`() throws {
    let zero = try #require(BinanceDecimal("-0.00"))
    #expect(!zero.isNegative && !zero.isPositive)
    #expect(try #require(BinanceDecimal("-0.01")).isNegative)
    #expect(try #require(BinanceDecimal("0.00000001")).isPositive)
  }

  @Test(arguments: [
    ("1", "1.0", false), ("1.0", "1", false), ("0.9", "1", true), ("9", "10", true),
    ("1.05", "1.1", true), ("1.1", "1.10000000000000000000001", true), ("-1", "1", true),
    ("-2", "-1", true), ("-1", "-2", false), ("-0", "0", false), ("0", "-0.0", false),
    ("00010", "9", false), ("99999999999999999999.1", "99999999999999999999.2", true),
  ])
  func `numbers are compared by all of their digits`(
    _ left: String, _ right: String, _ isLess: Bool
  ) throws {
    let (one, two) = (try #require(BinanceDecimal(left)), try #require(BinanceDecimal(right)))
    #expect(one.isLess(than: two) == isLess)
    if isLess { #expect(!two.isLess(than: one)) }
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `the order is that of scaled whole numbers`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    func decimal(_ scaled: Int64) throws -> BinanceDecimal {
      let digits = String(scaled.magnitude)
      let padded = String(repeating: "0", count: max(0, 9 - digits.count)) + digits
      return try #require(
        BinanceDecimal("\(scaled < 0 ? "-" : "")\(padded.dropLast(8)).\(padded.suffix(8))"))
    }
    for _ in 0..<200 {
      let width = random.int64(1..<1_000_000_000_000)
      let (one, two) = (random.int64(-width..<width), random.int64(-width..<width))
      #expect(try decimal(one).isLess(than: try decimal(two)) == (one < two), "\(one) \(two)")
    }
  }
}
