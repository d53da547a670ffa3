import Testing
import TollbookEvents

@testable import Keepa

@Suite struct RememberedScoresTests {
  private let start = Timestamp(milliseconds: 1_800_000_000_000)

  private func key(_ number: UInt8, buy: Int64? = nil) throws -> RememberedScores.Key {
    RememberedScores.Key(
      digest: [number], costs: try ProductCosts(buy: buy), day: 20_000, version: "a")
  }

  private func at(_ milliseconds: Int64) -> Timestamp {
    start.advanced(byMilliseconds: milliseconds)
  }

  @Test func `a score lasts for its window and not a moment longer`() throws {
    let score = try Scoring.score(Scoring.toy())
    var known = RememberedScores()
    known.remember(score, try key(1), at: start)
    let hours: Int64 = 6 * 3_600_000
    #expect(known.score(try key(1), at: start)?.profit == score.profit)
    #expect(known.score(try key(1), at: at(hours - 1)) != nil)
    #expect(known.score(try key(1), at: at(hours)) == nil)
    #expect(known.score(try key(1, buy: 5), at: start) == nil, "other costs are another score")
    known.remember(score, try key(1), at: at(hours))
    #expect(known.score(try key(1), at: at(2 * hours - 1)) != nil)
    #expect(
      known.score(try key(1), at: at(-1)) == nil, "a clock that was ahead does not prolong it")
  }

  @Test func `there are never more than the bound, and the oldest make room`() throws {
    let score = try Scoring.score(Scoring.toy())
    var known = RememberedScores(most: 3)
    for number in UInt8(1)...5 { known.remember(score, try key(number), at: at(Int64(number))) }
    #expect(known.count == 3)
    for number in UInt8(1)...5 {
      #expect((known.score(try key(number), at: at(9)) != nil) == (number > 2), "\(number)")
    }
    for _ in 0..<10 { known.remember(score, try key(5), at: at(9)) }
    #expect(known.count <= 3)
    #expect(known.score(try key(5), at: at(9)) != nil)
  }

  @Test func `those whose window is over are let go, and of a window of 0 none is kept`() throws {
    let score = try Scoring.score(Scoring.toy())
    var known = RememberedScores(window: 100)
    for number in UInt8(1)...5 { known.remember(score, try key(number), at: at(0)) }
    known.remember(score, try key(6), at: at(100))
    #expect(known.count == 1)
    var none = RememberedScores(window: 0)
    none.remember(score, try key(1), at: start)
    #expect(none.count == 0)
  }
}
