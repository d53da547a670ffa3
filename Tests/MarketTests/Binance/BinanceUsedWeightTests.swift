import Testing

@testable import Market

@Suite("weight that was used") struct BinanceUsedWeightTests {
  private typealias Headers = [(name: String, value: String)]
  private static let instant: Int64 = 1_795_337_377_250

  private func read(_ headers: Headers) throws(BinanceUsedWeight.Absence) -> BinanceUsedWeight {
    try BinanceUsedWeight(headers, at: Self.instant)
  }

  private func refusal(_ headers: Headers) -> String? {
    do throws(BinanceUsedWeight.Absence) {
      _ = try read(headers)
      return nil
    } catch { return error.description }
  }

  @Test func `the header tells the weight and the date its minute`() throws {
    let used = try read([
      ("Date", "Sun, 22 Nov 2026 08:49:37 GMT"), ("x-mbx-used-weight", "7"),
      ("x-mbx-used-weight-1m", " 1234 "),
    ])
    #expect(used.weight == 1_234)
    #expect(used.isDated)
    // 08:49:00 of that day.
    #expect(used.minute == 1_795_337_340_000)
    let undated = try read([("X-MBX-USED-WEIGHT-1M", "0"), ("Date", "yesterday")])
    #expect(undated.weight == 0)
    #expect(!undated.isDated)
    #expect(undated.minute == Self.instant - Self.instant % 60_000)
  }

  @Test func `the old header is taken where the new one is missing`() throws {
    #expect(try read([("X-MBX-USED-WEIGHT", "42")]).weight == 42)
    #expect(try read([("X-MBX-USED-WEIGHT-1M", "3"), ("X-MBX-USED-WEIGHT-1M", "5")]).weight == 5)
  }

  @Test(arguments: [
    "", "many", "-1", "1.5", "1e3", "10000001", "99999999999999999999", "0x10", "٣",
  ])
  func `a word is no weight`(_ text: String) throws {
    let absence = try #require(refusal([("X-MBX-USED-WEIGHT-1M", text)]))
    #expect(absence.contains("X-MBX-USED-WEIGHT-1M is"))
    #expect(absence.utf8.count < 300)
  }

  @Test func `a missing header is said to be missing`() throws {
    #expect(try #require(refusal([])).contains("no header"))
    #expect(try #require(refusal([("X-MBX-USED-WEIGHT-1D", "5")])).contains("no header"))
    let long = String(repeating: "9", count: 10_000)
    #expect(try #require(refusal([("X-MBX-USED-WEIGHT-1M", long)])).utf8.count < 300)
  }

  @Test(
    arguments: [
      ("Sun, 22 Nov 2026 08:49:37 GMT", 1_795_337_377_000),
      ("Thu, 01 Jan 2009 00:00:00 GMT", 1_230_768_000_000),
      ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199_000), ("Sat, 29 Feb 2025 23:59:59 GMT", nil),
      ("Sun, 06 Nov 1994 08:49:37 GMT", nil), ("Sun, 22 Nov 2026 08:49:37 UTC", nil),
      ("Sunday, 22-Nov-26 08:49:37 GMT", nil), ("Sun, 22 nov 2026 08:49:37 GMT", nil),
      ("Sun, 22 Nov 2026 24:00:00 GMT", nil), ("Sun, 2 Nov 2026 08:49:37  GMT", nil), ("", nil),
      ("Sun, 22 Nov 2026 08:49:37 GMT ", nil), ("2026-11-22T08:49:37Z", nil),
    ] as [(String, Int64?)])
  func `a date is what HTTP writes`(_ text: String, _ instant: Int64?) {
    #expect(BinanceTime.httpDate(text) == instant)
  }

  @Test(arguments: [Int64.min, -1, 0, .max])
  func `no instant overflows`(instant: Int64) throws {
    let used = try BinanceUsedWeight([("X-MBX-USED-WEIGHT-1M", "1")], at: instant)
    #expect(used.minute >= 0 && used.minute % 60_000 == 0)
  }
}
