import TollbookEvents

/// What was charged for an entry that nobody waited for, as an audit of whole hours follows it: until a read is answered
/// with it while it is fresh, or it has ended for so long that no read of it will be written down any more.
///
/// The rollups follow it by the same rules, in a table.
struct RefreshWatch: Sendable {
  /// For how long reads of an entry that ended are still waited for: they are written down after they happened.
  static let patience: Int64 = 5_000

  /// When by the clock the entry was no longer fresh, replaced or removed; nil: nothing is known of that.
  var ended: Timestamp?
  var amounts = ShortList<UnitAmount>()

  func isOver(at time: Timestamp) -> Bool {
    ended.map { $0.advanced(byMilliseconds: Self.patience) < time } ?? false
  }
}

extension AuditFold {
  /// Keeps a part of a charge until it is known what became of the entry.
  mutating func watch(_ amount: Int64, unit: Int, for written: Position) {
    guard amount != 0 else { return }
    var refresh = refreshes[written] ?? RefreshWatch()
    if refresh.isOver(at: wall) {
      decide(refresh, .neverRead)
      refresh = RefreshWatch()
    }
    refresh.amounts.add(amount, unit: unit)
    refreshes[written] = refresh
  }

  /// A read was answered with the entry while it was fresh.
  mutating func refreshUsed(_ written: Position) {
    guard !refreshes.isEmpty, let refresh = refreshes.removeValue(forKey: written) else { return }
    decide(refresh, refresh.isOver(at: wall) ? .neverRead : .refreshed)
  }

  /// The entry is no longer fresh, or no longer there.
  mutating func refreshEnded(_ written: Position) {
    guard !refreshes.isEmpty, let refresh = refreshes[written], refresh.ended == nil else { return }
    refreshes[written]?.ended = wall
    endedRefreshes.append(written)
    if endedRefreshes.count >= endedRefreshLimit { decideEndedRefreshes() }
  }

  /// Decides about entries of which no read will be written down any more, so that memory is bounded by what is live.
  private mutating func decideEndedRefreshes() {
    var rest: [Position] = []
    for written in endedRefreshes {
      guard let refresh = refreshes[written], refresh.ended != nil else { continue }
      if refresh.isOver(at: wall) {
        decide(refresh, .neverRead)
        refreshes[written] = nil
      } else {
        rest.append(written)
      }
    }
    endedRefreshes = rest
    endedRefreshLimit = max(1_024, 2 * rest.count)
  }

  /// The next event's clock is behind the one before. What is over by now stays so.
  mutating func clockIsSetBack() {
    if !endedRefreshes.isEmpty { decideEndedRefreshes() }
  }

  /// Decides about all, with what is known at the end.
  mutating func decideRefreshes() {
    for refresh in refreshes.values { decide(refresh, refresh.ended == nil ? .live : .neverRead) }
    refreshes = [:]
  }

  private mutating func decide(_ refresh: RefreshWatch, _ wasteClass: WasteClass) {
    for amount in refresh.amounts { addWaste(amount.count, wasteClass, unit: amount.unit) }
  }
}
