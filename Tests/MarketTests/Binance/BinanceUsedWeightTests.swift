import Testing

@testable import Market

@Suite("weight that was used") struct BinanceUsedWeightTests {
  private typealias Headers = [(name: String, value: String)]

  private func read(_ headers: Headers) throws(BinanceUsedWeight.Absence) -> BinanceUsedWeight {
    try BinanceUsedWeight(headers)
  }

  private func refusal(_ headers: Headers) -> String? {
    do throws(BinanceUsedWeight.Absence) {
      _ = try read(headers)
      return nil
    } catch { return error.description }
  }

  @Test func `the header tells the weight, however it is written`() throws {
    #expect(
      try read([("x-mbx-used-weight", "7"), ("x-mbx-used-weight-1m", " 1234 ")]).weight == 1_234)
    #expect(try read([("X-MBX-USED-WEIGHT-1M", "0")]).weight == 0)
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
}
