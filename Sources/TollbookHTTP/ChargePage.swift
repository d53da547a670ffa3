import JSONText
import TollbookArchive
import TollbookEvents
import TollbookLog

/// Which charges to list.
struct ChargeQuery {
  let account: String?
  let operation: String?
  /// The positions after the one and up to the other.
  let range: (after: Position, through: Position)
  let limit: Int

  /// - Throws: `Problem`, or `LogError`.
  init(_ query: QueryParameters, _ log: EventLog) throws {
    account = query["account"]
    operation = query["operation"]
    limit = try query.limit()
    let cursor = try query.position("cursor") ?? 0
    let asked = try query.eventRange(in: LogSource(log))
    range = (max(asked.after, cursor), asked.through)
  }

  func wants(_ charge: Charge) -> Bool {
    (account.map(charge.isPaid) ?? true)
      && (operation == nil || charge.operation == operation)
  }
}

/// What became final: the cost of an attempt, what was left of a doubt, or what corrects a charge.
struct Charge {
  let position: Position
  let time: Timestamp
  /// The event that says so.
  let kind: EventKind
  let fetch: Position
  let attempt: UInt32
  let operation: String
  let payers: [Payer]
  let costs: [ChargedCost]
  let shares: [ChargedShare]

  /// The charges that an event makes final. A doubt on a meter that only limits a cost is no charge of its own.
  static func all(in recorded: RecordedEvent) -> [Charge] {
    let postings = recorded.postings
    switch recorded.event {
    case .tokensCharged(let event):
      let costs = postings.compactMap { ChargedCost($0) }
      return [
        Charge(
          recorded, postings, costs: costs,
          shares: event.shares.map { ChargedShare($0, of: costs.filter { !$0.isLimitOnly }) })
      ]
    case .chargeResolved:
      return postings.compactMap { posting in
        guard let cost = ChargedCost(posting), !cost.isLimitOnly, cost.amount != 0 else {
          return nil
        }
        return Charge(recorded, [posting], costs: [cost], shares: [])
      }
    case .chargeCorrected:
      return [
        Charge(recorded, postings, costs: postings.compactMap { ChargedCost($0) }, shares: [])
      ]
    default: return []
    }
  }

  private init(
    _ recorded: RecordedEvent, _ postings: [Posting], costs: [ChargedCost], shares: [ChargedShare]
  ) {
    position = recorded.position
    time = recorded.time
    kind = recorded.event.kind
    fetch = postings.first?.fetch ?? 0
    attempt = postings.first?.attempt ?? 0
    operation = postings.first?.operation ?? ""
    payers = postings.first?.payers ?? []
    self.costs = costs
    self.shares = shares
  }

  /// What it cost, without what only limits that.
  var spending: [ChargedCost] { costs.filter { !$0.isLimitOnly } }

  func isPaid(by account: String) -> Bool {
    payers.contains { $0.account.utf8.elementsEqual(account.utf8) }
  }

  /// The account, the meter and the amount stand beside the others where there is one of each.
  func write(to json: inout JSONWriter) {
    let only = spending.count == 1 ? spending[0] : nil
    json.object { json in
      json.field("position", position)
      json.field("time", time)
      json.field("event", kind.name)
      json.field("fetch", fetch)
      json.field("attempt", attempt)
      if payers.count == 1 {
        json.field("account", payers[0].account)
        if !payers[0].tags.isEmpty { json.array("tags", payers[0].tags) }
      } else {
        json.array("payers", payers.enumerated()) { json, payer in write(payer, to: &json) }
      }
      json.field("operation", operation)
      if let only, payers.count == 1 {
        only.meter.writeMembers(to: &json)
        json.amount("tokens", only.amount, only.meter.unit)
        json.amount("expected", only.expected, only.meter.unit)
      }
      json.array("amounts", costs) { json, cost in cost.write(to: &json) }
      json.array("shares", shares) { json, share in
        share.write(of: spending, to: &json)
      }
    }
  }

