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

  /// From 0 to 1; 0 before the first read.
  var ratio: Double { hits + misses == 0 ? 0 : Double(hits) / Double(hits + misses) }

  /// `hit_rate` (percent), `hit_ratio`, `entries` and `memory_mb` as members.
  func write(to json: inout JSONWriter) {
    json.field("hit_rate", rounded(ratio * 100, digits: 2))
    json.field("hit_ratio", rounded(ratio, digits: 4))
    json.field("entries", entries)
    json.field("memory_mb", ProcessMemory.privateMegabytes)
  }
}
