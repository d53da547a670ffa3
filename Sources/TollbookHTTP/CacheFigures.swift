import JSONText
import TollbookGateway
import TollbookLog
import TollbookViews

/// How the cache did since its log began, in the shape that `/health` and `/cache/stats` share.
struct CacheFigures {
  let entries: Int
  /// Reads that were answered without buying.
  let hits: Int64
  let misses: Int64
  let evictions: Int64

  init(_ service: HTTPService) throws(LogError) {
    // Asked first: what is written down meanwhile is missing for a moment rather than counted twice.
    let pending = service.gateway.tallies.pendingReads
    let (totals, entries) = try service.log.read { (transaction) throws(LogError) in
      (
        try service.metrics.totals(in: transaction), try service.cache.count(in: transaction)
      )
    }
    self.entries = entries
    hits = totals.hits + pending
    misses = totals.misses
    evictions = totals[MetricSeries.entriesEvicted]
  }

  /// The same of one kind. Hits and misses are those of the rollups: since they tell reads by kind, and without
  /// refreshes that nobody waited for, which the figures of all count as misses. Evictions are counted from the events.
  /// Entries are counted one by one, by their keys.
  init(_ service: HTTPService, kind: String) async throws {
    let pending = service.gateway.tallies.pendingReads(ofKind: kind)
    var sums = CacheSums()
    try await service.scanRollups(0..<UInt64.max) { key, row in
      if key.kind == kind, key.unit.isEmpty { sums.add(row, unit: "") }
    }
    hits = sums.hits + pending
    misses = sums.misses
    evictions = try await service.evictions.count(of: kind, in: service.log)
    var entries = 0
    var cursor: [UInt8]?
    repeat {
      let after = cursor
      let found = try service.log.read { (transaction) throws(LogError) in
        try service.cache.count(ofKind: kind, after: after, in: transaction)
      }
      entries += found.entries
      cursor = found.next
      await Task.yield()
    } while cursor != nil
    self.entries = entries
  }

  /// From 0 to 1; 0 before the first read.
  var ratio: Double { hits + misses == 0 ? 0 : Double(hits) / Double(hits + misses) }

  /// All of them as members, in the shape of `/cache/stats`.
  func writeAll(to json: inout JSONWriter) {
    write(to: &json)
    json.field("hits", hits)
    json.field("misses", misses)
    json.field("evictions", evictions)
  }

  /// `hit_rate` (percent), `hit_ratio`, `entries` and `memory_mb` as members.
  func write(to json: inout JSONWriter) {
    json.field("hit_rate", rounded(ratio * 100, digits: 2))
    json.field("hit_ratio", rounded(ratio, digits: 4))
    json.field("entries", entries)
    json.field("memory_mb", ProcessMemory.privateMegabytes)
  }
}
