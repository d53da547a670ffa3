import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams

/// Refusals on their way into the log. What is refused buys nothing, so it must not make the log grow without bound: in each
/// interval the first ones are written as they come, with their resources; the rest is counted, and written together.
final class RefusalLog: Sendable {
  /// Refusals in one interval that are written as they come.
  static let mostEach = 10
  /// Resources that one of them names; all are counted.
  static let mostNames = 100
  /// Sorts of refusals that are counted in one interval. What is beyond is counted with the last.
  static let mostSorts = 1_000

  private struct Sort: Hashable {
    var operation: String
    var credential: String
    var reason: RefusalReason
    var account: String
    var tags: [String]
    var isBehind: Bool
    var parts: UInt64
  }

  private struct State {
    var written = 0
    var counted: [Sort: SpendRefused] = [:]
    var last: Sort?
  }

  private let state = Mutex(State())

  /// - Returns: the event to write now; nil: it was counted.
  func note(_ note: PurchaseQueue.RefusalNote, credential: String) -> Event? {
    let event = SpendRefused(note, credential: credential, mostNames: Self.mostNames)
    return state.withLock { state in
      if state.written < Self.mostEach {
        state.written += 1
        return .spendRefused(event)
      }
      count(event, &state)
      return nil
    }
  }

  private func count(_ event: SpendRefused, _ state: inout State) {
    var sort = Sort(
      operation: event.operation, credential: event.credential, reason: event.reason,
      account: event.demand.account, tags: event.demand.tags, isBehind: event.demand.isBehind,
      parts: event.demand.contentSet)
    if state.counted[sort] == nil, state.counted.count >= Self.mostSorts, let last = state.last {
      sort = last
    }
    state.last = sort
    guard var merged = state.counted[sort] else {
      var first = event
      first.refused = []
      state.counted[sort] = first
      return
    }
    merged.resources = merged.resources.addingReportingOverflow(event.resources).partialValue
    for index in merged.wants.indices where index < event.wants.count {
      let (sum, isTooMuch) = merged.wants[index].wanted.addingReportingOverflow(
        event.wants[index].wanted)
      merged.wants[index].wanted = isTooMuch ? .max : sum
    }
    for payer in event.payers {
      if let place = merged.payers.firstIndex(where: { $0.kind == payer.kind }) {
        merged.payers[place].weight += payer.weight
      } else {
        merged.payers.append(payer)
      }
    }
    state.counted[sort] = merged
  }

  /// Takes out what was counted, and begins another interval.
  func drain() -> [Event] {
    let counted = state.withLock { state in
      defer { state = State() }
      return state.counted
    }
    return counted.values.sorted {
      ($0.operation, $0.demand.account, $0.reason.rawValue)
        < ($1.operation, $1.demand.account, $1.reason.rawValue)
    }.map { .spendRefused($0) }
  }

  /// Puts back what could not be written.
  func restore(_ events: [Event]) {
    state.withLock { state in
      for case .spendRefused(let event) in events { count(event, &state) }
    }
  }
}

extension SpendRefused {
  init(_ note: PurchaseQueue.RefusalNote, credential: String, mostNames: Int) {
    self.init()
    operation = note.needs.first?.operation ?? ""
    self.credential = credential
    resources = UInt32(clamping: note.needs.count)
    reason = note.refusal.reason
    retryMs = note.refusal.retryAt?.milliseconds ?? 0
    refused = note.needs.prefix(mostNames).compactMap { $0.resource?.description }
    demand = note.demand
    wants = note.refusal.wants.map { wanted in
      var want = Want()
      want.meter = wanted.page.name
      want.window = wanted.page.window
      want.wanted = wanted.wanted
      want.available = wanted.available
      want.retryMs = wanted.retryAt?.milliseconds ?? 0
      return want
    }
    refusedBy = UInt32(note.refusal.refusedBy)
    payers = [Payer].counting(
      note.needs.map { $0.resource ?? ResourceKey(stored: "") }, of: [note.demand],
      note.needs.map { _ in 0 })
  }
}
