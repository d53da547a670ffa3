import Synchronization
package import TollbookEvents

/// The table of the listings with their scores, as they were when the index last changed or the table grew old.
///
/// 1. A table is made anew for who asks first after a change. One is made at a time.
/// 2. As long as there are few listings, who asks waits for it. Of many a table that is two minutes old at most answers
///    at once, and the next one is made behind, at most once in a while, since a scan changes the index many times:
///    nobody waits for more than one.
package final class DealBoard: Sendable {
  /// So long a table of many listings may be older than the index without a new one being made, in milliseconds.
  private static let longestBehind: Int64 = 15_000
  /// After so long ends and ages are told anew, in milliseconds. Of many listings no table answers that is twice as old.
  private static let longestUnchanged: Int64 = 60_000

  private struct State {
    var table: DealTable?
    var making: Task<DealTable, Never>?
  }

  private let mostAtOnce: Int
  private let state = Mutex(State())
  private let scores: Mutex<DealScores>

  /// - Parameter mostAtOnce: up to so many listings who asks waits for a new table: some hundredths of a second.
  package init(_ rules: DealRules = DealRules(), mostAtOnce: Int = 10_000) {
    self.mostAtOnce = mostAtOnce
    scores = Mutex(DealScores(rules))
  }

  /// The rows at an instant.
  ///
  /// - Parameter judges: whether prices may be judged.
  package func content(of index: ListingIndex, judges: Bool, now: Timestamp) async -> DealTable {
    let version = index.version
    let (table, making) = state.withLock { state -> (DealTable?, Task<DealTable, Never>?) in
      let age = state.table.map { now.milliseconds - $0.made.milliseconds }
      let isMany = state.table.map { $0.rows.count > mostAtOnce } ?? false
      if let age, isMany, 0..<Self.longestBehind ~= age { return (state.table, nil) }
      if let age, state.table?.version == version, 0..<Self.longestUnchanged ~= age {
        return (state.table, nil)
      }
      let making = state.making ?? Task { await make(index, judges, now) }
      state.making = making
      let mayAnswer = isMany && age.map { 0..<2 * Self.longestUnchanged ~= $0 } ?? false
      return (mayAnswer ? state.table : nil, making)
    }
    if let table { return table }
    guard let making else { return DealTable(made: now) }
    let made = await making.value
    // It may have begun before the last change.
    guard made.version < version, made.rows.count <= mostAtOnce else { return made }
    return await content(of: index, judges: judges, now: now)
  }

  @concurrent
  private func make(_ index: ListingIndex, _ judges: Bool, _ now: Timestamp) async -> DealTable {
    let (listings, searches, version) = index.all
    let rows = scores.withLock { scores in
      scores.rows(of: listings.filter { !$0.isOver(at: now) }, judges: judges, now: now)
    }
    let table = DealTable(rows, searches: searches, version: version, made: now)
    state.withLock { state in
      state.table = table
      state.making = nil
    }
    return table
  }
}
