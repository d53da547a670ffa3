import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite struct ReadForecastTests {
  private let fresh = 7 * day

  /// An entry that was fetched at the start and is fresh for a week.
  private func entry(hits: UInt64 = 5, lastRead: Int64? = 6 * day) -> CacheEntry {
    var event = CacheWritten()
    event.resource = "shared/keepa.product/1/B000000000"
    event.presence = .present
    event.body = .init([1])
    let start = Timestamp.testStart.milliseconds
    event.fetchedMs = start
    event.freshUntilMs = start + fresh
    event.graceUntilMs = start + fresh
    event.errorGraceUntilMs = start + fresh
    event.keepUntilMs = start + 90 * day
    var shelf = CacheShelf()
    var released: [[UInt8]] = []
    _ = shelf.apply(.cacheWritten(event), at: 1, releasing: &released)
    var entry = shelf.entries[0]
    entry.hits = hits
    entry.lastRead = lastRead.map { Timestamp.testStart.advanced(byMilliseconds: $0) }
    return entry
  }

  private func chance(_ entry: CacheEntry, after age: Int64) -> Double? {
    ReadForecast.chance(
      of: entry, fresh: fresh, at: Timestamp.testStart.advanced(byMilliseconds: age))
  }

  @Test func `what was read often and lately will probably be read again`() throws {
    let often = try #require(chance(entry(), after: 6 * day + hour))
    let seldom = try #require(chance(entry(hits: 1), after: 6 * day + hour))
    let longAgo = try #require(chance(entry(lastRead: day), after: 6 * day + hour))
    #expect(often > 0.98)
    #expect(seldom < often)
    #expect(longAgo < often)
    #expect(seldom > ReadForecast.leastChance)
    let forgotten = try #require(chance(entry(hits: 1, lastRead: hour), after: 6 * day))
    #expect(forgotten < ReadForecast.leastChance)
  }

  @Test func `what nobody read, or has half of its time before it, is left alone`() {
    #expect(chance(entry(hits: 0, lastRead: nil), after: 6 * day) == nil)
    #expect(chance(entry(lastRead: day), after: fresh / 2 - 1) == nil)
    #expect(chance(entry(lastRead: day), after: fresh / 2) != nil)
  }

  @Test
  func `what is not fresh, not there or purged is left alone, and what comes from a clock ahead`() {
    #expect(chance(entry(), after: fresh) == nil)
    #expect(chance(entry(), after: -hour) == nil)
    var absent = entry()
    absent.isPresent = false
    #expect(chance(absent, after: 6 * day) == nil)
    var purged = entry()
    purged.isPurged = true
    #expect(chance(purged, after: 6 * day) == nil)
  }

  @Test(arguments: Seeds.all)
  func `more reads, less silence and more time gained never make it less likely`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let reads = UInt64(random.int(0...1_000))
    let age = random.int64(1...90 * day)
    let silence = random.int64(0...age)
    let gained = random.int64(1...30 * day)
    let chance = ReadForecast.chance(reads: reads, in: age, silence: silence, gained: gained)
    #expect((0...1).contains(chance))
    #expect(
      ReadForecast.chance(reads: reads + 1, in: age, silence: silence, gained: gained) >= chance)
    #expect(
      ReadForecast.chance(reads: reads, in: age, silence: silence / 2, gained: gained) >= chance)
    #expect(
      ReadForecast.chance(reads: reads, in: age, silence: silence, gained: gained * 2) >= chance)
  }
}
