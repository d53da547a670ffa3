import Testing
import TollbookEvents

@testable import TollbookHTTP

@Suite struct EventSentenceTests {
  @Test(
    arguments: [
      (2_000, "2026-11-28T18:07:59Z"), (59_999, "2026-11-28T18:08:56Z"),
      (60_000, "2026-11-28T18:08Z"), (2 * 86_400_000 - 1, "2026-11-30T18:07Z"),
      (2 * 86_400_000, "2026-11-30"),
    ] as [(Int64, String)])
  func `the end of a window is told as exactly as its length needs`(
    window: Int64, told: String
  ) throws {
    let fetched = try #require(Timestamp(rfc3339: "2026-11-28T18:07:57Z")).milliseconds
    var event = CacheWritten()
    event.resource = ResourceKey(shared: "atlas.place", path: "paris").description
    event.presence = .present
    event.fetch = 5
    event.fetchedMs = fetched
    event.freshUntilMs = fetched + window
    #expect(Event.cacheWritten(event).sentence([]) == "paris kept, fresh until \(told)")
  }
}
