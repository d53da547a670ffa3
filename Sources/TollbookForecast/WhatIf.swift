package import TollbookArchive
package import TollbookEvents
package import TollbookGateway
package import TollbookLog

/// What the recorded demand would have cost under other policies.
package enum WhatIf {
  /// Which part of the log is played, and how the gateway that is imagined spends.
  package struct Question: Sendable {
    /// The demand after this position, up to `through`.
    package var after: Position = 0
    package var through: Position = .max
    package var overdraft = GatewaySettings.Overdraft.never
    /// What is played.
    package var kind: WhatIfKind

    package init(_ kind: WhatIfKind) { self.kind = kind }
  }

  /// The recorded demand, ready to be played.
  package struct Record: Sendable {
    fileprivate let demand: RecordedDemand
    fileprivate let recorded: WhatIfOutcome
    fileprivate let unit: String
    fileprivate let unplayed: UnplayedSpend
    fileprivate let overdraft: GatewaySettings.Overdraft
    fileprivate let kind: WhatIfKind
    package let after: Position
    package let through: Position
    /// The windows in force at the end of the period, as the events tell them.
    package let policy: FreshnessPolicy
    fileprivate let unclear: Unclear
  }

  /// What a log that is older than some of the fields does not say.
  fileprivate struct Unclear: Sendable {
    var reads: Int64
    var refusals: Int64
    var ownLimits: Int64
    var otherMeters: Int64
    var mixedReads: Int64
  }

  /// Reads the demand, in one pass over the log.
  ///
  /// - Parameter progress: shown the position that was read; false ends the reading early.
  /// - Returns: nil if it was ended early.
  package static func read(
    _ source: LogSource, _ question: Question,
    progress: (_ position: Position, _ end: Position) -> Bool = { _, _ in true }
  ) throws(LogError) -> Record? {
    try read(source, question, of: [question.kind], progress: progress)?.first
  }

  /// Reads the demand of several kinds, in one pass over the log.
  ///
  /// - Returns: a record of each kind, in their order; nil if it was ended early.
  package static func read(
    _ source: LogSource, _ question: Question, of kinds: [WhatIfKind],
    progress: (_ position: Position, _ end: Position) -> Bool = { _, _ in true }
  ) throws(LogError) -> [Record]? {
    let (start, base) = try source.startOfRecord()
    let end = min(question.through, try source.head())
    var readers = kinds.map { DemandReader($0) }
    if let base { for index in readers.indices { readers[index].goOn(from: base) } }
    var isWanted = true
    var count = 0
    try source.scan(after: start, through: end, kinds: DemandReader.kinds) {
      (recorded) throws(LogError) in
      for index in readers.indices {
        if recorded.position > question.after { readers[index].isInPeriod = true }
        readers[index].read(recorded)
      }
      count += 1
      if count & 0xfff == 0 { isWanted = progress(recorded.position, end) }
      return isWanted ? .next : .stop
    }
    guard isWanted else { return nil }
    var records: [Record] = []
    for (kind, var reader) in zip(kinds, readers) {
      reader.finish()
      records.append(
        Record(
          demand: reader.demand, recorded: reader.recorded, unit: reader.unit,
          unplayed: reader.unplayed, overdraft: question.overdraft, kind: kind,
          after: max(start, question.after), through: end, policy: reader.policy,
          unclear: Unclear(
            reads: reader.unclearReads, refusals: reader.unclearRefusals,
            ownLimits: reader.ownLimitRefusals, otherMeters: reader.otherMeterRefusals,
            mixedReads: reader.mixedReads)))
    }
    return records
  }

  /// Plays the demand under each policy, on as many processors as there are.
  ///
  /// - Parameters:
  ///   - progress: told how many policies are done.
  ///   - isWanted: asked now and then; false ends the replay early.
  /// - Returns: nil if it was ended early.
  package static func play(
    _ record: Record, _ policies: [WhatIfPolicy],
    progress: (Int) -> Void = { _ in }, while isWanted: @escaping @Sendable () -> Bool = { true }
  ) async -> WhatIfReport? {
    // One more: the policy in force, to see whether the record explains itself.
    let all = policies + [WhatIfPolicy(name: "", products: record.policy)]
    let requests = record.recorded.requests
    let outcomes = await withTaskGroup(of: (Int, WhatIfOutcome).self) { group in
      for (index, policy) in all.enumerated() {
        group.addTask { @concurrent in
          var replay = PolicyReplay(
            record.demand, policy.products, overdraft: record.overdraft, record.kind)
          replay.run(while: isWanted)
          return (index, replay.outcome(policy.name, requests: requests))
        }
      }
      var outcomes: [Int: WhatIfOutcome] = [:]
      for await (index, outcome) in group {
        outcomes[index] = outcome
        progress(outcomes.count)
      }
      return outcomes
    }
    guard isWanted(), let itself = outcomes[policies.count] else { return nil }
    return report(record, policies.indices.compactMap { outcomes[$0] }, itself)
  }

  /// Plays the demand under each policy, one after the other on the caller's thread: for who must leave processors to
  /// others.
  ///
  /// - Parameter isWanted: asked now and then; false ends the replay early.
  /// - Returns: nil if it was ended early.
  package static func playInTurn(
    _ record: Record, _ policies: [WhatIfPolicy], while isWanted: () -> Bool
  ) -> WhatIfReport? {
    func outcome(_ policy: WhatIfPolicy) -> WhatIfOutcome {
      var replay = PolicyReplay(
        record.demand, policy.products, overdraft: record.overdraft, record.kind)
      replay.run(while: isWanted)
      return replay.outcome(policy.name, requests: record.recorded.requests)
    }
    let itself = outcome(WhatIfPolicy(name: "", products: record.policy))
    let outcomes = policies.map(outcome)
    return isWanted() ? report(record, outcomes, itself) : nil
  }

  /// - Parameter itself: what comes of the policy in force.
  private static func report(
    _ record: Record, _ outcomes: [WhatIfOutcome], _ itself: WhatIfOutcome
  ) -> WhatIfReport {
    let times = record.demand.probes.filter { $0.resource >= 0 }
    var period: ClosedRange<Timestamp>?
    if let first = times.first, let last = times.last, first.time <= last.time {
      period =
        Timestamp(milliseconds: first.time)...Timestamp(milliseconds: last.time)
    }
    return WhatIfReport(
      kind: record.kind.name,
      after: record.after, through: record.through, period: period,
      recordedPolicy: record.policy,
      played: WhatIfTable(unit: record.unit, recorded: record.recorded, outcomes: outcomes),
      others: record.unplayed.tables(without: record.unit), notes: notes(record, itself))
  }
}

