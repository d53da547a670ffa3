import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

/// Names and contents of entries by their numbers.
enum Shelf {
  /// How many bytes a content has, unless a test says otherwise.
  static let size = 1_000

  static func resource(_ number: Int) -> String {
    "shared/keepa.product/1/\(asins(number..<number + 1)[0])"
  }

  /// Bytes that cannot be compressed, the same for the same number.
  static func content(_ number: Int, bytes: Int = size) -> [UInt8] {
    var random = SeededGenerator(seed: UInt64(number))
    return random.bytes(bytes)
  }
}

extension World {
  /// Keeps an entry as a purchase would.
  ///
  /// - Parameters:
  ///   - content: which content its body has; nil: one of its own.
  ///   - fetched: how much later than now it was fetched, in milliseconds.
  func keep(
    _ number: Int, cost: Int64 = 1, content body: Int? = nil, bytes: Int = Shelf.size,
    fresh: Int64 = 7 * day, errorGrace: Int64 = 30 * day, fetched: Int64 = 0
  ) async throws {
    let body = Body(Shelf.content(body ?? number, bytes: bytes))
    let now = time.now.milliseconds + fetched
    var event = CacheWritten()
    event.resource = Shelf.resource(number)
    event.presence = .present
    event.body = Data(body.digest)
    event.bodyBytes = UInt32(bytes)
    event.fetchedMs = now
    event.freshUntilMs = now + fresh
    event.graceUntilMs = event.freshUntilMs
    event.errorGraceUntilMs = max(event.freshUntilMs, now + errorGrace)
    event.keepUntilMs = now + 90 * day
    event.costs = [Cost(Amount(cost, "tokens"))]
    try await log.append([.cacheWritten(event)], bodies: [body])
  }

  func keep(_ numbers: [Int]) async throws {
    for number in numbers { try await keep(number) }
  }

  func read(_ number: Int, times: Int) async throws {
    let entry = try #require(try entry(number))
    let demand = ReadTallies.Demand(
      entry.resource, wanted: 0, account: "default", operation: "keepa.product")
    for _ in 0..<times { gateway.tallies.record(.fresh, demand, entry, at: time.now) }
    await gateway.writeTallies()
  }

  func entry(_ number: Int) throws -> CacheEntry? {
    let cache = gateway.cache
    return try log.read { (transaction) throws(LogError) in
      try cache.entry(ResourceKey(stored: Shelf.resource(number)), covering: 0, in: transaction)
    }
  }

  /// The numbers of the entries that are there.
  func kept() throws -> [Int] {
    let cache = gateway.cache
    let page = try log.read { (transaction) throws(LogError) in
      try cache.page(after: nil, limit: 10_000, in: transaction) { _ in true }
    }
    return page.entries.compactMap { Int($0.resource.description.suffix(9)) }
  }

  func bodies() throws -> Int {
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.count(in: log.tables.bodies)
    }
  }

  /// What the bodies take.
  func space() throws -> Int {
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      var space = 0
      try transaction.scan(log.tables.bodies) { _, row in
        space += Body.space(ofRow: row.byteCount)
        return .next
      }
      return space
    }
  }

  func sweeps() throws -> [(event: EntriesSwept, time: Timestamp)] {
    let log = log
    return try log.read { (transaction) throws(LogError) in
      var found: [(event: EntriesSwept, time: Timestamp)] = []
      try log.reader.scan(after: 0, in: transaction) { (recorded) throws(LogError) in
        if case .entriesSwept(let event) = recorded.event { found.append((event, recorded.time)) }
        return .next
      }
      return found
    }
  }

  func pruned() throws -> [BodiesPruned] {
    try events().compactMap { event in
      if case .bodiesPruned(let event) = event { event } else { nil }
    }
  }

  func total(_ series: MetricSeries) throws -> Int64 {
    let metrics = MetricsView(log)
    return try log.read { (transaction) throws(LogError) in
      try metrics.totals(in: transaction)[series]
    }
  }

  /// Law 1.
  func rebuiltIsEqual() async throws -> Bool { try await log.rebuildViews().isEqual }
}
