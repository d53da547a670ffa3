import Testing
import TollbookEvents
import TollbookHistory

@Suite struct MomentTests {
  @Test func `a point of history is a position or an instant`() {
    #expect(Moment("1234") == .position(1_234))
    #expect(Moment("2026-11-03") == .time(Timestamp(milliseconds: 1_793_664_000_000)))
    #expect(Moment("2026-11-03T14:03:00Z") == .time(Timestamp(milliseconds: 1_793_714_580_000)))
    for text in ["", "-1", "yesterday", "2026-13-01", "12 "] { #expect(Moment(text) == nil) }
  }
}
