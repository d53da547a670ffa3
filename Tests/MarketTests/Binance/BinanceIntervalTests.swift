import Testing
import TollbookEvents
import TollbookTestSupport

@testable import Market

@Suite("intervals of candles") struct BinanceIntervalTests {
  private static func instant(_ text: String) throws -> Int64 {
    try #require(Timestamp(rfc3339: text)).milliseconds
  }

  @Test func `a name is an interval as it is written, and 1m is not 1M`() {
    #expect(BinanceInterval(rawValue: "1m") == .minute)
    #expect(BinanceInterval(rawValue: "1M") == .month)
    for name in ["1H", "7m", "", "1d ", "1mo", "60m", "1"] {
      #expect(BinanceInterval(rawValue: name) == nil, "\(name)")
    }
    #expect(BinanceInterval.allCases.count == 16)
  }

  @Test(arguments: [
    ("1s", "2026-11-21T13:47:31.000Z", "2026-11-21T13:47:32.000Z"),
    ("1m", "2026-11-21T13:47:00.000Z", "2026-11-21T13:48:00.000Z"),
    ("15m", "2026-11-21T13:45:00.000Z", "2026-11-21T14:00:00.000Z"),
    ("8h", "2026-11-21T08:00:00.000Z", "2026-11-21T16:00:00.000Z"),
    ("12h", "2026-11-21T12:00:00.000Z", "2026-11-22T00:00:00.000Z"),
    ("1d", "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z"),
    // The 21st is a Saturday.
    ("1w", "2026-11-16T00:00:00.000Z", "2026-11-23T00:00:00.000Z"),
    ("1M", "2026-11-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z"),
  ])
  func `a candle opens and the next one does`(
    _ name: String, _ open: String, _ next: String
  ) throws {
    let interval = try #require(BinanceInterval(rawValue: name))
    let time = try Self.instant("2026-11-21T13:47:31.250Z")
    #expect(BinanceGrid(interval).openTime(containing: time) == (try Self.instant(open)))
    #expect(BinanceGrid(interval).next(after: time) == (try Self.instant(next)))
    #expect(BinanceGrid(interval).closeTime(of: time) == (try Self.instant(next)) - 1)
  }

  @Test(arguments: ["2017-08-17T00:00:00Z", "2026-07-01T00:00:00Z"])
  func `candles of three days open on the days that were seen`(_ text: String) throws {
    let open = try Self.instant(text)
    #expect(BinanceGrid(.threeDays).openTime(containing: open) == open)
    #expect(BinanceGrid(.threeDays).openTime(containing: open - 1) == open - 259_200_000)
  }

  @Test func `three days are counted from an opening that is known`() throws {
    let known = try Self.instant("2026-07-03T00:00:00Z")
    let grid = BinanceGrid(.threeDays, anchor: known)
    #expect(grid.isOpening(known))
    #expect(grid.isOpening(known - 300 * 259_200_000))
    #expect(!grid.isOpening(known + 86_400_000))
    let later = try Self.instant("2026-07-07T11:00:00Z")
    #expect(grid.openTime(containing: later) == (try Self.instant("2026-07-06T00:00:00Z")))
    let impossible = BinanceGrid(.threeDays, anchor: .max)
    #expect(impossible.isOpening(try Self.instant("2026-07-01T00:00:00Z")))
  }

  @Test func `a leap February has 29 days, and 2100 has none`() throws {
    let leap = try Self.instant("2028-02-15T00:00:00Z")
    #expect(BinanceGrid(.month).next(after: leap) == (try Self.instant("2028-03-01T00:00:00Z")))
    let plain = try Self.instant("2100-02-28T23:59:59Z")
    #expect(BinanceGrid(.month).next(after: plain) == (try Self.instant("2100-03-01T00:00:00Z")))
    #expect(
      BinanceGrid(.month).closeTime(of: try Self.instant("2100-12-31T00:00:00Z"))
        == BinanceTime.range.upperBound - 1)
  }

  @Test func `outside of 2009 to 2100 there is no candle`() {
    for interval in BinanceInterval.allCases {
      for time in [Int64.min, -1, 0, 1_230_767_999_999, 4_133_980_800_000, .max] {
        #expect(BinanceGrid(interval).openTime(containing: time) == nil)
        #expect(BinanceGrid(interval).next(after: time) == nil)
        #expect(BinanceGrid(interval).closeTime(of: time) == nil)
      }
      #expect(BinanceGrid(interval).openTime(containing: 1_230_768_000_000) != nil)
      #expect(BinanceGrid(interval).next(after: 4_133_980_799_999) != nil)
    }
  }

  @Test func `a time zone moves the openings`() throws {
    let zone = try #require(BinanceTimeZone("5:45"))
    let grid = BinanceGrid(.day, zone: zone)
    let time = try Self.instant("2026-11-21T19:00:00Z")
    #expect(grid.openTime(containing: time) == (try Self.instant("2026-11-21T18:15:00Z")))
    let west = BinanceGrid(.month, zone: try #require(BinanceTimeZone("-3")))
    #expect(west.openTime(containing: time) == (try Self.instant("2026-11-01T03:00:00Z")))
    #expect(west.next(after: time) == (try Self.instant("2026-12-01T03:00:00Z")))
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `openings are aligned, and the next begins where one ends`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let interval = BinanceInterval.allCases[random.int(0..<BinanceInterval.allCases.count)]
      let zone = try #require(BinanceTimeZone("\(random.int(-12..<15))"))
      let grid = BinanceGrid(interval, zone: zone)
      let month: Int64 = 31 * 86_400_000
      let range = BinanceTime.range
      let time = random.int64(range.lowerBound + month..<range.upperBound - month)
      let open = try #require(grid.openTime(containing: time))
      let next = try #require(grid.next(after: time))
      #expect(open <= time && time < next)
      #expect(grid.isOpening(open) && grid.isOpening(next))
      #expect(grid.openTime(containing: next - 1) == open)
      #expect(grid.closeTime(of: open) == next - 1)
      #expect(grid.next(after: open) == next)
      if let length = interval.length { #expect(next - open == length) }
      #expect(grid.number(at: next) == grid.number(at: time) + 1)
    }
  }

  @Test(arguments: [
    ("0", 0, "0"), ("8", 480, "8"), ("08", 480, "8"), ("-1:00", -60, "-1"), ("05:45", 345, "5:45"),
    ("-0:30", -30, "-0:30"), ("+14:00", 840, "14"), ("-12", -720, "-12"), ("-0", 0, "0"),
  ])
  func `an offset has one form`(_ text: String, _ minutes: Int, _ form: String) throws {
    let zone = try #require(BinanceTimeZone(text))
    #expect(zone.minutes == minutes)
    #expect(zone.text == form)
    #expect(BinanceTimeZone(zone.text) == zone)
  }

  @Test(arguments: ["", "14:01", "-12:01", "15", "UTC", "1:5", "1:60", "001", "1:", ":30", "--1"])
  func `what is no offset is refused`(_ text: String) {
    #expect(BinanceTimeZone(text) == nil)
  }
}
