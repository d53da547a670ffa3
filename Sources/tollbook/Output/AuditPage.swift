import JSONText
import TollbookHistory

/// An audit as people and programs read it.
struct AuditPage {
  private static let barWidth = 20

  private let report: AuditReport
  private let price: TokenPrice?
  private let place: String

  init(_ report: AuditReport, price: TokenPrice?, place: String) {
    self.report = report
    self.price = price
    self.place = place
  }

  // MARK: For programs

  func json(limit: Int) -> String {
    var json = JSONWriter(layout: .indented)
    json.object { report.write(to: &$0, price: price, limit: limit) }
    return json.string
  }

  /// A heading and a row for each group.
  func csv(limit: Int) -> [String] {
    var heading = [
      report.query.grouping.rawValue, "tokens_low", "tokens_high", "certain", "in_doubt",
      "unprovable", "expected", "charges", "calls", "retries", "bought", "reads_fresh",
      "reads_stale", "reads_joined", "reads_bought", "reads_unmet", "refused", "avoided",
      "avoided_by_joining",
      "reads_of_unknown_cost",
    ]
    if price != nil {
      heading += ["currency", "low_micro_units", "high_micro_units", "avoided_micro_units"]
    }
    var lines = [heading.joined(separator: ",")]
    for group in report.groups.prefix(limit) { lines.append(csvRow(group.name, group.sums)) }
    let rest = report.groups.dropFirst(limit)
    if !rest.isEmpty {
      lines.append(csvRow("(\(rest.count) others)", rest.reduce(.zero) { $0 + $1.sums }))
    }
    return lines
  }

  private func csvRow(_ name: String?, _ sums: AuditSums) -> String {
    let amounts = [
      sums.tokens.low, sums.tokens.high, sums.certain, sums.inDoubt, sums.unprovable,
      sums.expected, sums.charges, sums.calls, sums.retries, sums.bought, sums.readsFresh,
      sums.readsStale, sums.readsJoined, sums.readsBought, sums.readsUnmet, sums.refused,
      sums.avoided,
      sums.avoidedByJoining, sums.readsOfUnknownCost,
    ]
    var cells = [Self.quoted(name ?? "")] + amounts.map(String.init)
    if let price {
      cells.append(price.currency)
      cells += [sums.tokens.low, sums.tokens.high, sums.avoided].map {
        String(price.microUnits(of: $0))
      }
    }
    return cells.joined(separator: ",")
  }

