import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents

/// An audit as people and programs read it.
struct AuditPage {
  private static let barWidth = 20

  let report: AuditReport
  let price: TokenPrice?
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

  /// A heading, and for each group a row for each of its units. What is counted, such as calls, stands in each of them.
  func csv(limit: Int) -> [String] {
    var heading = [
      report.query.grouping.rawValue, "unit", "low", "high", "certain", "in_doubt", "unprovable",
      "expected", "charges", "calls", "retries", "bought", "reads_fresh", "reads_stale",
      "reads_joined", "reads_bought", "reads_unmet", "refused", "avoided", "avoided_by_joining",
      "reads_of_unknown_cost", "reserved",
    ]
    if price != nil {
      heading += ["currency", "low_nano_units", "high_nano_units", "avoided_nano_units"]
    }
    var lines = [heading.joined(separator: ",")]
    for group in shownGroups(limit: limit) {
      let units = report.units(of: group.sums)
      // A group that only counts something has a row too.
      lines += (units.isEmpty ? [""] : units).map { csvRow(group.name, $0, group.sums) }
    }
    return lines
  }

  /// The groups to show, the last one for those that are left out.
  func shownGroups(limit: Int) -> [(name: String?, sums: AuditSums)] {
    var shown = report.groups.prefix(limit).map { (name: $0.name, sums: $0.sums) }
    let rest = report.groups.dropFirst(limit)
    if !rest.isEmpty {
      shown.append(("(\(rest.count) others)", rest.reduce(.zero) { $0 + $1.sums }))
    }
    return shown
  }

  private func csvRow(_ name: String?, _ unit: String, _ sums: AuditSums) -> String {
    let amounts = sums[unit]
    let counts = sums.counts
    let figures = [
      amounts.spent.low, amounts.spent.high, amounts.certain, amounts.inDoubt, amounts.unprovable,
      amounts.expected, counts.charges, counts.calls, counts.retries, counts.bought,
      counts.readsFresh, counts.readsStale, counts.readsJoined, counts.readsBought,
      counts.readsUnmet, counts.refused, amounts.avoided, amounts.avoidedByJoining,
      counts.readsOfUnknownCost, amounts.reserved,
    ]
    var cells = [CSVCell.quoted(name ?? ""), CSVCell.quoted(unit)] + figures.map(String.init)
    if let price {
      if price.isOf(unit) {
        cells.append(price.currency)
        cells += [amounts.spent.low, amounts.spent.high, amounts.avoided].map {
          String(price.nanoUnits(of: $0))
        }
      } else {
        cells += ["", "", "", ""]
      }
    }
    return cells.joined(separator: ",")
  }

  // MARK: For people

