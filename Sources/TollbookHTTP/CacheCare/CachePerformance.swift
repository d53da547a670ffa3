import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// How the cache did over some hours, stretch by stretch.
///
/// | what | from where | known since |
/// |---|---|---|
/// | reads, what was spent and spared, by hours | rollups | the log began |
/// | reads and what was charged, by five minutes | metrics by minute | the log began |
/// | times of answers | counted in memory | the process began; before that null |
struct CachePerformance: Sendable {
  struct Bucket: Sendable {
    var time: Range<Timestamp>
    var sums: CacheSums
    var answers: RequestStatistics.Answers
  }

  /// So many hours that are over, and the one that runs.
  let hours: Int
  let now: Timestamp
  /// When the process began: times of answers are known since.
  let start: Timestamp
  /// In milliseconds.
  let length: Int64
  let buckets: [Bucket]
  /// Of all the time.
  let total: Bucket
  /// Of the hours that are over, and of as many before them.
  let after: Bucket
  let before: Bucket

  /// Up to so many hours there are stretches of five minutes, else of an hour.
  private static let finestHours = 2
  private static let fiveMinutes: Int64 = 300_000

  /// - Parameter account: the one whose spending alone is told; nil: that of all is.
  init(_ service: HTTPService, hours: Int, account: String?) async throws {
    // Asked first: what is written down meanwhile is missing for a moment rather than counted twice.
    let pending = service.gateway.tallies.pendingReads
    let now = service.log.time.now()
    let running = RollupKey.hour(of: now)
    let first = running - min(running, UInt64(hours))
    let earlier = first - min(first, UInt64(hours))
    var sums: [UInt64: CacheSums] = [:]
    try await service.scanRollups(earlier..<running + 1) { key, row in
      if !key.unit.isEmpty, let account, key.account != account { return }
      sums[key.hour, default: CacheSums()].add(row, unit: key.unit)
    }
    func whole(_ hours: Range<UInt64>) -> Bucket {
      let start = RollupKey.start(ofHour: hours.lowerBound)
      let time = start..<RollupKey.start(ofHour: hours.upperBound)
      let found = hours.compactMap { sums[$0] }.reduce(into: CacheSums()) { $0 += $1 }
      return Bucket(
        time: time, sums: found, answers: service.requests.answers(inHours: time))
    }
    self.hours = hours
    self.now = now
    start = service.settings.startTime
    before = whole(earlier..<first)
    after = whole(first..<running)
    var total = whole(first..<running + 1)
    var buckets: [Bucket]
    if hours <= Self.finestHours {
      length = Self.fiveMinutes
      buckets = try Self.minutes(of: service, from: total.time.lowerBound, to: now, account)
    } else {
      length = RollupKey.millisecondsPerHour
      buckets = (first...running).map { whole($0..<$0 + 1) }
    }
    total.sums.hits &+= pending
    if let last = buckets.indices.last { buckets[last].sums.hits &+= pending }
    self.total = total
    self.buckets = buckets
  }

  private static func minutes(
    of service: HTTPService, from first: Timestamp, to now: Timestamp, _ account: String?
  ) throws(LogError) -> [Bucket] {
    try service.log.read { (transaction) throws(LogError) in
      var buckets: [Bucket] = []
      var start = first
      while start <= now {
        let end = start.advanced(byMilliseconds: fiveMinutes)
        let totals = try service.metrics.totals(
          ofMinutes: start.minute..<end.minute, in: transaction)
        var sums = CacheSums(totals)
        if account != nil { sums.removeAmounts() }
        buckets.append(
          Bucket(
            time: start..<end, sums: sums, answers: service.requests.answers(inMinutes: start..<end)
          ))
        start = end
      }
      return buckets
    }
  }
}

extension Timestamp {
  /// Minutes since 1970; what is before is in the first.
  var minute: UInt64 { UInt64(max(0, milliseconds) / 60_000) }
}

// MARK: As JSON

extension CachePerformance {
  /// Writes it as members of an object.
  func write(to json: inout JSONWriter) {
    let units = Set(([total, before] + buckets).flatMap { $0.sums.amounts.keys }).sorted()
    json.field("hours", hours)
    json.field("from", total.time.lowerBound)
    json.field("to", now)
    json.field("bucket_seconds", length / 1_000)
    total.sums.write(to: &json, units: units)
    write(total.answers, since: total.time.lowerBound, to: &json)
    json.array("buckets", buckets) { json, bucket in
      json.object { json in
        json.field("from", bucket.time.lowerBound)
        json.field("to", min(bucket.time.upperBound, now))
        bucket.sums.write(to: &json, units: units)
        if bucket.time.upperBound <= start {
          json.nullField("latency")
        } else {
          write(bucket.answers, since: bucket.time.lowerBound, to: &json)
        }
      }
    }
    json.object("trends") { json in writeTrends(to: &json, units: units) }
  }

  private func write(
    _ answers: RequestStatistics.Answers, since: Timestamp, to json: inout JSONWriter
  ) {
    json.object("latency") { json in
      json.field("since", max(since, start))
      json.field("requests", answers.count)
      json.field("errors", answers.errors)
      Self.write(answers.seconds, to: &json)
      json.object("cached") { json in
        json.field("requests", answers.cachedSeconds.total)
        Self.write(answers.cachedSeconds, to: &json)
      }
    }
  }

  private static func write(_ seconds: Histogram, to json: inout JSONWriter) {
    for (name, part) in [("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)] {
      json.field(name, seconds.percentile(part)?.inMilliseconds)
    }
  }

  /// Rates are steady within a point, all else within a twentieth.
  private func writeTrends(to json: inout JSONWriter, units: [String]) {
    json.field("from", before.time.lowerBound)
    json.field("between", after.time.lowerBound)
    json.field("to", after.time.upperBound)
    CacheTrend(
      before: before.sums.ratio?.percent, after: after.sums.ratio?.percent,
      steadyWithin: .points(1)
    ).write("hit_rate", to: &json)
    CacheTrend(
      before: before.answers.cachedSeconds.percentile(0.95)?.inMilliseconds,
      after: after.answers.cachedSeconds.percentile(0.95)?.inMilliseconds,
      steadyWithin: .part(0.05)
    ).write("cached_p95_ms", to: &json)
    json.array("amounts", units) { json, unit in
      let (old, new) = (before.sums.amounts[unit], after.sums.amounts[unit])
      json.object { json in
        json.field("unit", unit)
        // Money in whole units of its currency.
        let one: Double = Amount.isMoney(unit) ? 1_000_000_000 : 1
        CacheTrend(
          before: Double(old?.charged ?? 0) / one, after: Double(new?.charged ?? 0) / one,
          steadyWithin: .part(0.05)
        ).write("charged", to: &json)
        CacheTrend(
          before: old?.ratio?.percent, after: new?.ratio?.percent, steadyWithin: .points(1)
        ).write("hit_rate_by_amount", to: &json)
      }
    }
  }
}
