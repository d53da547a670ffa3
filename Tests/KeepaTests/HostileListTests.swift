import JSONText
import Testing
import TollbookEvents
import TollbookUpstreams

@testable import Keepa

/// Answers whose lists hold more than was asked for.
@Suite struct HostileListTests {
  private func products(_ count: Int) -> String {
    (0..<count).map { "{\"asin\":\"B\(100_000_000 + $0)\",\"title\":\"x\"}" }
      .joined(separator: ",")
  }

  @Test func `of products that nobody asked for no more are kept than a call may ask for`() throws {
    let asked = try #require(KeepaASIN("B000000001"))
    // So many that looking through them once for each would not come to its end.
    let body = "{\"products\":[\(products(100_000))],\"refillRate\":0,\"tokensLeft\":1}"
    let answer = try KeepaProductAnswer.read(
      status: 200, body: Array(body.utf8), asked: [asked], contentSet: .plain)
    #expect(answer.unasked.count == KeepaLimits.unasked)
    #expect(answer.absent.isEmpty)
    #expect(answer.unanswered == [asked])
  }

  @Test func `a code brings no more products than it may`() throws {
    let root = try JSONDocument(Array("[\(products(1_000))]".utf8)).root
    let found = KeepaProductAnswer.products(in: root, asked: .plain, atMost: 20)
    #expect(found.count == 20)
  }

  @Test func `a history in no order overflows no sum of its statistics`() throws {
    let (low, high) = (Int64.min / 2, Int64.max / 2)
    let points = (0..<200).flatMap { _ in
      ["\(low)", "\(Int64.max)", "\(high)", "-1", "\(low)", "-1", "\(high)", "\(Int64.max)"]
    }
    let history = try JSONDocument(Array("[\(points.joined(separator: ","))]".utf8)).root
    let figures = IntervalFigures(history, width: 2, from: low, to: high)
    #expect(figures.lowest?.value == Int64.max)
    #expect(figures.highest?.value == Int64.max)
  }
}
