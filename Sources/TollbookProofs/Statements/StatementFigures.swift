import JSONText
import TollbookArchive
package import TollbookEvents

/// What one account's part of an event moves in the spend of one meter, as the record says.
package struct SpendMove: Sendable {
  /// The meter, with the window that it counts in.
  package var meter: MeterKey
  package var account: String
  package var operation: String
  package var fetch: Position
  package var attempt: UInt32
  package var amounts: SpendAmounts

  /// The kinds of events that move spend.
  package static let kinds: Set<EventKind> = [
    .tokensCharged, .chargeInDoubt, .chargeResolved, .chargeCorrected,
  ]

  /// The moves of an event: of each cost that it tells, in its order, one for each account that pays. What only limits a
  /// cost that is told beside it is no spend.
  ///
  /// - Parameter started: the start of the fetch that a ChargeInDoubt is about, if that itself names no account.
  package static func moves(of recorded: RecordedEvent, started: FetchStarted?) -> [SpendMove] {
    guard kinds.contains(recorded.event.kind) else { return [] }
    return recorded.postings.flatMap { posting in
      var posting = posting
      if posting.payers.isEmpty {
        posting.payers = [Payer(account: started?.allDemands.first?.account ?? "")]
        if let started { posting.operation = started.operation }
      }
      return moves(of: posting)
    }
  }

  /// The start of the fetch that must be known to tell whose a doubt is; nil if the event itself tells it.
  static func unnamedFetch(of event: Event) -> Position? {
    guard case .chargeInDoubt(let doubt) = event, doubt.moves.isEmpty else { return nil }
    return doubt.fetch
  }

  private static func moves(of posting: Posting) -> [SpendMove] {
    guard !posting.isLimitOnly else { return [] }
    let parts: [SpendAmounts]
    switch posting.change {
    case .charged, .corrected: parts = posting.shares.map { SpendAmounts(settled: $0) }
    case .doubted(let amount):
      parts = posting.divided(amount).map { SpendAmounts(inDoubt: $0) }
    case .closed(let doubt): parts = Self.parts(of: doubt, posting)
    default: return []
    }
    var moves: [SpendMove] = []
    for (payer, part) in zip(posting.payers, parts) {
      let account = payer.account
      if let known = moves.firstIndex(where: { $0.account.utf8.elementsEqual(account.utf8) }) {
        moves[known].amounts += part
      } else {
        moves.append(
          SpendMove(
            meter: posting.page, account: account, operation: posting.operation,
            fetch: posting.fetch, attempt: posting.attempt, amounts: part))
      }
    }
    return moves
  }

  /// What each payer has of the end of a doubt. As much leaves the doubt as he had in it.
  private static func parts(of doubt: ClosedDoubt, _ posting: Posting) -> [SpendAmounts] {
    let was = posting.divided(doubt.amount)
    let settled = posting.divided(doubt.settled)
    let unprovable = posting.divided(doubt.unprovable)
    return was.indices.map { index in
      let gone = 0 &- was[index]
      return SpendAmounts(
        settled: settled[index], inDoubt: doubt.wasUnprovable ? 0 : gone,
        unprovable: unprovable[index] &+ (doubt.wasUnprovable ? gone : 0))
    }
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      meter.writeMembers(to: &json)
      json.field("account", account)
      json.field("operation", operation)
      json.field("fetch", fetch)
      json.field("attempt", attempt)
      amounts.write(to: &json)
    }
  }
}

/// The three sums that a statement is about. Together they are what is spent at most, by calls that have ended; `settled`
/// alone at least. What is reserved for a call is in no statement before the call has ended.
///
/// They wrap around, as the ledger's terms do.
package struct SpendAmounts: Hashable, Sendable {
  package var settled: Int64 = 0
  package var inDoubt: Int64 = 0
  package var unprovable: Int64 = 0

  package static func += (left: inout SpendAmounts, right: SpendAmounts) {
    left.settled &+= right.settled
    left.inDoubt &+= right.inDoubt
    left.unprovable &+= right.unprovable
  }

  func write(to json: inout JSONWriter) {
    json.field("settled", settled)
    json.field("in_doubt", inDoubt)
    json.field("unprovable", unprovable)
  }
}

/// Sums by meter, over all its windows.
package struct SpendSums: Hashable, Sendable {
  package private(set) var byMeter: [MeterKey: SpendAmounts] = [:]

  package init() {}

  package mutating func add(_ amounts: SpendAmounts, to meter: MeterKey) {
    byMeter[meter.inWindow(""), default: SpendAmounts()] += amounts
  }

  package mutating func add(_ move: SpendMove) { add(move.amounts, to: move.meter) }

  mutating func add(_ other: SpendSums) {
    for (meter, amounts) in other.byMeter { add(amounts, to: meter) }
  }

  package subscript(meter: MeterKey) -> SpendAmounts {
    byMeter[meter.inWindow("")] ?? SpendAmounts()
  }

  package var meters: [MeterKey] { byMeter.keys.sorted() }

  /// One JSON object per meter, in byte order.
  var rows: [[UInt8]] {
    meters.map { meter in
      var json = JSONWriter()
      json.object { json in
        meter.writeMembers(to: &json)
        self[meter].write(to: &json)
      }
      return json.bytes
    }
  }
}
