import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /metrics`, for Prometheus.
  func addMetrics(to router: Router<TollbookContext>) {
    router.route(
      "/metrics",
      get: { request, _ in
        try AsOf.refuse(QueryParameters(request), view: "metrics")
        let text = try metricsText()
        return Response(
          status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
          body: .init(byteBuffer: ByteBuffer(string: text)))
      })
  }

  private func metricsText() throws(LogError) -> String {
    var text = PrometheusText()
    writeProcess(&text)
    writeRequests(&text)
    let space = try log.space()
    let reader = log.reader
    let (totals, entries, meters, parked, free) = try log.read { (transaction) throws(LogError) in
      (
        try metrics.totals(in: transaction), try cache.count(in: transaction),
        try ledger.meters(in: transaction), try reader.parkedCount(in: transaction),
        try space.free(in: transaction)
      )
    }
    writeReads(totals, entries: entries, &text)
    writeUpstream(&text)
    writeLedger(meters, totals, &text)
    writeLog(totals, parked: parked, &text)
    try writeStorage(space, reusable: free.reusable, pinned: free.pinned, &text)
    return text.text
  }

  private func writeProcess(_ text: inout PrometheusText) {
    text.family(
      "tollbook_build_info", .gauge, "Always 1; the version is a label.",
      [([("version", settings.version), ("simulated", "\(gateway.isSimulated)")], 1)])
    text.single(
      "tollbook_start_time_seconds", .gauge, "When the process began, since 1970.",
      Double(settings.startTime.milliseconds) / 1_000)
    text.single(
      "tollbook_private_memory_bytes", .gauge,
      "Memory that the process holds for itself (RssAnon).", Double(ProcessMemory.privateBytes))
  }

  private func writeRequests(_ text: inout PrometheusText) {
    let values = requests.values
    text.family(
      "tollbook_requests_total", .counter, "HTTP requests by route, method and status.",
      values.counts.sorted { $0.key < $1.key }.map { key, count in
        (
          [("route", key.route), ("method", key.method), ("status", "\(key.status)")],
          Double(count)
        )
      })
    text.single(
      "tollbook_wrong_access_keys_total", .counter,
      "Requests refused since the process began, since the key they showed opens nothing.",
      Double(failedKeys.total))
    text.histograms(
      "tollbook_request_duration_seconds", "Time from a request's head to its answer.",
      values.seconds.sorted { $0.key < $1.key }.map { ([("route", $0.key)], $0.value) })
  }

  private func writeReads(
    _ totals: MetricsView.Totals, entries: Int, _ text: inout PrometheusText
  ) {
    let outcomes: [(String, MetricSeries)] = [
      ("fresh", .readsFresh), ("stale", .readsStale), ("joined", .readsJoined),
      ("bought", .readsBought), ("refused", .resourcesRefused),
    ]
    text.family(
      "tollbook_reads_total", .counter,
      "Reads of resources by how they were answered, as written in the log.",
      outcomes.map { ([("outcome", $0.0)], Double(totals[$0.1])) })
    let ahead = gateway.aheadReads.counts(at: gateway.log.time.now())
    text.family(
      "tollbook_refreshes_ahead_total", .counter,
      "Entries bought before anybody asked, those of them that were read, and those that stopped"
        + " being fresh unread, since the process began.",
      [
        ([("outcome", "bought")], Double(ahead.bought)),
        ([("outcome", "used")], Double(ahead.used)),
        ([("outcome", "wasted")], Double(ahead.wasted)),
      ])
    text.single(
      "tollbook_reads_pending", .gauge, "Reads counted in memory and not yet in the log.",
      Double(gateway.tallies.pendingReads))
    text.single(
      "tollbook_cache_entries", .gauge, "Entries in the cache.", Double(entries))
    text.family(
      "tollbook_cache_removals_total", .counter,
      "Entries that stopped being fresh, and entries that were removed.",
      [
        ([("reason", "expired")], Double(totals[.entriesExpired])),
        ([("reason", "evicted")], Double(totals[.entriesEvicted])),
      ])
  }

  private func writeUpstream(_ text: inout PrometheusText) {
    let values = gateway.statistics.values.sorted { $0.key < $1.key }
    text.family(
      "tollbook_upstream_calls_total", .counter,
      "Calls to upstreams by HTTP status, or by why there was none.",
      values.flatMap { name, values in
        values.calls.sorted { $0.key < $1.key }.map {
          ([("upstream", name), ("status", $0.key)], Double($0.value))
        }
      })
    text.histograms(
      "tollbook_upstream_call_duration_seconds", "Time that calls to upstreams took.",
      values.map { ([("upstream", $0.key)], $0.value.callSeconds) })
    let statuses = gateway.statuses
    text.family(
      "tollbook_upstream_ready", .gauge,
      "1 unless the upstream has no key, rejects it, or gave no usable answer last.",
      statuses.map { status in
        ([("upstream", status.name)], status.state == .ready || status.state == .unknown ? 1 : 0)
      })
    text.family(
      "tollbook_upstream_waiting", .gauge, "Resources that wait for their turn to be bought.",
      statuses.map { ([("upstream", $0.name)], Double($0.waiting)) })
  }

  /// The most values of tags that have rows of their own.
  private static let mostTagValues = 100

  /// The meters that have rows: of those of values of tags the ones of which least is left, and any whose books are wrong.
  private static func shown(
    _ meters: [(key: MeterKey, meter: Meter)]
  ) -> [(key: MeterKey, meter: Meter)] {
    let values = meters.filter { Budget.countsOneValue($0.key) }
    guard values.count > mostTagValues else { return meters }
    let least = values.sorted { ($0.meter[.free], $0.key) < ($1.meter[.free], $1.key) }
    let wanted = Set(least.prefix(mostTagValues).map(\.key))
    return meters.filter {
      !Budget.countsOneValue($0.key) || wanted.contains($0.key) || $0.meter.residual != 0
    }
  }

  private func writeLedger(
    _ all: [(key: MeterKey, meter: Meter)], _ totals: MetricsView.Totals,
    _ text: inout PrometheusText
  ) {
    let meters = Self.shown(all)
    text.single(
      "tollbook_meters_left_out", .gauge,
      "Meters of values of tags that have no rows here, since there are too many.",
      Double(all.count - meters.count))
    text.family(
      "tollbook_meter", .gauge,
      "Terms of the meters, in their unit; money in whole units of its currency.",
      meters.flatMap { row in
        LedgerTerm.allCases.map { term in
          (row.key.labels + [("term", term.name)], Amount(row.meter[term], row.key.unit).metric)
        }
      })
    text.family(
      "tollbook_ledger_residual", .gauge,
      "What conservation leaves over; anything but 0 is an error in the books.",
      meters.map { ($0.key.labels, Double($0.meter.residual)) })
    text.family(
      "tollbook_observed_balance", .gauge, "What the upstream said last.",
      meters.compactMap { row in
        row.meter.reading.map { (row.key.labels, Double($0.balance)) }
      })
    text.family(
      "tollbook_charged_total", .counter, "What was charged since the log began, by unit.",
      totals.amounts(of: .amountsCharged).map { ([("unit", $0.unit)], $0.metric) })
    text.family(
      "tollbook_corrected", .gauge,
      "What corrections have added to charges since the log began, by unit; below 0 they took off.",
      totals.amounts(of: .amountsCorrected).map { ([("unit", $0.unit)], $0.metric) })
    text.single(
      "tollbook_refusals_total", .counter, "Purchases refused by rule.",
      Double(totals[.refusals]))
  }

  private func writeLog(
    _ totals: MetricsView.Totals, parked: Int, _ text: inout PrometheusText
  ) {
    let values = log.statistics.values
    text.family(
      "tollbook_events_total", .counter, "Events in the log by type.",
      EventKind.allCases.map { ([("type", $0.name)], Double(totals[$0])) })
    text.single(
      "tollbook_log_head", .gauge, "The last position of the log.", Double(log.head))
    text.single(
      "tollbook_parked_events", .gauge, "Events that a view could not apply.", Double(parked))
    text.histograms(
      "tollbook_commit_events", "Events in a commit.", [([], values.commitEvents)])
    text.histograms(
      "tollbook_commit_seconds", "Time from taking the queue to the end of the flush.",
      [([], values.commitSeconds)])
    text.single(
      "tollbook_queue_depth", .gauge, "Decisions that wait for the writer.",
      Double(log.queueDepth))
    text.single(
      "tollbook_read_only", .gauge, "1 while the log takes no events.",
      log.writerState == .open ? 0 : 1)
  }

  private func writeStorage(
    _ space: LogSpace, reusable: Int, pinned: Int, _ text: inout PrometheusText
  ) throws(LogError) {
    text.single(
      "tollbook_below_reserve", .gauge,
      "1 while nothing is bought, since what storage is left is kept for calls already paid.",
      try log.headroom().admits ? 0 : 1)
    text.family(
      "tollbook_map_bytes", .gauge,
      "The map of the log's file by use; pinned is free and may still be read by a reader.",
      [
        ([("state", "used")], Double(space.usedBytes - reusable - pinned)),
        ([("state", "reusable")], Double(reusable)),
        ([("state", "pinned")], Double(pinned)),
        ([("state", "unused")], Double(space.mapBytes - space.usedBytes)),
      ])
    text.single(
      "tollbook_oldest_reader_lag", .gauge,
      "How many commits ago the oldest running read began.",
      Double(space.oldestReaderLag))
    text.family(
      "tollbook_reader_lag", .gauge,
      "How many commits ago the oldest running read of each process began.",
      space.oldestReaders.map { ([("process", "\($0.process)")], Double($0.lag)) })
  }
}

extension MeterKey {
  fileprivate var labels: PrometheusText.Labels {
    let name = ownerKind == .quotaGroup ? "credential" : ownerKind.name
    let dimensions = dimensions.map { dimension in
      let name = dimension.name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
      return (name: "dimension_\(String(name))", value: dimension.value)
    }
    return [(name, owner), ("unit", unit)] + dimensions
      + (window.isEmpty ? [] : [("window", window)])
  }
}

extension Amount {
  /// As a sample: money in whole units of its currency.
  fileprivate var metric: Double {
    Self.isMoney(unit) ? Double(count) / 1_000_000_000 : Double(count)
  }
}
