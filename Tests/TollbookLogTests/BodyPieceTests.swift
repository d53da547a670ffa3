import Bytes
import Deflate
import Testing
import TollbookLog
import TollbookTestSupport

/// Bodies in pieces: the whole and every choice of pieces, without inflating.
struct BodyPieceTests {
  @Test(arguments: 0..<50 as Range<UInt64>)
  func `a body in pieces is the same body, and any of its pieces join to their contents`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    let contents = (0..<Int.random(in: 2...12, using: &random)).map { _ in
      (0..<Int.random(in: 1...400, using: &random)).map { _ in
        UInt8.random(in: 97...102, using: &random)
      }
    }
    let whole = contents.flatMap(\.self)
    let body = Body(
      whole,
      cuts: contents.enumerated().map { Body.Cut(part: UInt8($0.offset), length: $0.element.count) }
    )
    #expect(body.digest == Body(whole).digest)
    let row = body.row
    let stored = try row.withRawSpan { row throws(Damage) in
      try Body(digest: body.digest, row: row)
    }
    #expect(stored == body)
    #expect(try stored.content() == whole)
    let chosen = stored.pieces.filter { _ in Bool.random(using: &random) }
    var joiner = GzipJoiner()
    for piece in chosen { joiner.append(piece, of: stored) }
    let expected = chosen.flatMap { contents[Int($0.part)] }
    #expect(try gunzip(joiner.finish(), maximumLength: 1 << 20) == expected)
  }

  @Test func `cuts that are not all of a body leave it in one piece`() {
    let content = Array("twelve bytes".utf8)
    #expect(
      Body(content, cuts: [.init(part: 1, length: 3), .init(part: 2, length: 3)]).pieces.isEmpty)
    #expect(Body(content, cuts: [.init(part: 1, length: 12)]).pieces.isEmpty)
    #expect(
      Body(content, cuts: [.init(part: 1, length: 12), .init(part: 2, length: 0)]).pieces.isEmpty)
    #expect(
      Body(content, cuts: [.init(part: 1, length: 5), .init(part: 2, length: 7)]).pieces.count == 2)
  }

  @Test func `a flipped bit anywhere in the row of a body in pieces is found`() throws {
    let content = Array("{\"a\":1,\"b\":2}".utf8)
    let body = Body(content, cuts: [.init(part: 1, length: 7), .init(part: 2, length: 6)])
    let row = body.row
    for bit in 0..<row.count * 8 {
      var damaged = row
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: Damage.self) {
        try damaged.withRawSpan { row throws(Damage) in
          _ = try Body(digest: body.digest, row: row).content()
        }
      }
    }
  }
}
