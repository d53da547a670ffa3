import TollbookEvents
import TollbookGateway
import TollbookLog

extension PurchaseJobKind {
  /// Searches that are scanned one after the other. What a step could not read the next scan will: none is tried again.
  static func scan(_ scout: Scout) -> PurchaseJobKind {
    PurchaseJobKind(
      ScanOrder.job, mostOpen: ScanOrder.mostOpen, mostOfAccount: ScanOrder.mostOfAccount,
      unit: EbayUpstream.unit
    ) { request, _ in
      guard let order = ScanOrder(request) else { return nil }
      return JobSteps(count: order.parts.count, kept: "") { index, run in
        await scout.step(order.purpose, order.parts[index], run)
      }
    }
  }
}

extension Scout {
  fileprivate func step(
    _ purpose: ScanOrder.Purpose, _ part: ScanOrder.Part, _ run: JobRun
  ) async -> JobStep {
    let gateway = run.gateway
    do throws(LogError) {
      // It may have been removed meanwhile.
      guard let search = try SearchBook(gateway: gateway).search(part.search, of: part.account)
      else { return .over(isFailed: true, writes: [], removed: []) }
      var principal = Principal(account: part.account, accessKey: run.principal.accessKey)
      principal.scopes = run.principal.scopes
      principal.tags = [run.tag]
      let outcome = try await scan(
        search, purpose, pages: part.pages, gateway, principal, isBackground: true)
      return .over(isFailed: outcome.problem != nil, writes: [], removed: [])
    } catch {
      return .later(PurchaseProblem(.storageFailed, "\(error)"), .notAsked)
    }
  }
}