  func lines(limit: Int) -> [String] {
    var lines = [Console.strong("Audit of \(place)")]
    lines += rangeLines
    guard report.events > 0 else { return lines + ["", "Nothing happened in that range."] }
    if let unit = onlyUnit {
      lines += section(Self.heading(unit), totalLines(of: unit) + countLines)
    } else {
      lines += section("What was spent", spentLines)
      lines += section("Calls and reads", countLines)
    }
    let groups = onlyUnit.map { groupLines(of: $0, limit: limit) } ?? groupLines(limit: limit)
    lines += section("By \(report.query.grouping.rawValue)", groups)
    if let unit = onlyUnit {
      lines += section("What became of them", wasteLines(of: unit))
    } else {
      lines += section("What became of it", wasteLines)
    }
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

  /// Nil: there are several.
  private var onlyUnit: String? { report.units.count == 1 ? report.units.first : nil }

  /// Such as `Tokens`.
  private static func heading(_ unit: String) -> String {
    let words = Amount.words(for: unit)
    return words.prefix(1).uppercased() + words.dropFirst()
  }

  /// The price of a unit, if it has one.
  func price(of unit: String) -> TokenPrice? {
    price.flatMap { $0.isOf(unit) ? $0 : nil }
  }

  private func totalLines(of unit: String) -> [String] {
    let total = report.total[unit]
    var table = TextTable([.left, .right, .right, .left])
    func add(_ name: String, _ amount: Int64, _ note: String = "") {
      table.add([
        name, Amount(amount, unit).figure, price(of: unit)?.amount(of: amount) ?? "", note,
      ])
    }
    add("certain", total.certain, "in \(Int(total.charges).of("charge"))")
    add("in doubt", total.inDoubt)
    add("unprovable", total.unprovable)
    add("reserved", total.reserved, total.reserved == 0 ? "" : "held for calls that have not ended")
    add("at most", total.spent.high)
    add("avoided by the cache", total.avoided, "not part of the above")
    add("avoided by joining", total.avoidedByJoining)
    return table.lines()
  }

  private var countLines: [String] {
    let total = report.total.counts
    // Where there are several units their table tells it.
    let byAmount = onlyUnit.map { unit in
      ", \(Self.percent(report.total[unit].hitRate)) by \(Amount.words(for: unit))"
    }
    var lines = [
      "\(Int(total.calls).of("call")), \(Int(total.retries).of("retry", "retries"));"
        + " \(Int(total.bought).of("resource")) bought, \(total.refused.grouped) refused.",
      "\(Int(total.reads).of("read")): \(total.readsFresh.grouped) fresh,"
        + " \(total.readsStale.grouped)"
        + " stale, \(total.readsJoined.grouped) joined, \(total.readsBought.grouped) bought."
        + " Hit rate \(Self.percent(total.hitRate)) by reads\(byAmount ?? "").",
    ]
    if total.readsOfUnknownCost > 0 {
      lines.append(
        "\(Int(total.readsOfUnknownCost).of("read")) of entries whose cost is not in the log:"
          + " nothing"
          + " is counted as avoided for them.")
    }
    if let price, report.units.contains(where: { price.isOf($0) }) {
      lines.append(
        "Money at \(price) a token, rounded to hundredths; --format json has it exactly.")
    }
    return lines
  }

  private func groupLines(of unit: String, limit: Int) -> [String] {
    var heading = [
      report.query.grouping.rawValue.uppercased(), Amount.words(for: unit).uppercased(),
    ]
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
    let most = report.groups.map { $0.sums[unit].spent.high }.max() ?? 0
    for (index, group) in shownGroups(limit: limit).enumerated() {
      // What is left out is no group: it has no bar.
      table.add(row(group.name, unit, group.sums, index < limit ? most : 0))
    }
    return Self.underHeading(table)
  }

  static func underHeading(_ table: TextTable) -> [String] {
    let lines = table.lines()
    return [Console.faint(lines[0])] + lines.dropFirst()
  }

  /// What a group is called.
  static func title(_ name: String?) -> String {
    name.map { $0.isEmpty ? "(the call itself)" : $0 } ?? "(unknown)"
  }

  private func row(
    _ name: String?, _ unit: String, _ sums: AuditSums, _ most: Int64
  ) -> [String] {
    let amounts = sums[unit]
    let counts = sums.counts
    var cells = [Self.title(name), Self.interval(amounts.spent, unit)]
    if price != nil {
      cells.append(price(of: unit).map { Self.money(amounts.spent, $0) } ?? "")
    }
    cells += [
      counts.charges.grouped, counts.calls.grouped, counts.bought.grouped, counts.reads.grouped,
      Self.percent(counts.hitRate), Amount(amounts.saved, unit).figure, counts.refused.grouped,
    ]
    if Console.isTerminal { cells.append(Self.bar(amounts.spent.high, of: most)) }
    return cells
  }

  private static func interval(_ spent: AmountInterval, _ unit: String) -> String {
    let (low, high) = (Amount(spent.low, unit).figure, Amount(spent.high, unit).figure)
    return spent.isExact ? low : "\(low) to \(high)"
  }

  static func money(_ spent: AmountInterval, _ price: TokenPrice) -> String {
    let low = price.amount(of: spent.low)
    return spent.isExact ? low : "\(low.dropLast(4)) to \(price.amount(of: spent.high))"
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

  private func wasteLines(of unit: String) -> [String] {
    guard report.waste != nil else { return [] }
    let waste = report.waste(of: unit)
    let price = price(of: unit)
    var table = TextTable([.left, .right, .right, .right, .left])
    for wasteClass in WasteClass.allCases {
      let amount = waste[wasteClass]
      // Where all answers are kept nobody asks what was handed on, and where no call is out what it holds.
      if [.handedOn, .passedThrough, .reserved, .corrected].contains(wasteClass), amount == 0 {
        continue
      }
      table.add([
        wasteClass.label, Amount(amount, unit).figure, Self.share(amount, of: waste.total),
        price?.amount(of: amount) ?? "", wasteClass.explanation,
      ])
    }
    table.add([
      "sum", Amount(waste.total, unit).figure, "", price?.amount(of: waste.total) ?? "",
      "\(Amount(waste.wasted, unit).figure) of it bought nothing of use",
    ])
    return table.lines()
  }

  static func share(_ part: Int64, of whole: Int64) -> String {
    hundredths(part, of: whole).map(percent) ?? ""
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
      let units = Set(found.drifts.map(\.meter.unit))
      let amounts = found.amounts.filter { units.contains($0.unit) }.map {
        Amount($0.value.unexplained, $0.unit).text
      }
      lines.append(
        "\(Int(found.readings).of("reading")), \(found.driftCount.grouped) unexplained:"
          + " \(amounts.joined(separator: ", ")) in all."
          + " Somebody else used the key, between:")
      for drift in found.drifts.prefix(20) { lines += Self.lines(of: drift) }
      if found.driftCount > 20 { lines.append("… and \((found.driftCount - 20).grouped) more.") }
    }
    for gap in found.restoreGaps {
      lines.append(
        "Restored before position \(gap.position.grouped):"
          + " \(Amount(gap.unexplained, gap.meter.unit).text) moved that the log does not know of."
      )
    }
    for element in found.amounts where element.value.billed != 0 {
      lines.append(
        "Bills: \(Amount(element.value.billed, element.unit).text) beyond what was booked.")
    }
    return lines + priceLines
  }

  private var priceLines: [String] {
    let found = report.reconciliation
    var lines: [String] = []
    if found.priceDriftCount == 0 {
      lines.append("Every charge was what the price list says.")
    } else {
      var differences: [String] = []
      for element in found.amounts {
        let (above, below) = (element.value.aboveList, element.value.belowList)
        if above != 0 { differences.append("\(Amount(above, element.unit).text) above") }
        if below != 0 { differences.append("\(Amount(below, element.unit).text) below") }
      }
      // A charge in several units counts once in each.
      let count = Int(found.priceDriftCount)
      lines.append(
        "\(onlyUnit == nil ? count.of("amount") + " charged" : count.of("charge")) not as the price"
          + " list says: \(differences.joined(separator: ", ")).")
      for drift in found.priceDrifts.prefix(5) {
        lines.append(
          "  position \(drift.position.grouped), \(drift.time): \(drift.operation) cost"
            + " \(Amount(drift.amount, drift.unit).text),"
            + " expected \(Amount(drift.expected, drift.unit).text)")
      }
    }
    for element in found.amounts where element.value.excess > 0 {
      lines.append(
        "\(Amount(element.value.excess, element.unit).text) were charged above what had been"
          + " reserved.")
    }
    return lines
  }

  private static func lines(of drift: ReadingDrift) -> [String] {
    let unit = drift.meter.unit
    let after = drift.after.map { "position \($0.position.grouped), \($0.time)" } ?? "the beginning"
    let calls =
      drift.callCount == 0
      ? "no call of ours"
      : "\(drift.callCount.of("call")) of ours, from fetch"
        + " \(drift.calls.prefix(5).map { $0.grouped }.joined(separator: ", "))"
    let low = Amount(drift.predictedLow, unit).figure
    let high = Amount(drift.predictedHigh, unit).figure
    return [
      "  \(after), and position \(drift.position.grouped), \(drift.time):"
        + " \(Amount(drift.unexplained, unit).text) on \(words(for: drift.meter))",
      "    \(drift.isOfWindow ? "used" : "balance") \(Amount(drift.figure, unit).figure),"
        + " expected \(low)\(low == high ? "" : " to \(high)"); meanwhile \(calls)",
    ]
  }

  /// Such as `keepa:0fd85260`, and `project, model gemini-flash, day 2026-11-21`.
  private static func words(for meter: MeterKey) -> String {
    let parts = [meter.owner] + meter.dimensions.map { "\($0.name) \($0.value)" } + [meter.window]
    return parts.filter { !$0.isEmpty }.joined(separator: ", ")
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
    case .inDoubt: "sent, and nobody told the cost"
    case .unprovable: "nothing can prove it any more"
    case .reserved: "held for a call that has not ended"
    case .unchanged: "came back as it had been"
    case .neverRead: "refreshed, and not read while it was fresh"
    case .refreshed: "refreshed behind, and read"
    case .served: "somebody waited for it"
    case .handedOn: "handed on to who asked, and not kept"
    case .passedThrough: "a call whose answers are never kept"
    case .live: "refreshed, not read yet, still fresh"
    case .corrected: "charges were found wrong"
    }
  }
}
