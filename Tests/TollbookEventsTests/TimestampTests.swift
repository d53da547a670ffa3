import Foundation
import Testing
import TollbookEvents

@Suite struct TimestampTests {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00.000Z", 0),
      ("1969-12-31T23:59:59.999Z", -1),
      ("2026-11-21T08:30:00.125Z", 1_795_249_800_125),
      ("2000-02-29T00:00:00.000Z", 951_782_400_000),
      ("2000-03-01T00:00:00.000Z", 951_868_800_000),
      ("1900-02-28T23:59:59.999Z", -2_203_891_200_001),
      ("1900-03-01T00:00:00.000Z", -2_203_891_200_000),
      ("2024-12-31T23:59:59.999Z", 1_735_689_599_999),
      ("0000-01-01T00:00:00.000Z", -62_167_219_200_000),
      ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ] as [(String, Int64)])
  func `known instants read and print`(text: String, milliseconds: Int64) {
    #expect(Timestamp(milliseconds: milliseconds).description == text)
    #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    #expect(Timestamp(milliseconds: milliseconds).day == text.prefix(10))
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func `what is printed is read again, and agrees with Foundation`(seed: UInt64) throws {
    var random = Generator(state: seed)
    for _ in 0..<50 {
      let milliseconds = Int64.random(
        in: -62_167_219_200_000...253_402_300_799_999, using: &random)
      let text = Timestamp(milliseconds: milliseconds).description
      #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
      // Foundation switches to the Julian calendar before 1582.
      guard milliseconds > -12_000_000_000_000 else { continue }
      let parts = Self.calendar.dateComponents(
        [.year, .month, .day, .hour, .minute, .second],
        from: Date(timeIntervalSince1970: (Double(milliseconds) / 1_000).rounded(.down)))
      let fields = text.split { !$0.isNumber }.compactMap { Int($0) }
      #expect(
        fields.prefix(6)
          == [parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second]
          .compactMap { $0 }[...])
    }
  }

  private static let calendar = {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
    return calendar
  }()

  @Test func `every day of four centuries follows the one before it`() throws {
    var day = try #require(CalendarDay("1899-12-31"))
    let end = try #require(CalendarDay("2300-01-02"))
    while day < end {
      #expect(CalendarDay(day.next.description) == day.next)
      #expect(day.description < day.next.description)
      #expect(Timestamp(startOf: day).day == day.description)
      #expect(Timestamp(startOf: day).calendarDay == day)
      #expect(Timestamp(startOf: day.next).advanced(byMilliseconds: -1).calendarDay == day)
      day = day.next
    }
  }

  @Test func `a date alone is a day and no instant, an instant no day`() {
    #expect(CalendarDay("1970-01-02")?.number == 1)
    #expect(CalendarDay("2024-02-29")?.next.description == "2024-03-01")
    #expect(CalendarDay("2026-11-21T00:00:00Z") == nil)
    for text in ["2026-13-01", "2026-11-31", "2023-02-29", "2026-11-2", "2026-11-21 ", ""] {
      #expect(CalendarDay(text) == nil, "\(text)")
    }
  }

  @Test(arguments: [
    ("2026-11-21T08:30:00Z", "2026-11-21T08:30:00.000Z"),
    ("2026-11-21t08:30:00z", "2026-11-21T08:30:00.000Z"),
    ("2026-11-21 08:30:00Z", "2026-11-21T08:30:00.000Z"),
    ("2026-11-21T08:30:00.5Z", "2026-11-21T08:30:00.500Z"),
    ("2026-11-21T08:30:00.1239999Z", "2026-11-21T08:30:00.123Z"),
    ("2026-11-21T08:30:00+02:00", "2026-11-21T06:30:00.000Z"),
    ("2026-11-21T00:30:00+05:45", "2026-11-20T18:45:00.000Z"),
    ("2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00.000Z"),
    ("2026-11-21T08:30:00-00:00", "2026-11-21T08:30:00.000Z"),
  ])
  func `fractions and offsets are read`(text: String, expected: String) {
    #expect(Timestamp(rfc3339: text)?.description == expected)
  }

  @Test(arguments: [
    "", "2026", "2026-11", "2026-11-21", "2026-11-21T", "2026-11-21T08:30Z", "2026-11-21T08:30:00",
    "2026-11-21T08:30:00.Z", "2026-11-21T08:30:00+0200", "2026-11-21T08:30:00+02",
    "2026-11-21T08:30:00Zulu", "2026-11-21Z", "2026-13-01", "2026-00-01", "2026-01-00",
    "2026-01-32", "2026-04-31", "2023-02-29", "1900-02-29", "2026-11-21T24:00:00Z",
    "2026-11-21T08:60:00Z", "2026-11-21T08:30:60Z", "2026-11-21T08:30:00+24:00",
    "2026-11-21T08:30:00+02:60", "+2026-11-21", "-026-11-21", "２０２６-11-21", " 2026-11-21",
    "2026-11-21 ", "2026/11/21", "20261121", "1795249800125",
  ])
  func `anything else is refused`(text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }

  @Test func `instants that RFC 3339 does not know print with a signed year`() {
    #expect(Timestamp(milliseconds: .max).description == "+292278994-08-17T07:12:55.807Z")
    #expect(Timestamp(milliseconds: .min).description == "-292275055-05-16T16:47:04.192Z")
    #expect(Timestamp(milliseconds: 253_402_300_800_000).day == "+10000-01-01")
    #expect(Timestamp(milliseconds: -62_167_219_200_001).day == "-0001-12-31")
  }

  @Test func `the ends of the range hold an instant that is advanced`() {
    let last = Timestamp(milliseconds: .max)
    let first = Timestamp(milliseconds: .min)
    #expect(last.advanced(byMilliseconds: 1) == last)
    #expect(first.advanced(byMilliseconds: -1) == first)
    #expect(first.advanced(byMilliseconds: .max).milliseconds == -1)
    #expect(Timestamp(milliseconds: 5).advanced(byMilliseconds: -7).milliseconds == -2)
    #expect(first < last)
  }
}

/// SplitMix64.
struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
