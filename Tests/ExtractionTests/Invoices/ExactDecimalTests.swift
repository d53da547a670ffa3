import Extraction
import Foundation
import Testing
import TollbookTestSupport

@Suite struct ExactDecimalTests {
  private typealias Samples = InvoiceSamples

  @Test(arguments: [
    "119.00", "-3.5", "0.1", "0", "0.000000000001", "-0.05", "10", "1.10",
    "123456789012345678901234567890", "-999999999999999999.999999999999",
  ])
  func `a number is printed as it was written`(text: String) throws {
    #expect(try Samples.decimal(text).description == text)
  }

  @Test func `zero has no sign`() throws {
    #expect(try Samples.decimal("-0.00").description == "0.00")
  }

  @Test(arguments: [
    ("", ExactDecimal.Fault.empty), ("-", .notDecimal), (".", .notDecimal), (".5", .notDecimal),
    ("5.", .notDecimal), ("-.5", .notDecimal), ("+1", .notDecimal), ("1.2.3", .notDecimal),
    ("--1", .notDecimal), ("1-", .notDecimal), ("abc", .notDecimal), ("1€", .notDecimal),
    ("19%", .notDecimal), ("٣", .notDecimal), ("0x10", .notDecimal), ("NaN", .notDecimal),
    ("−5", .notDecimal), (" 1", .notDecimal), ("1\u{0}", .notDecimal),
    ("119,00", .separator), ("1,234.50", .separator), ("1 234", .separator), ("1'234", .separator),
    ("1\u{a0}234", .separator), ("1_000", .separator), ("1 ", .separator),
    ("1\u{202f}234", .separator), ("1’234", .separator), ("1£", .notDecimal),
    ("1e3", .exponent), ("1.5E-7", .exponent),
    ("007", .leadingZero), ("-00.5", .leadingZero),
    ("1234567890123456789012345678901", .tooManyDigits),
    ("1234567890123456789.123456789012", .tooManyDigits),
    ("0.1234567890123", .tooManyDecimals), ("0.30000000000000004", .tooManyDecimals),
  ])
  func `what is no plain number is refused by name`(text: String, fault: ExactDecimal.Fault) {
    #expect(throws: fault) { try Samples.decimal(text) }
  }

  @Test func `a million digits are refused`() {
    #expect(throws: ExactDecimal.Fault.tooManyDigits) {
      try Samples.decimal(String(repeating: "9", count: 1_000_000))
    }
  }

  @Test(arguments: [
    ("1.005", 2, "1.01"), ("-1.005", 2, "-1.01"), ("1.0049", 2, "1.00"), ("2.5", 0, "3"),
    ("-2.5", 0, "-3"), ("-2.4", 0, "-2"), ("0.5", 0, "1"), ("-0.4", 0, "0"), ("9.995", 2, "10.00"),
    ("3.5", 2, "3.5"), ("3.5", -1, "4"), ("-0.004", 2, "0.00"),
  ])
  func `a half is rounded away from zero`(text: String, decimals: Int, rounded: String) throws {
    #expect(try Samples.decimal(text).rounded(to: decimals).description == rounded)
  }

  @Test func `the ends of the range are rounded too`() throws {
    let highest = try #require(ExactDecimal(coefficient: .max, scale: 12))
    let lowest = try #require(ExactDecimal(coefficient: .min, scale: 12))
    #expect(highest.description == "170141183460469231731687303.715884105727")
    #expect(lowest.description == "-170141183460469231731687303.715884105728")
    #expect(highest.rounded(to: 11).description == "170141183460469231731687303.71588410573")
    #expect(lowest.rounded(to: 0).description == "-170141183460469231731687304")
  }

  @Test func `numbers are equal by value, whatever their decimals`() throws {
    let short = try Samples.decimal("1.5")
    let long = try Samples.decimal("1.500")
    #expect(short == long)
    #expect(Set([short, long]).count == 1)
    #expect(!(short < long) && !(long < short))
    #expect(try Samples.decimal("-1.5") < Samples.decimal("-1.49"))
    #expect(try Samples.decimal("-0.5") < Samples.decimal("0.3"))
    #expect(try Samples.decimal("99999999999999999999") > Samples.decimal("0.000000000001"))
    let highest = try #require(ExactDecimal(coefficient: .max, scale: 0))
    #expect(try Samples.decimal("0.000000000001") < highest)
  }

  @Test func `what does not fit is nil`() throws {
    let highest = try #require(ExactDecimal(coefficient: .max, scale: 0))
    let lowest = try #require(ExactDecimal(coefficient: .min, scale: 0))
    let one = try Samples.decimal("1")
    let cent = ExactDecimal.hundredths(1)
    #expect(highest.adding(one) == nil)
    #expect(lowest.subtracting(one) == nil)
    #expect(highest.adding(cent) == nil)
    #expect(highest.multiplied(by: highest) == nil)
    #expect(ExactDecimal.sum([highest, one, lowest]) == nil)
    let fine = try Samples.decimal("0.0000001")
    #expect(fine.multiplied(by: fine) == nil)
    #expect(ExactDecimal(coefficient: 1, scale: 13) == nil)
    #expect(ExactDecimal(coefficient: 1, scale: -1) == nil)
  }

  @Test func `zeros at the end make room for a product's decimals`() throws {
    let rate = try Samples.decimal("19.000000000000")
    let product = try #require(rate.multiplied(by: .hundredths(1)))
    #expect(product.description == "0.190000000000")
    #expect(ExactDecimal.sum([]) == .zero)
  }

  @Test func `two thousand operations agree with Foundation's decimals`() throws {
    let seed: UInt64 = 0x5EED
    var random = SeededGenerator(seed: seed)
    for round in 0..<2_000 {
      let place = Comment("seed \(seed), round \(round)")
      func number() throws -> (ExactDecimal, Decimal) {
        let magnitude = random.pick([9, 9_999, 99_999_999, 999_999_999_999_999] as [Int64])
        let own = try #require(
          ExactDecimal(
            coefficient: Int128(random.int64(-magnitude...magnitude)), scale: random.int(0...6)))
        return (own, try #require(Decimal(string: own.description)))
      }
      let (left, leftDecimal) = try number()
      let (right, rightDecimal) = try number()
      let pairs = [
        (left.adding(right), leftDecimal + rightDecimal),
        (left.subtracting(right), leftDecimal - rightDecimal),
        (left.multiplied(by: right), leftDecimal * rightDecimal),
      ]
      for (own, other) in pairs {
        #expect(Decimal(string: try #require(own).description) == other, place)
      }
      #expect((left < right) == (leftDecimal < rightDecimal), place)
      #expect((left == right) == (leftDecimal == rightDecimal), place)
      let decimals = random.int(0...4)
      var unrounded = leftDecimal
      var rounded = Decimal()
      NSDecimalRound(&rounded, &unrounded, decimals, .plain)
      #expect(Decimal(string: left.rounded(to: decimals).description) == rounded, place)
      #expect(try Samples.decimal(left.description).description == left.description, place)
    }
  }
}
