import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite struct CacheViewTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `reads of the cache agree with a search through all entries`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    var history = History(seed: seed)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(300, to: log)
    let entries = history.generator.model.entries
    let view = CacheView(log)

    try log.environment.withReadTransaction { transaction in
      for resource in Set(entries.keys.map(\.resource)) {
        let key = ResourceKey(stored: String(decoding: resource, as: UTF8.self))
        let own = entries.filter { $0.key.resource == resource }
        let all = try view.all(of: key, in: transaction)
        #expect(all.map(\.contentSet) == own.keys.map(\.contentSet).sorted())
        let few = (0...15 as ClosedRange<UInt64>).map { $0 }
        for wanted in few + [1 << 40, 1 << 40 | 4, 1 << 63, 1 << 63 | 1, .max] {
          let covering = own.filter { $0.key.contentSet & wanted == wanted }
          let newest = covering.values.map(\.written).max()
          let found = try view.entry(key, covering: wanted, in: transaction)
          #expect(found?.written == newest)
          if let found { #expect(found.contentSet & wanted == wanted) }
        }
      }
      #expect(try view.count(in: transaction) == entries.count)
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `pages show every entry once, in the order of keys`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    var history = History(seed: seed)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(300, to: log)
    let view = CacheView(log)
    let keys = try log.read { (transaction) throws(LogError) in
      try view.page(after: nil, limit: .max, in: transaction) { _ in true }.entries
    }
    for (limit, scanLimit) in [(1, 10_000), (3, 10_000), (100, 2), (2, 1)] {
      var paged: [CacheEntry] = []
      var cursor: [UInt8]?
      repeat {
        let page = try log.read { (transaction) throws(LogError) in
          try view.page(after: cursor, limit: limit, scanLimit: scanLimit, in: transaction) {
            $0.isPresent
          }
        }
        #expect(page.entries.count <= min(limit, scanLimit))
        paged += page.entries
        cursor = page.next
      } while cursor != nil
      #expect(paged == keys.filter(\.isPresent))
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `pages of a prefix show its entries and no others`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    var history = History(seed: seed)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(300, to: log)
    let view = CacheView(log)
    for prefix in [
      "", "shared/", "shared/keepa.product/1/", "shared/keepa.product/1/B000000003", "shared/z",
      "t",
    ] {
      var paged: [CacheEntry] = []
      var cursor: [UInt8]?
      repeat {
        let page = try log.read { (transaction) throws(LogError) in
          try view.page(prefix: prefix, after: cursor, limit: 2, in: transaction) { _ in true }
        }
        paged += page.entries
        cursor = page.next
      } while cursor != nil
      let expected = history.generator.model.entries
        .filter { $0.key.resource.starts(with: prefix.utf8) }.map(\.value.written)
      #expect(paged.map(\.written).sorted() == expected.sorted())
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `entries come due in the order of their instants`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    var history = History(seed: seed)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(300, to: log)
    let view = CacheView(log)
    let instants = history.generator.model.entries.values.map {
      $0.isMarkedExpired ? $0.keepUntil : min($0.freshUntil, $0.keepUntil)
    }.sorted()
    let median = instants.isEmpty ? .testStart : instants[instants.count / 2]
    for now in [median, median.advanced(byMilliseconds: -1), instants.last ?? median] {
      let due = try log.read { (transaction) throws(LogError) in
        try view.dueEntries(at: now, limit: .max, in: transaction)
      }
      let found = due.map { $0.isMarkedExpired ? $0.keepUntil : min($0.freshUntil, $0.keepUntil) }
      #expect(found == instants.filter { $0 <= now })
    }
  }

  @Test(arguments: [1, 479, 480])
  func `an entry of any possible name is found again`(length: Int) async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    var event = CacheWritten()
    event.resource = String(repeating: "r", count: length)
    event.presence = .absent
    try await log.append([.cacheWritten(event)])
    let view = CacheView(log)
    let found = try log.read { (transaction) throws(LogError) in
      try view.entry(ResourceKey(stored: event.resource), covering: 0, in: transaction)
    }
    #expect(found?.written == 1)
  }

  @Test(arguments: [1, 2, 3, 100])
  func `entries of a kind are counted, those of accounts too, in portions`(
    scanLimit: Int
  ) async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    let names = [
      "account/acme/a.doc/1", "account/acme/a.doc/2", "account/acme/b.doc/1",
      "account/a.doc/b.doc/a.doc", "account/zeta/a.doc/x/y", "shared/a.doc/1", "shared/a.doc/2",
      "shared/a.docs/1", "shared/a/doc/1", "shared/b.doc/a.doc",
    ]
    try await log.append(
      names.map { name in
        var event = CacheWritten()
        event.resource = name
        event.presence = .absent
        return .cacheWritten(event)
      })
    let view = CacheView(log)
    for (kind, count) in [("a.doc", 5), ("b.doc", 3), ("a.docs", 1), ("a", 1), ("c", 0)] {
      var found = 0
      var cursor: [UInt8]?
      repeat {
        let after = cursor
        let part = try log.read { (transaction) throws(LogError) in
          try view.count(ofKind: kind, after: after, scanLimit: scanLimit, in: transaction)
        }
        found += part.entries
        cursor = part.next
      } while cursor != nil
      #expect(found == count, "\(kind)")
    }
  }
}
