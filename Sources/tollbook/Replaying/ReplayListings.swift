import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

/// A view that `tollbook replay` shows.
enum ReplayView: String, CaseIterable {
  case cache, ledger, metrics, rollups

  var fold: Fold {
    switch self {
    case .cache: CacheFold.fold
    case .ledger: LedgerFold.fold
    case .metrics: MetricsFold.fold
    case .rollups: RollupFold.fold
    }
  }
}

/// What a replay says, as listings.
struct ReplayListings {
  let replay: ScratchReplay
  /// The instant at which the views are looked at.
  let time: Timestamp

  func listings(of view: ReplayView) -> [Listing] {
    switch view {
    case .cache: [entries]
    case .ledger: [meters, spend, holds]
    case .metrics: [metrics]
    case .rollups: [hours]
    }
  }

  // MARK: Cache

  private var entries: Listing {
    Listing(
      name: "entries",
      columns: [
        .text("resource"), .number("content_set"), .text("state"), .text("fetched"),
        .text("fresh_until"), .text("keep_until"), .text("cost"), .number("hits"),
        .text("last_read"), .number("body_bytes"),
      ]
    ) { row in
      let view = CacheView(tables: replay.tables(of: CacheFold.fold))
      try replay.read { (transaction) throws(LogError) in
        var next: [UInt8]?
        repeat {
          let page = try view.page(after: next, limit: 1_000, in: transaction) { _ in true }
          for entry in page.entries {
            row([
              .text(entry.resource.description), .number(Int64(entry.contentSet)),
              .text(entry.state(at: time).rawValue), .instant(entry.fetched),
              .instant(entry.freshUntil), .instant(entry.keepUntil), .text(entry.amounts.plain),
              .number(Int64(clamping: entry.hits)), .instant(entry.lastRead),
              .number(entry.bodyBytes),
            ])
          }
          next = page.next
        } while next != nil
      }
    }
  }

  /// How many entries stand how.
  func entryCounts() throws -> [(state: CacheEntry.State, count: Int64)] {
    var counts: [CacheEntry.State: Int64] = [:]
    let view = CacheView(tables: replay.tables(of: CacheFold.fold))
    try replay.read { (transaction) throws(LogError) in
      var next: [UInt8]?
      repeat {
        let page = try view.page(after: next, limit: 1_000, in: transaction) { _ in true }
        for entry in page.entries { counts[entry.state(at: time), default: 0] += 1 }
        next = page.next
      } while next != nil
    }
    return CacheEntry.State.allCases.map { ($0, counts[$0] ?? 0) }
  }

  // MARK: Ledger

  private var ledger: LedgerView { LedgerView(tables: replay.tables(of: LedgerFold.fold)) }

  /// Meters with all their terms.
  var meters: Listing {
    Listing(
      name: "meters",
      columns: [.text("meter"), .text("unit")]
        + LedgerTerm.allCases.map { .number("\($0)".snakeCased) } + [.number("residual")]
    ) { row in
      let meters = try replay.read { (transaction) throws(LogError) in
        try ledger.meters(in: transaction)
      }
      for (key, meter) in meters {
        row(
          [.text(key.description), .text(key.unit)]
            + LedgerTerm.allCases.map { .number(meter[$0]) } + [.number(meter.residual)])
      }
    }
  }

  private var spend: Listing {
    Listing(
      name: "spend",
      columns: [
        .text("window"), .text("account"), .text("operation"), .text("unit"), .number("amount"),
        .number("charges"),
      ]
    ) { row in
      try replay.read { (transaction) throws(LogError) in
        try ledger.spendOfAllWindows(in: transaction) { window, account, operation, unit, spend in
          row([
            .text(window), .text(account), .text(operation), .text(unit), .number(spend.amount),
            .number(spend.charges),
          ])
        }
      }
    }
  }

  private var holds: Listing {
    Listing(
      name: "holds",
      columns: [
        .number("fetch"), .number("attempt"), .text("state"), .number("amount"),
        .text("meter"), .text("unit"), .text("account"), .text("operation"),
        .text("since"),
      ]
    ) { row in
      let holds = try replay.read { (transaction) throws(LogError) in
        try ledger.holds(in: transaction)
      }
      for hold in holds {
        row([
          .number(Int64(clamping: hold.fetch)), .number(Int64(hold.attempt)),
          .text("\(hold.state)".snakeCased), .number(hold.amount), .text(hold.meter.description),
          .text(hold.meter.unit), .text(hold.account), .text(hold.operation),
          .instant(hold.since),
        ])
      }
    }
  }

  // MARK: Metrics

  /// Counters that are not zero.
  var metrics: Listing {
    Listing(name: "metrics", columns: [.text("series"), .number("total")]) { row in
      let view = MetricsView(tables: replay.tables(of: MetricsFold.fold))
      let totals = try replay.read { (transaction) throws(LogError) in
        try view.totals(in: transaction)
      }
      for series in MetricSeries.allCases where totals[series] != 0 {
        row([.text("\(series)".snakeCased), .number(totals[series])])
      }
      for series in MetricSeries.allCases {
        for amount in totals.amounts(of: series) where amount.count != 0 {
          row([.text("\(series)".snakeCased + " \(amount.unit)"), .number(amount.count)])
        }
      }
      for kind in EventKind.allCases where totals[kind] != 0 {
        row([.text("events.\(kind.name)"), .number(totals[kind])])
      }
    }
  }

  // MARK: Rollups

  /// The sums of each hour, one figure a row.
  private var hours: Listing {
    Listing(
      name: "hours",
      columns: [
        .text("hour"), .text("account"), .text("operation"), .text("kind"), .text("tags"),
        .text("unit"), .text("figure"), .number("sum"),
      ]
    ) { row in
      let view = RollupView(tables: replay.tables(of: RollupFold.fold))
      try replay.read { (transaction) throws(LogError) in
        try view.scan(0..<UInt64.max, in: transaction) { (key, sums) throws(LogError) in
          for column in RollupColumn.allCases where sums[column] != 0 {
            row([
              .instant(RollupKey.start(ofHour: key.hour)), .text(key.account),
              .text(key.operation), .text(key.kind), .text(key.tags.joined(separator: ",")),
              .text(key.unit), .text("\(column)".snakeCased), .number(sums[column]),
            ])
          }
          return .next
        }
      }
    }
  }

  // MARK: All views

  /// The views with their digests.
  func views(_ digests: [ViewDigest]) -> Listing {
    Listing(name: "views", columns: [.text("view"), .number("rows"), .text("digest")]) { row in
      for view in digests {
        row([
          .text(view.view), .number(Int64(clamping: view.rows)),
          .text(view.digest.hexadecimal),
        ])
      }
    }
  }

  /// How many entries of the cache stand how.
  func cacheSummary() -> Listing {
    Listing(name: "cache", columns: [.text("state"), .number("entries")]) { row in
      for (state, count) in try entryCounts() { row([.text(state.rawValue), .number(count)]) }
    }
  }
}

extension [Amount] {
  /// Such as `3 tokens`, also of 1, and of money in nano-units: a program reads it.
  fileprivate var plain: String {
    map { "\($0.count) \($0.unit)" }.joined(separator: ", ")
  }
}

extension String {
  /// `inDoubt` as `in_doubt`.
  fileprivate var snakeCased: String {
    var text = ""
    for character in self {
      if character.isUppercase { text += "_" }
      text += character.lowercased()
    }
    return text
  }
}
