import Testing

@testable import TollbookSimulators

/// Exact numbers with eight places.
@Suite struct BinanceDecimalTests {
  @Test(
    arguments: [
      (0, 2, "0.00000000"), (1, 8, "0.00000001"), (6_100_010, 2, "61000.10000000"),
      (-7, 0, "-7.00000000"), (-1_250_001, 4, "-125.00010000"), (123_456_789, 8, "1.23456789"),
      (Int128(UInt64.max), 0, "18446744073709551615.00000000"),
      (Int128(UInt64.max) * 1_000 + 7, 3, "18446744073709551615.00700000"),
    ] as [(Int128, Int, String)])
  func `a number is written in full`(value: Int128, decimals: Int, text: String) {
    let bytes = BinanceDecimal.quoted(value, decimals)
    #expect(String(decoding: bytes, as: UTF8.self) == "\"\(text)\"")
  }

  @Test(
    arguments: [
      (10, 4, 3), (9, 4, 2), (-10, 4, -3), (-9, 4, -2), (7, 7, 1), (0, 5, 0), (5, 0, 0), (1, 3, 0),
      (2, 3, 1),
    ] as [(Int128, Int128, Int128)])
  func `a ratio is rounded half away from zero`(
    dividend: Int128, divisor: Int128, quotient: Int128
  ) {
    #expect(BinanceDecimal.ratio(dividend, divisor) == quotient)
  }

  @Test(
    arguments: [
      (1, 8, "12.500"), (-1, 8, "-12.500"), (0, 8, "0.000"), (1, 3_000, "0.033"),
      (-1, 300_000, "0.000"), (5, 0, "0.000"), (8, 4, "200.000"),
    ] as [(Int64, Int64, String)])
  func `a change in percent has three places`(change: Int64, open: Int64, text: String) {
    #expect(BinanceTicker.percent(change, of: open) == text)
  }
}
