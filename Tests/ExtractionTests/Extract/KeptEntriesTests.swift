import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import Extraction
@testable import TollbookGateway
@testable import TollbookHTTP

/// What a client has put in, and nobody sells.
@Suite struct `What is kept and cannot be bought again` {
  private static func document(_ number: Int) -> ResourceKey {
    ResourceKey(stored: "account/default/gemini.document/it/\(number)")
  }

  private static func content(_ number: Int) -> [UInt8] {
    (0..<2_000).map { UInt8(truncatingIfNeeded: ($0 &* 131) ^ ($0 &* $0 >> 3) ^ number) }
  }

  @Test func `makes no room for others, however little there is`() async throws {
    try await ExtractionStand.serving {
      $0.gateway.cacheBytes = 4_000
    } _: { stand, _ in
      let gateway = stand.gateway
      for number in 0..<5 {
        try await gateway.keep(Self.content(number), as: Self.document(number))
      }
      let answer = ResourceKey(stored: "account/default/gemini.answer/old")
      try await gateway.keep(Self.content(9), as: answer)
      stand.time.advance(byMilliseconds: 2 * 3_600_000)
      _ = await gateway.boundBodies()
      #expect(try gateway.kept(answer) == nil)
      for number in 0..<5 {
        let isThere = try gateway.keptContent(Self.document(number)) == Self.content(number)
        #expect(isThere, "\(number)")
      }
    }
  }

  @Test func `is not meant by a purge of everything`() async throws {
    try await ExtractionStand.serving { stand, client in
      let gateway = stand.gateway
      try await gateway.keep(Self.content(1), as: Self.document(1))
      let answer = ResourceKey(stored: "account/default/gemini.answer/old")
      try await gateway.keep(Self.content(9), as: answer)
      let purged = try await client.send(
        .post, "/cache/purge", [.contentType: "application/json"],
        body: Array(#"{"all": true, "hard": true, "confirm": true}"#.utf8))
      #expect(purged.int("entries") == 1, "\(purged.text)")
      #expect(try gateway.kept(answer) == nil)
      #expect(try gateway.keptContent(Self.document(1))?.count == 2_000)
    }
  }

  @Test func `is changed by one after the other, and no change is lost`() async throws {
    try await ExtractionStand.serving { stand, _ in
      let gateway = stand.gateway
      let resource = Self.document(1)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in UInt8(0)..<20 {
          group.addTask { _ = try await gateway.rekeep(resource) { ($0 ?? []) + [number] } }
        }
        try await group.waitForAll()
      }
      #expect(try gateway.keptContent(resource)?.sorted() == Array(0..<20))
    }
  }

  @Test func `is made once, listed by its name's beginning, and removed by its whole name`()
    async throws
  {
    try await ExtractionStand.serving { stand, _ in
      let gateway = stand.gateway
      #expect(try await gateway.keep([1], as: Self.document(1), if: .isNew))
      #expect(try await !gateway.keep([2], as: Self.document(1), if: .isNew))
      try await gateway.keep([3], as: Self.document(11))
      try await gateway.keep([4], as: Self.document(2))
      let prefix = "account/default/gemini.document/it/1"
      let found = try gateway.kept(under: prefix, atMost: 10).map(\.resource)
      #expect(found == [1, 11].map(Self.document))
      #expect(try gateway.kept(under: prefix, atMost: 1).count == 1)
      #expect(try await gateway.removeKept(Self.document(1)))
      #expect(try await !gateway.removeKept(Self.document(1)))
      #expect(try gateway.kept(under: prefix, atMost: 10).map(\.resource) == [Self.document(11)])
    }
  }
}