  private static func quoted(_ text: String) -> String {
    // The first four would make a spreadsheet calculate.
    let risky = text.first.map { "=+-@".contains($0) } ?? false
    let text = risky ? "'\(text)" : text
    guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
    return "\"\(text.replacing("\"", with: "\"\""))\""
  }

  // MARK: For people

  func lines(limit: Int) -> [String] {
    var lines = [Console.strong("Audit of \(place)")]
    lines += rangeLines
    guard report.events > 0 else { return lines + ["", "Nothing happened in that range."] }
    lines += section("Tokens", totalLines)
    lines += section("By \(report.query.grouping.rawValue)", groupLines(limit: limit))
    lines += section("What became of them", wasteLines)
    lines += section("The upstream's own books", reconciliationLines)
    return lines
  }

  private func section(_ title: String, _ lines: [String]) -> [String] {
    ["", Console.strong(title)] + lines.map { "  \($0)" }
  }

  private var rangeLines: [String] {
    let query = report.query
    var lines: [String] = []
    if let first = report.first, let last = report.last {
      lines.append(
        "\(Int(report.events).of("event")), positions \((query.after + 1).grouped) to"
          + " \(query.through.grouped), \(first) to \(last)")
    }
    if let account = query.account {
      lines.append("Only what the account \(account) spent and read.")
    }
    if query.grouping.isTime, query.calendar.name != "UTC" {
      lines.append("Days and hours are those of \(query.calendar.name).")
    }
    if report.start > 0 {
      lines.append(
        "The log begins after position \(report.start.grouped), with a snapshot: what was spent"
          + " before"
          + " is not in it.")
    }
    if report.parked > 0 {
      lines.append(
        "\(Int(report.parked).of("event")) that the ledger could not apply"
          + " \(report.parked == 1 ? "is" : "are")"
          + " left out.")
    }
    return lines
  }

  private var totalLines: [String] {
    let total = report.total
    var table = TextTable([.left, .right, .right, .left])
    func add(_ name: String, _ tokens: Int64, _ note: String = "") {
      table.add([name, tokens.grouped, price?.amount(of: tokens) ?? "", note])
    }
    add("certain", total.certain, "in \(Int(total.charges).of("charge"))")
    add("in doubt", total.inDoubt)
    add("unprovable", total.unprovable)
    add("at most", total.tokens.high)
    add("avoided by the cache", total.avoided, "not part of the above")
    add("avoided by joining", total.avoidedByJoining)
    var lines = table.lines()
    lines.append(
      "\(Int(total.calls).of("call")), \(Int(total.retries).of("retry", "retries"));"
        + " \(Int(total.bought).of("product")) bought, \(total.refused.grouped) refused.")
    lines.append(
      "\(Int(total.reads).of("read")): \(total.readsFresh.grouped) fresh,"
        + " \(total.readsStale.grouped)"
        + " stale, \(total.readsJoined.grouped) joined, \(total.readsBought.grouped) bought."
        + " Hit rate \(Self.percent(total.hitRate)) by reads,"
        + " \(Self.percent(total.hitRateByTokens)) by tokens.")
    if total.readsOfUnknownCost > 0 {
      lines.append(
        "\(Int(total.readsOfUnknownCost).of("read")) of entries whose cost is not in the log:"
          + " nothing"
          + " is counted as avoided for them.")
    }
    if let price {
      lines.append(
        "Money at \(price) a token, rounded to hundredths; --format json has it exactly.")
    }
    return lines
  }

  private func groupLines(limit: Int) -> [String] {
    var heading = [report.query.grouping.rawValue.uppercased(), "TOKENS"]
    var columns: [TextTable.Alignment] = [.left, .right]
    if price != nil {
      heading.append("MONEY")
      columns.append(.right)
    }
    heading += ["CHARGES", "CALLS", "BOUGHT", "READS", "HITS", "AVOIDED", "REFUSED"]
    columns += Array(repeating: .right, count: 7)
    if Console.isTerminal {
      heading.append("")
      columns.append(.left)
    }
    var table = TextTable(columns, heading: heading)
    let most = report.groups.map(\.sums.tokens.high).max() ?? 0
    for group in report.groups.prefix(limit) { table.add(row(group.name, group.sums, most)) }
    let rest = report.groups.dropFirst(limit)
    if !rest.isEmpty {
      table.add(row("(\(rest.count) others)", rest.reduce(.zero) { $0 + $1.sums }, 0))
    }
    let lines = table.lines()
    return [Console.faint(lines[0])] + lines.dropFirst()
  }

  private func row(_ name: String?, _ sums: AuditSums, _ most: Int64) -> [String] {
    var cells = [name ?? "(unknown)", Self.interval(sums.tokens)]
    if let price {
      let low = price.amount(of: sums.tokens.low)
      cells.append(
        sums.tokens.isExact ? low : "\(low.dropLast(4)) to \(price.amount(of: sums.tokens.high))")
    }
    cells += [
      sums.charges.grouped, sums.calls.grouped, sums.bought.grouped, sums.reads.grouped,
      Self.percent(sums.hitRate), (sums.avoided + sums.avoidedByJoining).grouped,
      sums.refused.grouped,
    ]
    if Console.isTerminal { cells.append(Self.bar(sums.tokens.high, of: most)) }
    return cells
  }

  private static func interval(_ tokens: TokenInterval) -> String {
    tokens.isExact ? tokens.low.grouped : "\(tokens.low.grouped) to \(tokens.high.grouped)"
  }

  /// Such as `80.12 %`; a dash where there is nothing to divide.
  static func percent(_ hundredths: Int64?) -> String {
    guard let hundredths else { return "–" }
    let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    return "\(whole).\(rest < 10 ? "0" : "")\(rest) %"
  }

  /// A bar in eighths of a letter.
  static func bar(_ amount: Int64, of most: Int64) -> String {
    guard amount > 0, most > 0 else { return "" }
    let eighths = max(1, Int(Int128(amount) * Int128(barWidth * 8) / Int128(most)))
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }

  private var wasteLines: [String] {
    guard let waste = report.waste else { return [] }
    var table = TextTable([.left, .right, .right, .right, .left])
    for wasteClass in WasteClass.allCases {
      let tokens = waste[wasteClass]
      table.add([
        wasteClass.label, tokens.grouped, Self.share(tokens, of: waste.total),
        price?.amount(of: tokens) ?? "", wasteClass.explanation,
      ])
    }
    table.add([
      "sum", waste.total.grouped, "", price?.amount(of: waste.total) ?? "",
      "\(waste.wasted.grouped) of it bought nothing of use",
    ])
    return table.lines()
  }

  private static func share(_ part: Int64, of whole: Int64) -> String {
    guard whole > 0, part >= 0 else { return "" }
    return percent(Int64(clamping: Int128(part) * 10_000 / Int128(whole)))
  }

  private var reconciliationLines: [String] {
    let found = report.reconciliation
    var lines: [String] = []
    if found.readings == 0 {
      lines.append("No reading of a balance in that range.")
    } else if found.driftCount == 0 {
      lines.append(
        "\(Int(found.readings).of("reading")), all explained: nobody else used the key.")
    } else {
      lines.append(
        "\(Int(found.readings).of("reading")), \(found.driftCount.grouped) unexplained:"
          + " \(found.unexplained.grouped) tokens in all. Somebody else used the key, between:")
      for drift in found.drifts.prefix(20) { lines += Self.lines(of: drift) }
      if found.driftCount > 20 { lines.append("… and \((found.driftCount - 20).grouped) more.") }
    }
    for gap in found.restoreGaps {
      lines.append(
        "Restored before position \(gap.position.grouped): \(gap.unexplained.grouped) tokens"
          + " moved that the"
          + " log does not know of.")
    }
    if found.priceDriftCount == 0 {
      lines.append("Every charge was what the price list says.")
    } else {
      lines.append(
        "\(Int(found.priceDriftCount).of("charge")) not as the price list says:"
          + " \(found.aboveList.grouped) tokens above, \(found.belowList.grouped) below.")
      for drift in found.priceDrifts.prefix(5) {
        lines.append(
          "  position \(drift.position.grouped), \(drift.time): \(drift.operation) cost"
            + " \(drift.tokens.grouped), expected \(drift.expected.grouped)")
      }
    }
    if found.excess > 0 {
      lines.append("\(found.excess.grouped) tokens were charged above what had been reserved.")
    }
    return lines
  }

  private static func lines(of drift: BalanceDrift) -> [String] {
    let after = drift.after.map { "position \($0.position.grouped), \($0.time)" } ?? "the beginning"
    let calls =
      drift.callCount == 0
      ? "no call of ours"
      : "\(drift.callCount.of("call")) of ours, from fetch"
        + " \(drift.calls.prefix(5).map { $0.grouped }.joined(separator: ", "))"
    return [
      "  \(after), and position \(drift.position.grouped), \(drift.time):"
        + " \(drift.unexplained.grouped) tokens on \(drift.credential)",
      "    balance \(drift.balance.grouped), expected \(drift.predictedLow.grouped)"
        + (drift.predictedLow == drift.predictedHigh ? "" : " to \(drift.predictedHigh.grouped)")
        + "; meanwhile \(calls)",
    ]
  }
}

extension WasteClass {
  /// As a table calls it.
  var label: String { name.replacing("_", with: " ") }

  /// What it means, in a few words.
  var explanation: String {
    switch self {
    case .duplicate: "a fresh entry or a call under way had it"
    case .failed: "the attempt brought nothing"
    case .inDoubt: "sent and never answered"
    case .unprovable: "nothing can prove it any more"
    case .unchanged: "came back as it had been"
    case .neverRead: "refreshed, and not read while it was fresh"
    case .refreshed: "refreshed behind, and read"
    case .served: "somebody waited for it"
    case .live: "refreshed, not read yet, still fresh"
    }
  }
}
