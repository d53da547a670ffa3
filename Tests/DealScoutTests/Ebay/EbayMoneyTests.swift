import Testing
import TollbookTestSupport

@testable import DealScout

@Suite struct EbayMoneyTests {
  @Test(arguments: [
    ("31.99", "USD", 3_199), ("5.5", "USD", 550), ("0", "EUR", 0), ("0.00", "EUR", 0),
    ("7", "GBP", 700), ("007.10", "USD", 710), ("1500", "JPY", 1_500), ("1500.0", "JPY", 1_500),
    ("1.234", "KWD", 1_234), ("12.5000", "USD", 1_250),
    ("10000000000000.00", "USD", 1_000_000_000_000_000),
  ])
  func `digits become the smallest unit exactly`(
    _ text: String, _ code: String, _ units: Int64
  ) throws {
    let money = try EbayMoney.sample(text, code)
    #expect(money.minorUnits == units)
    #expect(money.text == text)
    #expect(money.currency.code == code)
  }

  @Test(arguments: [
    "", ".", "5.", ".5", "-1", "+1", "1e999", "1E2", "NaN", "inf", "1,50", " 1", "1 ", "1.2.3",
    "1.999", "0x10", "٣", "10000000000000.01", "99999999999999999999999999", "1\u{0}",
    "000000000000000000000000000000001",
  ])
  func `what is no amount is refused`(_ text: String) throws {
    let dollar = EbayCurrency.dollar
    #expect(EbayMoney(text, dollar) == nil)
  }

  @Test(arguments: ["", "US", "usd", "USDT", "U$D", "ÜSD"])
  func `a currency has three capitals`(_ code: String) {
    #expect(EbayCurrency(code) == nil)
  }

  @Test func `two currencies are never added`() throws {
    let dollars = try EbayMoney.sample("31.99")
    #expect(dollars.adding(try .sample("5.50"))?.minorUnits == 3_749)
    #expect(dollars.adding(try .sample("5.50"))?.text == "37.49")
    #expect(dollars.adding(try .sample("5.50", "EUR")) == nil)
    let most = try #require(EbayMoney(minorUnits: EbayMoney.mostMinorUnits, .dollar))
    #expect(most.adding(try .sample("0.01")) == nil)
    #expect(EbayMoney(minorUnits: -1, .dollar) == nil)
  }

  @Test func `nano-units are exact or none`() throws {
    #expect(try EbayMoney.sample("31.99").nanoUnits == 31_990_000_000)
    #expect(try EbayMoney.sample("1500", "JPY").nanoUnits == 1_500_000_000_000)
    #expect(try EbayMoney.sample("10000000000000").nanoUnits == nil)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `what is written reads back`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let code = random.pick(["USD", "JPY", "KWD", "CLF", "EUR"])
      let currency = try #require(EbayCurrency(code))
      let digits = random.int(0...15)
      var most: Int64 = 1
      for _ in 0..<digits { most *= 10 }
      let units = random.int64(0...most)
      let money = try #require(EbayMoney(minorUnits: units, currency))
      #expect(EbayMoney(money.plainText, currency)?.minorUnits == units, "seed \(seed)")
      #expect(money.text == money.plainText)
    }
  }
}
