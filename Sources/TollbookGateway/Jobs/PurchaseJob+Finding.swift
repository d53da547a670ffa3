import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

extension PurchaseJob {
  /// Finds a list, and buys what it names, all within one limit.
  ///
  /// After a stop it is looked for again: it is cached mostly, and so is what was bought of it. So it is gone through from
  /// its beginning.
  ///
  /// - Returns: how far it got, and how it ended; nil: it was told to end before.
  func buy(
    _ wanted: ResourceDemand, foundBy finding: ListFinding, of row: JobRow
  ) async -> (NoteJobCommand.Reached, NoteJobCommand.End?) {
    var row = row
    switch await find(finding, within: wanted.limit, row) {
    case .stopped:
      return (NoteJobCommand.Reached(done: row.done, failed: row.failed), nil)
    case .ended(let end):
      return (NoteJobCommand.Reached(done: row.done, failed: row.failed), end)
    case .found(let resources):
      var wanted = wanted
      wanted.resources = resources
      (row.done, row.failed) = (0, 0)
      var (reached, end) = await buy(wanted, from: row)
      if resources.isEmpty { end?.detail = "nothing was found" }
      return (reached, end)
    }
  }

  private enum Found {
    case found([ResourceKey])
    case ended(NoteJobCommand.End)
    case stopped
  }

  private func find(
    _ finding: ListFinding, within limit: Int64?, _ row: JobRow
  ) async -> Found {
    guard var demand = await cheapest(of: finding.ways)?.warming else {
      return .ended(NoteJobCommand.End(end: .failed, detail: "there is no way to find it"))
    }
    demand.principal = gateway.payer(of: number, row)
    demand.tags.append(JobsFold.tag(of: number))
    demand.wait = gateway.settings.longestWait
    demand.isBackground = true
    while true {
      guard !Task.isCancelled, let spent = await spent(within: limit) else { return .stopped }
      demand.limit = limit.map { max(0, $0 - spent) }
      tell(JobProgress("looks for the list", total: row.total))
      let answer = await gateway.answer(demand)
      if let outcome = answer.outcomes.first, outcome.problem == nil {
        return read(outcome, finding)
      }
      let look = PortionLook(answer)
      if let end = look.end(limit: limit, unit: kind.unit) { return .ended(end) }
      guard let later = look.later else {
        return .ended(
          NoteJobCommand.End(
            end: .failed, detail: "the list could not be bought: \(look.problem ?? "no answer")"))
      }
      tell(JobProgress("waits: \(later.detail)", total: row.total))
      await sleep(until: later.retryAt)
    }
  }

  private func read(_ outcome: ResourceOutcome, _ finding: ListFinding) -> Found {
    if let entry = outcome.entry, !entry.isPresent { return .found([]) }
    let body = outcome.entry.flatMap { try? gateway.body(of: $0)?.content() }
    guard let content = body ?? outcome.handedOn?.body else {
      return .ended(
        NoteJobCommand.End(end: .failed, detail: "the list that was found is not kept"))
    }
    return .found(finding.resources(content))
  }

  /// The first way whose list is cached, else the first of all.
  private func cheapest(of ways: [ResourceDemand]) async -> ResourceDemand? {
    for way in ways {
      if let estimate = try? await gateway.estimate(way), estimate.missing == 0 { return way }
    }
    return ways.first
  }
}