  private func write(_ payer: (offset: Int, element: Payer), to json: inout JSONWriter) {
    json.object { json in
      json.field("account", payer.element.account)
      json.array("tags", payer.element.tags)
      json.array("amounts", spending) { json, cost in
        Amount(cost.parts[payer.offset], cost.meter.unit).write(to: &json)
      }
    }
  }
}

/// What a charge comes to on one meter.
struct ChargedCost {
  let meter: MeterKey
  let amount: Int64
  /// By our price list; nil for a doubt and for a correction.
  let expected: Int64?
  let basis: Basis?
  /// Another one tells this cost.
  let isLimitOnly: Bool
  /// What each payer has of it.
  let parts: [Int64]

  /// Nil: the posting makes nothing final.
  init?(_ posting: Posting) {
    switch posting.change {
    case .charged(let amount, _):
      (self.amount, expected, basis) = (amount, posting.expected, posting.basis)
      parts = posting.shares
    case .closed(let doubt):
      (amount, expected, basis) = (doubt.settled, nil, nil)
      parts = posting.divided(doubt.settled)
    case .corrected(let difference):
      (amount, expected, basis) = (difference, nil, nil)
      parts = posting.shares
    default: return nil
    }
    meter = posting.page
    isLimitOnly = posting.isLimitOnly
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      meter.writeMembers(to: &json)
      json.amount("amount", amount, meter.unit)
      json.amount("expected", expected, meter.unit)
      json.field("basis", basis.map { $0 == .price ? "price" : "told" })
      json.field("limit_only", isLimitOnly)
    }
  }
}

/// What of a charge is one resource's.
struct ChargedShare {
  let resource: String
  /// One for each cost that is not only limited.
  let amounts: [Int64]

  init(_ share: Share, of costs: [ChargedCost]) {
    resource = share.resource
    amounts = share.amounts.isEmpty && costs.count == 1 ? [share.tokens] : share.amounts
  }

  func write(of costs: [ChargedCost], to json: inout JSONWriter) {
    json.object { json in
      json.field("resource", resource)
      if costs.count == 1, amounts.count == 1 {
        json.amount("tokens", amounts[0], costs[0].meter.unit)
      }
      json.array("amounts", zip(costs, amounts)) { json, part in
        Amount(part.1, part.0.meter.unit).write(to: &json)
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

  /// What the charges come to, once for each unit.
  var sums: [Amount] {
    charges.reduce(into: []) { sums, charge in
      for cost in charge.spending { sums.add(cost.amount, cost.meter.unit) }
    }
  }

  /// - Parameter asOf: the position after which nothing is shown; nil for the head.
  init(_ query: ChargeQuery, asOf: Position? = nil, _ log: EventLog) throws(LogError) {
    let reader = log.reader
    let index = log.index
    var page = (charges: [Charge](), next: Position?.none, head: Position(0))
    try log.read { (transaction) throws(LogError) in
      page.head = try reader.head(in: transaction)
      page.head = min(page.head, asOf ?? .max)
      let end = min(page.head, query.range.through)
      let start = query.range.after
      let limit = Self.scanLimit
      var found: [Position] = []
      for kind in [EventKind.tokensCharged, .chargeResolved, .chargeCorrected] {
        found += try index.positions(of: kind, after: start, limit: limit, in: transaction)
      }
      found = found.filter { $0 <= end }.sorted()
      var last = start
      for (count, position) in found.enumerated() {
        guard page.charges.count < query.limit, count < Self.scanLimit else {
          page.next = last
          return
        }
        last = position
        guard let event = try reader.event(at: position, in: transaction) else { continue }
        page.charges += Charge.all(in: event).filter(query.wants)
      }
      if found.count >= Self.scanLimit { page.next = last }
    }
    (charges, next, head) = page
  }
}
