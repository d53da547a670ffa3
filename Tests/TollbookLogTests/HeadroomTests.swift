import Glibc
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookLog

@Suite struct HeadroomTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `pages that a reader may still read are no room, and the reader is named`()
    async throws
  {
    var options = EventLog.Options.scratch
    options.mapSize = 64 << 20
    // All of it: what is free is counted from the beginning on.
    options.reserveBytes = 64 << 20
    let log = try folder.openLog(options: options)
    defer { log.close() }
    var started = ServiceStarted()
    started.version = String(repeating: "x", count: 10_000)
    let event = Event.serviceStarted(started)
    try await log.append([event])
    let readers = await HeldReaders(log.environment, count: 1)
    for _ in 0..<50 { try await log.append([event]) }
    let held = try log.headroom()
    readers.letGo()
    let free = try log.headroom()
    #expect(held.pinned > 0)
    #expect(held.reader == Int(getpid()))
    #expect(held.readerLag == 50)
    #expect(free.pinned == 0)
    #expect(free.reader == nil)
    #expect(free.map == held.map + held.pinned)
  }

  @Test func `the advice fits the cause`() throws {
    let mebibyte = 1 << 20
    let wide = Headroom(
      map: 100 * mebibyte, disk: 100 * mebibyte, reserve: 64 * mebibyte, pinned: 0,
      oldestReader: nil)
    #expect(wide.admits)
    #expect(wide.shortage == nil)
    let pinned = Headroom(
      map: 10 * mebibyte, disk: 1 << 40, reserve: 64 * mebibyte, pinned: 90 * mebibyte,
      oldestReader: (4_711, 812))
    #expect(!pinned.admits)
    let reader = try #require(pinned.shortage)
    #expect(reader.contains("90 MiB more are free as soon as process 4711 has ended"))
    #expect(reader.contains("812 commits ago"))
    #expect(!reader.contains("TOLLBOOK_MAP_SIZE"))
    let small = Headroom(
      map: 10 * mebibyte, disk: 1 << 40, reserve: 64 * mebibyte, pinned: mebibyte,
      oldestReader: (4_711, 812))
    #expect(small.shortage?.contains("TOLLBOOK_MAP_SIZE") == true)
    let full = Headroom(
      map: 1 << 30, disk: mebibyte, reserve: 64 * mebibyte, pinned: 0, oldestReader: nil)
    #expect(full.shortage?.contains("the disk has 1 MiB left") == true)
    let limited = Headroom(
      map: mebibyte, disk: 1 << 40, reserve: 64 * mebibyte, pinned: 0, oldestReader: nil,
      fileLimit: 2 * mebibyte)
    #expect(
      limited.shortage
        == "the data file has 1 MiB left, and 64 MiB are kept for calls already paid: start where"
        + " files may become longer than 2 MiB (ulimit -f)")
    let refused = Headroom(
      map: 1 << 40, disk: 1 << 40, reserve: 64 * mebibyte, pinned: 0, oldestReader: nil,
      isReserved: false)
    #expect(!refused.admits)
    #expect(refused.shortage?.contains("raise the quota") == true)
  }
}
