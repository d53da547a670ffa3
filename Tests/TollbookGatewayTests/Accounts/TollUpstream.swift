import Synchronization
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import TollbookGateway

/// An upstream whose calls all cost at most the same, and whose limit nobody reaches. What becomes of a call is drawn when
/// it is let go on.
final class TollUpstream: Upstream {
  enum End: Sendable {
    case told(Int64), notSent, failed(charged: Int64), timedOut
  }

  static let meter = MeterKey(owner: "toll:key", unit: "coins")
  static let bound: Int64 = 100

  private struct State {
    var isHolding = false
    var parked: [CheckedContinuation<End, Never>] = []
    var calls = 0
  }

  private let state = Mutex(State())

  let name = "toll"
  let title = "Toll"
  let credentials = ["toll:key"]
  let meters = [UpstreamMeter(TollUpstream.meter, .total(limit: 1 << 40), doubt: .byOperator)]

  var kinds: [ResourceKind] { [ResourceKind("toll.gate", freshness: FreshnessPolicy())] }

  static func gate(_ name: String) -> ResourceKey {
    ResourceKey(shared: "toll.gate", path: name)
  }

  /// Calls that were sent.
  var calls: Int { state.withLock { $0.calls } }
  var parkedCount: Int { state.withLock { $0.parked.count } }
  func hold() { state.withLock { $0.isHolding = true } }

  /// Lets the call go on that stands still longest.
  func letGo(_ end: End) {
    let first = state.withLock { $0.parked.isEmpty ? nil : $0.parked.removeFirst() }
    first?.resume(returning: end)
  }

  /// Lets all go on, and holds no more.
  func letGo() {
    let parked = state.withLock { state in
      defer { state.parked = [] }
      state.isHolding = false
      return state.parked
    }
    for continuation in parked { continuation.resume(returning: .told(Self.bound)) }
  }

  func callSize(of operation: String, parts: UInt64) -> Int { 1 }

  func plan(_ needs: [Need]) -> [PlannedCall] {
    needs.indices.map { index in
      PlannedCall(
        needs: [needs[index]], places: [index],
        uses: [
          MeterUse(Self.meter, meters[0].rule, bounds: PrefixCosts(each: [Self.bound]))
        ])
    }
  }

  func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    let end = await withCheckedContinuation { (continuation: CheckedContinuation<End, Never>) in
      let isHeld = state.withLock { state in
        state.calls += 1
        if state.isHolding { state.parked.append(continuation) }
        return state.isHolding
      }
      if !isHeld { continuation.resume(returning: .told(Self.bound)) }
    }
    switch end {
    case .told(let cost):
      let writes = call.needs.compactMap(\.resource).map { Write($0, body: [1]) }
      return Exchange(
        .success(Delivery(writes)), charges: [Self.meter: .told(cost)], duration: .zero,
        isSimulated: true)
    case .notSent: return failure(.notSent, .none)
    case .failed(let cost): return failure(.upstreamError, .known(cost), .told(cost))
    case .timedOut: return failure(.timedOut, .unknown)
    }
  }

  private func failure(
    _ reason: FailureReason, _ charge: UpstreamCharge, _ cost: MeterCharge? = nil
  ) -> Exchange {
    Exchange(
      .failure(UpstreamFailure(reason, detail: "\(reason)", charge: charge)),
      charges: cost.map { [Self.meter: $0] } ?? [:], duration: .zero, isSimulated: true)
  }
}