extension LogSource {
  /// The position before the first event, and the time of the snapshot that the log goes on from, if it does.
  fileprivate func startOfRecord() throws(LogError) -> (Position, Timestamp?) {
    try read { (transaction) throws(LogError) in
      guard let base = try reader.base(in: transaction) else { return (0, nil) }
      return (base.position, base.commit.time)
    }
  }
}

// MARK: What to know beside the figures

extension WhatIf {
  private static func notes(_ record: Record, _ itself: WhatIfOutcome) -> [String] {
    var notes: [String] = []
    let recorded = record.recorded
    if record.demand.unknownBefore != nil {
      notes.append(
        "The log goes on from a snapshot of position \(record.after): what the cache held then"
          + " is not"
          + " in the events, so the first read of each resource is bounded, not known.")
    }
    if itself.cost != recorded.cost || itself.hits != recorded.hits {
      notes.append(
        "Played with the windows in force at its end, the record itself comes to"
          + " \(amount(itself.cost, record.unit)) and \(text(itself.hits)) hits: the windows were"
          + " others for"
          + " a part of the time, the cache was off, or entries were lost. Compare with that row"
          + " too."
      )
    }
    if record.demand.cut.all > 0 {
      notes.append(
        "\(record.demand.cut.all) reads were too many for the log to tell what they read. With"
          + " other windows each of them may have bought, or not.")
    }
    if case .recorded = record.kind.prices, record.recorded.bought.high > 0 {
      notes.append(
        "No price list tells what a purchase costs that is not on the record: it is taken for what"
          + " the same resource cost when it was bought, or any other if it never was.")
    }
    if record.demand.calls.contains(where: { !$0.company.isEmpty }) {
      notes.append(
        "The cost holds what the same calls bring that these windows say nothing of: it is bought"
          + " with any of them.")
    }
    if !record.demand.outages.isEmpty {
      notes.append(
        "The upstream failed at times. A purchase that was not made then may have failed too:"
          + " its cost is counted from 0.")
    }
    if record.unclear.ownLimits > 0 {
      notes.append(
        "\(record.unclear.ownLimits) resources were refused by their request's own limit, and stay"
          + " refused; what limits other requests had is not recorded.")
    }
    if record.unclear.otherMeters > 0 {
      notes.append(
        "\(record.unclear.otherMeters) resources were refused by another limit than the upstream's,"
          + " such as a budget, and stay refused.")
    }
    for row in record.unplayed.rows {
      notes.append(
        "Not played: \(row.calls) \(row.calls == 1 ? "call" : "calls") of \(row.operation), for"
          + " \(amount(row.cost, row.unit)). What they would have cost with other windows no price"
          + " list says.")
    }
    if record.unclear.reads > 0 {
      notes.append(
        "\(record.unclear.reads) reads were recorded by an older version, which did not note the"
          + " parts that were wanted: those of the entry are taken.")
    }
    if record.unclear.refusals > 0 {
      notes.append(
        "\(record.unclear.refusals) refused resources are not named by the record, which is of an"
          + " older"
          + " version: they are left out.")
    }
    return notes
  }

  private static func amount(_ bounds: Bounds, _ unit: String) -> String {
    "\(text(bounds)) "
      + (Amount.isMoney(unit) ? "nano-\(unit)" : Amount(bounds.high, unit).unitInWords)
  }

  private static func text(_ bounds: Bounds) -> String {
    bounds.isExact ? "\(bounds.low)" : "\(bounds.low) to \(bounds.high)"
  }
}
