import JSONText
package import TollbookEvents

/// What one event moves in the spend of one meter, as its record says.
package struct SpendMove: Sendable {
  package var meter: StatementMeter
  package var account: String
  package var operation: String
  package var fetch: Position
  package var attempt: UInt32
  package var amounts: SpendAmounts

  /// The kinds of events that move spend.
  package static let kinds: Set<EventKind> = [.tokensCharged, .chargeInDoubt, .chargeResolved]

  /// The moves of an event, in its order.
  ///
  /// - Parameter started: the start of the fetch that a ChargeInDoubt is about: that event itself names no account.
  package static func moves(of event: Event, started: FetchStarted?) -> [SpendMove] {
    switch event {
    case .tokensCharged(let event):
      return [
        SpendMove(
          meter: StatementMeter(credential: event.credential, unit: event.unit),
          account: event.account, operation: event.operation, fetch: event.fetch,
          attempt: event.attempt, amounts: SpendAmounts(settled: event.tokens))
      ]
    case .chargeInDoubt(let event):
      return [
        SpendMove(
          meter: StatementMeter(credential: event.credential, unit: event.unit),
          account: started?.account ?? "", operation: started?.operation ?? "",
          fetch: event.fetch, attempt: event.attempt,
          amounts: SpendAmounts(inDoubt: event.tokens))
      ]
    case .chargeResolved(let event):
      let meter = StatementMeter(credential: event.credential, unit: event.unit)
      return event.doubts.map { doubt in
        let was = 0 &- doubt.tokens
        return SpendMove(
          meter: meter, account: doubt.account, operation: doubt.operation, fetch: doubt.fetch,
          attempt: doubt.attempt,
          amounts: SpendAmounts(
            settled: doubt.settled, inDoubt: doubt.wasUnprovable ? 0 : was,
            unprovable: doubt.unprovable &+ (doubt.wasUnprovable ? was : 0)))
      }
    default: return []
    }
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("credential", meter.credential)
      json.field("unit", meter.unit)
      json.field("account", account)
      json.field("operation", operation)
      json.field("fetch", fetch)
      json.field("attempt", attempt)
      amounts.write(to: &json)
    }
  }
}

/// The three sums that a statement is about. Together they are what is spent at most; `settled` alone at least.
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

/// A meter by its bytes, as in the tables; in byte order.
package struct StatementMeter: Hashable, Comparable, Sendable {
  package let credential: String
  package let unit: String

  package static func == (left: StatementMeter, right: StatementMeter) -> Bool {
    left.bytes == right.bytes
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

  package static func < (left: StatementMeter, right: StatementMeter) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  private var bytes: [UInt8] { Array(credential.utf8) + [0] + Array(unit.utf8) }
}

/// Sums by meter.
package struct SpendSums: Hashable, Sendable {
  package private(set) var byMeter: [StatementMeter: SpendAmounts] = [:]

  package init() {}

  package mutating func add(_ amounts: SpendAmounts, to meter: StatementMeter) {
    byMeter[meter, default: SpendAmounts()] += amounts
  }

  mutating func add(_ move: SpendMove) { add(move.amounts, to: move.meter) }

  mutating func add(_ other: SpendSums) {
    for (meter, amounts) in other.byMeter { add(amounts, to: meter) }
  }

  package subscript(meter: StatementMeter) -> SpendAmounts { byMeter[meter] ?? SpendAmounts() }

  package var meters: [StatementMeter] { byMeter.keys.sorted() }

  /// One JSON object per meter, in byte order.
  var rows: [[UInt8]] {
    meters.map { meter in
      var json = JSONWriter()
      json.object { json in
        json.field("credential", meter.credential)
        json.field("unit", meter.unit)
        self[meter].write(to: &json)
      }
      return json.bytes
    }
  }
}
