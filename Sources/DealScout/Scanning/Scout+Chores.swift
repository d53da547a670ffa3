import TollbookEvents
import TollbookGateway
import TollbookLog

// What goes on by the clock.

extension Scout {
  /// Does what schedules say, until the task is cancelled.
  func work(_ gateway: Gateway) async {
    // What cannot be read now is read when somebody asks.
    try? await fill(gateway)
    await schedules.keep(gateway, while: { self.isUsed }) { run in await self.run(run, gateway) }
  }

  /// One run of a schedule.
  func run(_ run: ScheduledRun, _ gateway: Gateway) async -> JobEnding {
    guard let chore = Chore(rawValue: run.name) else { return .failed("nobody knows \(run.name)") }
    index.expire(at: gateway.log.time.now())
    do {
      switch chore {
      case .scanAll: return try await queueScans(gateway)
      case .refreshComparables: return try await queueComparables(gateway)
      case .reconcileSales:
        guard let seller else { return .done("there is nothing to do") }
        return .done("drafts sold \(try await SellerDesk(gateway, seller).reconcileAll())")
      case .sendNotifications: return .done("there is nothing to do")
      }
    } catch { return .failed("\(error)") }
  }

  /// Has scanned what the plan says: a job, whose searches each account pays for itself.
  private func queueScans(_ gateway: Gateway) async throws -> JobEnding {
    let (plan, searches) = try planTurn(gateway)
    let places = Dictionary(searches.map { ($0.place, $0) }) { first, _ in first }
    let parts = plan.scans.compactMap { scan -> ScanOrder.Part? in
      guard let search = places[scan.search] else { return nil }
      return ScanOrder.Part(account: search.account, search: search.id, pages: Int(scan.calls))
    }
    return try await queue(ScanOrder(.scan, parts), gateway) ?? .done(plan.sentence)
  }

  private func queueComparables(_ gateway: Gateway) async throws -> JobEnding {
    let parts = try SearchBook(gateway: gateway).all().map {
      ScanOrder.Part(account: $0.account, search: $0.id, pages: Self.comparablePages)
    }
    return try await queue(ScanOrder(.comparables, parts), gateway)
      ?? .done("there is no search")
  }

  /// - Returns: nil: there is nothing to be done.
  private func queue(_ order: ScanOrder, _ gateway: Gateway) async throws -> JobEnding? {
    guard !order.parts.isEmpty else { return nil }
    guard let kind = gateway.jobKind(ScanOrder.job) else { return nil }
    let id = try await gateway.queueJob(
      kind, request: order.bytes, total: order.parts.count,
      by: Principal(account: gateway.settings.account))
    return .done("job \(id): \(order.parts.count) searches")
  }
}
