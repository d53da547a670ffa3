import Hummingbird
import JSONText
import TollbookArchive
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /ledger` and `/ledger/charges`.
  func addLedger(to router: Router<TollbookContext>) {
    router.route(
      "/ledger", scope: .admin, get: { request, _ in try meters(QueryParameters(request)) })
    router.route(
      "/ledger/charges", scope: .admin,
      get: { request, _ in try charges(QueryParameters(request)) })
  }

  private func meters(_ query: QueryParameters) throws -> Response {
    let reader = log.reader
    let asOf = try AsOf(query, log)
    let (position, meters) = try log.read { (transaction) throws(LogError) in
      if let position = asOf?.position {
        return (
          position, try ledger.meters(asOf: position, reader: reader, in: transaction)
        )
      }
      let head = try reader.head(in: transaction)
      return (head, try ledger.meters(in: transaction))
    }
    return .object(position: position) { json in
      json.array("meters", meters) { json, row in
        row.meter.write(row.key, to: &json)
      }
      json.field("position", position)
    }
  }

  private func charges(_ query: QueryParameters) throws -> Response {
    let page = try ChargePage(ChargeQuery(query, log), asOf: AsOf(query, log)?.position, log)
    return .object(position: page.head, capacity: 512 * (page.charges.count + 1)) { json in
      json.array("charges", page.charges) { json, charge in charge.write(to: &json) }
      json.object("sums") { json in
        json.field("charges", page.charges.count)
        let sums = page.sums
        json.field("tokens", sums.count(of: Amount.firstUnit))
        json.array("amounts", sums) { json, sum in sum.write(to: &json) }
      }
      json.field("next", page.next.map { "\($0)" })
      json.field("position", page.head)
    }
  }
}

extension Meter {
  fileprivate func write(_ key: MeterKey, to json: inout JSONWriter) {
    json.object { json in
      key.writeMembers(to: &json)
      let unit = key.unit
      for term in LedgerTerm.allCases { json.amount(term.name, self[term], unit) }
      json.amount("residual", residual, unit)
      if let use {
        return json.object("observed") { json in
          json.amount("used", use.used, unit)
          json.amount("limit", use.limit == 0 ? nil : use.limit, unit)
          json.field("at", use.observed)
        }
      }
      guard let reading else { return json.nullField("observed") }
      json.object("observed") { json in
        json.amount("balance", reading.balance, unit)
        json.field("at", reading.observed)
        json.amount("refill_rate", reading.refillRate, unit)
      }
    }
  }
}

extension LedgerTerm {
  /// As the HTTP API and the metrics call it.
  var name: String {
    switch self {
    case .granted: "granted"
    case .settled: "settled"
    case .reserved: "reserved"
    case .inDoubt: "in_doubt"
    case .unprovable: "unprovable"
    case .unexplained: "unexplained"
    case .free: "free"
    }
  }
}
