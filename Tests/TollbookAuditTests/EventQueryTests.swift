import Bytes
import SwiftProtobuf
import Testing
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite(.timeLimit(.minutes(30))) struct EventQueryTests {
  private let lab: ExportLab

  init() throws { lab = try ExportLab() }

  private static let filters: [EventFilter] = {
    var filters = [EventFilter()]
    func add(_ change: (inout EventFilter) -> Void) {
      var filter = EventFilter()
      change(&filter)
      filters.append(filter)
    }
    for kind in EventKind.allCases { add { $0.kinds = [kind] } }
    add { $0.kinds = [.tokensCharged, .cacheWritten, .chargeResolved] }
    add { $0.kinds = Set(EventKind.allCases.prefix(9)) }
    for account in ["acme", "zeta", "caf\u{e9}", "cafe\u{301}", "nobody"] {
      add { $0.account = account }
      add { ($0.account, $0.kinds) = (account, [.tokensCharged, .readsTallied]) }
    }
    for resource in [
      "shared/keepa.product/1/B000000001", "shared/keepa.product/1/B00*", "shared/keepa.disc*",
      "shared/keepa.discovery/caf\u{e9}", "shared/keepa.discovery/cafe\u{301}", "*", "nothing",
    ] {
      add { $0.resource = .init(resource) }
      add { ($0.resource, $0.kinds) = (.init(resource), [.cacheWritten, .cacheExpired]) }
      add { ($0.resource, $0.kinds) = (.init(resource), [.entriesSwept]) }
    }
    return filters
  }()

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `an index gives what looking at every event gives, in pages of any size`(
    seed: UInt64
  ) async throws {
    let log = try await lab.log("log", events: 1_500, seed: seed)
    defer { log.close() }
    let source = LogSource(log)
    let events = try source.events()
    var filters = Self.filters
    for event in events where event.event.kind == .fetchStarted && event.position % 7 == 0 {
      var filter = EventFilter()
      filter.fetch = event.position
      filters.append(filter)
    }
    var random = SeededGenerator(seed: seed)
    var found = 0
    for filter in filters {
      let expected = events.filter(filter.matches).map(\.position)
      found += expected.count
      for index in [nil, log.index] as [EventIndex?] {
        let query = EventQuery(filter, in: source, index: index, chunk: 8)
        let limit = Int.random(in: 1...300, using: &random)
        let after = UInt64.random(in: 0...200, using: &random)
        let through = UInt64.random(in: 1_000...2_000, using: &random)
        var pages: [Position] = []
        var last = after
        while true {
          let page = try query.page(after: last, through: through, limit: limit, looking: 400)
          #expect(page.events.count <= limit)
          pages += page.events.map(\.position)
          if page.isComplete { break }
          try #require(page.last > last, "\(filter)")
          last = page.last
        }
        #expect(pages == expected.filter { $0 > after && $0 <= through }, "\(filter)")
      }
    }
    #expect(found > 3_000)
  }

  @Test func `an event is of an account or a resource if its text says so`() async throws {
    let log = try await lab.log("log", events: 1_500)
    defer { log.close() }
    var matches = 0
    for recorded in try LogSource(log).events() {
      let text: [UInt8] = try recorded.event.message.jsonUTF8Bytes()
      for filter in Self.filters {
        if let account = filter.account, filter.kinds.isEmpty {
          let isNamed = text.holds("\"account\":\"\(account)\"")
          #expect(filter.matches(recorded) == isNamed)
          matches += isNamed ? 1 : 0
        }
        if let resource = filter.resource, !resource.isPrefix, filter.kinds.isEmpty {
          // Slashes are escaped in JSON.
          let name = String(decoding: resource.name, as: UTF8.self)
          let escaped = String(name.flatMap { $0 == "/" ? ["\\", $0] : [$0] })
          let isNamed = text.holds("\"\(name)\"") || text.holds("\"\(escaped)\"")
          #expect(filter.matches(recorded) == isNamed, "\(recorded)")
          matches += isNamed ? 1 : 0
        }
      }
    }
    #expect(matches > 300)
  }

  @Test func `a sweep is found by each of its entries, a shared call by each of its payers`()
    async throws
  {
    let log = try lab.folder.openLog("swept", folds: allFolds)
    defer { log.close() }
    for event in StatementStory.events { try await log.append([event]) }
    var sweep = EntriesSwept()
    sweep.entries = ["B000000001", "B000000002"].map { asin in
      var entry = SweptEntry()
      entry.resource = "shared/keepa.product/1/\(asin)"
      return entry
    }
    let swept = try await log.append([.entriesSwept(sweep)]).position
    func positions(_ change: (inout EventFilter) -> Void) throws -> [Position] {
      var filter = EventFilter()
      change(&filter)
      return try EventQuery(filter, in: LogSource(log), index: log.index)
        .page(after: 0, limit: 100).events.map(\.position)
    }
    for asin in ["B000000001", "B000000002"] {
      let found = try positions { filter in
        filter.resource = .init("shared/keepa.product/1/\(asin)")
        filter.kinds = [.entriesSwept, .cacheWritten]
      }
      #expect(found == [swept])
    }
    #expect(
      try positions { $0.resource = .init("shared/keepa.product/1/B000000003") } == [1, 2, 3])
    for account in ["acme", "zeta"] {
      #expect(try positions { $0.account = account } == [1, 2, 3, 4, 5, 6, 7])
    }
    #expect(try positions { $0.account = "nobody" } == [])
  }

  @Test func `an index that lags behind is not asked`() async throws {
    let original = try await lab.log("original", events: 300)
    defer { original.close() }
    try lab.imported(lab.export(LogSource(original), "log.export"), into: "imported")
    // Nobody has opened it since: its views are empty.
    let log = try LogImporter(lab.folder.own("imported"), options: .scratch)
    let source = try LogSource(log.environment)
    var filter = EventFilter()
    filter.kinds = [.tokensCharged]
    let page = try EventQuery(filter, in: source, index: original.index)
      .page(after: 0, limit: 1_000)
    #expect(!page.events.isEmpty)
    #expect(
      page.events == (try LogSource(original).events().filter { $0.event.kind == .tokensCharged }))
  }
}

extension [UInt8] {
  fileprivate func holds(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    return withRawSpan { $0.contains(wanted) }
  }
}
