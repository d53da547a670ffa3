import Hummingbird
import JSONText
import LMDB
import TollbookEvents
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /ledger` and `/ledger/charges`.
  func addLedger(to router: Router<TollbookContext>) {
    router.route("/ledger", get: { _, _ in try meters() })
    router.route("/ledger/charges", get: { request, _ in try charges(QueryParameters(request)) })
  }

  private func meters() throws -> Response {
    let reader = log.reader
    let (head, meters) = try log.read { (transaction) throws(LogError) in
      let head = try reader.head(in: transaction)
      do throws(LMDBError) { return (head, try ledger.meters(in: transaction)) } catch {
        throw .storage(error)
      }
    }
    return .object(position: head) { json in
      json.array("meters", meters) { json, row in
        row.meter.write(row.key, to: &json)
      }
      json.field("position", head)
    }
  }

  private func charges(_ query: QueryParameters) throws -> Response {
    let page = try ChargePage(ChargeQuery(query), log)
    return .object(position: page.head, capacity: 512 * (page.charges.count + 1)) { json in
      json.array("charges", page.charges) { json, charge in charge.write(to: &json) }
      json.object("sums") { json in
        json.field("charges", page.charges.count)
        json.field("tokens", page.charges.reduce(0) { $0 + $1.tokens })
      }
      json.field("next", page.next.map { "\($0)" })
      json.field("position", page.head)
    }
  }
}

extension Meter {
  fileprivate func write(_ key: MeterKey, to json: inout JSONWriter) {
    json.object { json in
      json.field("credential", key.credential)
      json.field("unit", key.unit)
      for term in LedgerTerm.allCases { json.field(term.name, self[term]) }
      json.field("residual", residual)
      guard let reading else { return json.nullField("observed") }
      json.object("observed") { json in
        json.field("balance", reading.balance)
        json.field("at", reading.observed)
        json.field("refill_rate", reading.refillRate)
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
