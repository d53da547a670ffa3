package import TollbookEvents
package import TollbookLog
package import TollbookViews

/// Which entries to purge, and how.
package struct PurgeOrder: Hashable, Sendable {
  package enum Scope: Hashable, Sendable {
    /// All entries of one resource.
    case key(String)
    /// All entries of resources whose names begin so.
    case prefix(String)
    /// All entries that bear a label, in whatever case it is written.
    case label(String)
    case all
  }

  /// The labels of an entry, such as `color:red`: its kind tells what it can be found by beside its name.
  package typealias Labels = @Sendable (CacheEntry) -> [String]

  /// In bytes. The note is in the event of every entry.
  package static let longestNote = 500

  package var scope: Scope
  /// Removed; else they lose their freshness, and answer only if nothing better can be had.
  package var isHard: Bool
  /// Why, for whoever reads the log.
  package var note: String
  /// Who orders it.
  package var actor: String
  /// The kinds of which nothing is meant: nobody sells it.
  package var spared: Set<String>

  package init(
    scope: Scope, isHard: Bool = false, note: String = "", actor: String = "",
    sparing spared: Set<String> = []
  ) {
    self.scope = scope
    self.isHard = isHard
    self.spared = spared
    self.note = note.inOneLine()
    self.actor = actor
  }

  /// What the names of the resources begin with.
  fileprivate var prefix: String {
    switch scope {
    case .key(let key): key
    case .prefix(let prefix): prefix
    case .label, .all: ""
    }
  }

  /// Whether an entry is meant whose resource begins with `prefix`.
  ///
  /// Nothing would be taken by a soft purge from an entry that is not fresh any more.
  fileprivate func means(_ entry: CacheEntry, at now: Timestamp, _ labels: Labels) -> Bool {
    guard isHard || entry.hasFreshness(at: now), !spared.contains(entry.resource.kind) else {
      return false
    }
    if case .label(let label) = scope {
      return labels(entry).contains { $0.lowercased() == label.lowercased() }
    }
    if case .key(let key) = scope, !entry.resource.description.utf8.elementsEqual(key.utf8) {
      return false
    }
    return true
  }
}

/// What purged entries were worth.
package struct PurgeCost: Hashable, Sendable {
  package var entries = 0
  /// What they had cost, when they were bought, once for each unit.
  package var amounts: [Amount] = []
  /// The size of their bodies, uncompressed.
  package var bytes: Int64 = 0

  package init() {}

  fileprivate mutating func add(_ entries: [CacheEntry]) {
    for entry in entries {
      self.entries += 1
      amounts.add(entry.amounts)
      bytes &+= entry.bodyBytes
    }
  }
}

/// Purge a portion of the entries that an order means, in the order of their keys.
struct PurgeCommand: Sendable {
  /// The most entries in one decision, and the most that one looks at.
  static let batch = 1_000
  private static let scanLimit = 5_000

  var order: PurgeOrder
  var labels: PurgeOrder.Labels
  /// The end of the portion before.
  var after: [UInt8]?
  /// Entries that were written later stay: they were bought after the order.
  var through: Position
  var now: Timestamp

  struct Answer: Sendable {
    var cost = PurgeCost()
    /// Where the next portion begins; nil: there is none.
    var next: [UInt8]?
  }

  func decide(
    _ cache: CacheView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Answer> {
    let page = try page(cache, state, limit: Self.batch, scanLimit: Self.scanLimit)
    var answer = Answer(next: page.next)
    answer.cost.add(page.entries)
    return Decision(events: page.entries.map { .cachePurged(purged($0)) }, answer: answer)
  }

  /// What it would do, to a portion of another size.
  func preview(
    _ cache: CacheView, _ state: borrowing LogReading
  ) throws(LogError) -> Answer {
    let page = try page(cache, state, limit: .max, scanLimit: 20_000)
    var answer = Answer(next: page.next)
    answer.cost.add(page.entries)
    return answer
  }

  private func page(
    _ cache: CacheView, _ state: borrowing LogReading, limit: Int, scanLimit: Int
  ) throws(LogError) -> CacheView.Page {
    try cache.page(
      prefix: order.prefix, after: after, limit: limit, scanLimit: scanLimit, in: state
    ) { $0.written <= through && order.means($0, at: now, labels) }
  }

  private func purged(_ entry: CacheEntry) -> CachePurged {
    var event = CachePurged()
    event.resource = entry.resource.description
    event.contentSet = entry.contentSet
    event.written = entry.written
    event.hard = order.isHard
    event.costs = entry.amounts.map { Cost($0) }
    event.actor = order.actor
    event.staleFromMs = order.isHard ? 0 : now.milliseconds
    event.note = order.note
    return event
  }
}

extension PurgeOrder {
  /// What carrying it out now would take away. Changes nothing.
  ///
  /// - Parameter labels: by which a purge by label finds entries.
  package func cost(
    in log: EventLog, labels: @escaping Labels = { _ in [] }
  ) async throws(LogError) -> PurgeCost {
    var cost = PurgeCost()
    let cache = CacheView(log)
    var command = PurgeCommand(
      order: self, labels: labels, through: log.head, now: log.time.now())
    repeat {
      let portion = try log.read { (transaction) throws(LogError) in
        try command.preview(cache, transaction)
      }
      cost.add(portion.cost)
      command.after = portion.next
      // A long look lets others have their turn.
      await Task.yield()
    } while command.after != nil
    return cost
  }

  /// Purges what it means, in portions between which others write. What is bought meanwhile stays.
  ///
  /// Should it end early, what is purged is purged: to go on is to begin again.
  package func carryOut(
    on log: EventLog, labels: @escaping Labels = { _ in [] },
    progress: @Sendable (PurgeCost) -> Void = { _ in }
  ) async throws(LogError) -> PurgeCost {
    var cost = PurgeCost()
    let cache = CacheView(log)
    var command = PurgeCommand(
      order: self, labels: labels, through: log.head, now: log.time.now())
    repeat {
      let portion = command
      let answer = try await log.decide { (state, _) throws(LogError) in
        try portion.decide(cache, state)
      }.answer
      cost.add(answer.cost)
      progress(cost)
      command.after = answer.next
    } while command.after != nil
    return cost
  }
}

extension PurgeCost {
  fileprivate mutating func add(_ other: PurgeCost) {
    entries += other.entries
    amounts.add(other.amounts)
    bytes &+= other.bytes
  }
}
