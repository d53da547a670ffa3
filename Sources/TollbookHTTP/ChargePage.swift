import JSONText
import LMDB
import TollbookEvents
import TollbookLog

/// Which charges to list.
struct ChargeQuery {
  let account: String?
  let operation: String?
  let from: Timestamp?
  /// Not included.
  let to: Timestamp?
  let cursor: Position
  let limit: Int

  init(_ query: QueryParameters) throws(Problem) {
    account = query["account"]
    operation = query["operation"]
    from = try query.instant("from")
    to = try query.instant("to")
    cursor = try query.position("cursor") ?? 0
    limit = try query.limit()
    if let from, let to, from > to {
      throw Problem(.invalidParameter, "from is after to", field: "from")
    }
  }

  func wants(_ charge: Charge) -> Bool {
    (account == nil || charge.account == account)
      && (operation == nil || charge.operation == operation)
  }
}

/// Tokens that became final: the cost of an attempt, or what was left of a doubt.
struct Charge {
  let position: Position
  let time: Timestamp
  /// The event that says so.
  let kind: EventKind
  let fetch: Position
  let attempt: UInt32
  let account: String
  let operation: String
  let credential: String
  let unit: String
  let tokens: Int64
  /// By our price list; nil for a doubt.
  let expected: Int64?
  let shares: [Share]

  /// The charges that an event makes final.
  static func all(in recorded: RecordedEvent) -> [Charge] {
    switch recorded.event {
    case .tokensCharged(let event):
      [
        Charge(
          position: recorded.position, time: recorded.time, kind: .tokensCharged,
          fetch: event.fetch, attempt: event.attempt, account: event.account,
          operation: event.operation, credential: event.credential, unit: event.unit,
          tokens: event.tokens, expected: event.expected, shares: event.shares)
      ]
    case .chargeResolved(let event):
      event.doubts.filter { $0.settled != 0 }.map { doubt in
        Charge(
          position: recorded.position, time: recorded.time, kind: .chargeResolved,
          fetch: doubt.fetch, attempt: doubt.attempt, account: doubt.account,
          operation: doubt.operation, credential: event.credential, unit: event.unit,
          tokens: doubt.settled, expected: nil, shares: [])
      }
    default: []
    }
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("position", position)
      json.field("time", time)
      json.field("event", kind.name)
      json.field("fetch", fetch)
      json.field("attempt", attempt)
      json.field("account", account)
      json.field("operation", operation)
      json.field("credential", credential)
      json.field("unit", unit)
      json.field("tokens", tokens)
      json.field("expected", expected)
      json.array("shares", shares) { json, share in
        json.object { json in
          json.field("resource", share.resource)
          json.field("tokens", share.tokens)
        }
      }
    }
  }
}

/// A page of charges in the order of the log.
struct ChargePage {
  /// The most events looked at for one page, so that no read takes long.
  private static let scanLimit = 5_000

  private(set) var charges: [Charge] = []
  /// The cursor of the next page; nil at the end.
  private(set) var next: Position?
  /// What the page reflects.
  private(set) var head: Position = 0

  /// - Parameter asOf: the position after which nothing is shown; nil for the head.
  init(_ query: ChargeQuery, asOf: Position? = nil, _ log: EventLog) throws(LogError) {
    let reader = log.reader
    let index = log.index
    var page = (charges: [Charge](), next: Position?.none, head: Position(0))
    try log.read { (transaction) throws(LogError) in
      page.head = try reader.head(in: transaction)
      let end = min(page.head, asOf ?? .max)
      page.head = end
      var start = query.cursor
      if let from = query.from {
        start = max(start, try reader.lastPosition(before: from, in: transaction))
      }
      let found: [Position]
      do throws(LMDBError) {
        let limit = Self.scanLimit
        found =
          (try index.positions(of: .tokensCharged, after: start, limit: limit, in: transaction)
          + index.positions(of: .chargeResolved, after: start, limit: limit, in: transaction))
          .filter { $0 <= end }.sorted()
      } catch { throw .storage(error) }
      var last = start
      for (count, position) in found.enumerated() {
        guard page.charges.count < query.limit, count < Self.scanLimit else {
          page.next = last
          return
        }
        last = position
        guard let event = try reader.event(at: position, in: transaction) else { continue }
        if let to = query.to, event.time >= to { return }
        page.charges += Charge.all(in: event).filter(query.wants)
      }
      if found.count >= Self.scanLimit { page.next = last }
    }
    (charges, next, head) = page
  }
}
