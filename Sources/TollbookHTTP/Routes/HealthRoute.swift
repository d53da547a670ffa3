import Hummingbird
import JSONText
import LMDB
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /health` and `GET /`: how Tollbook is. Always status 200 while it answers at all.
  func addHealth(to router: Router<TollbookContext>) {
    let health: Handler = { _, _ in try answerHealth() }
    router.route("/", get: health)
    router.route("/health", get: health)
  }

  private func answerHealth() throws -> Response {
    let figures = try CacheFigures(self)
    let state = try Health(self)
    let upstream = gateway.status
    let head = log.head
    return .object(position: head) { json in
      json.field("status", state.status)
      if !state.reasons.isEmpty {
        json.array("reasons", state.reasons) { json, reason in
          json.object { json in
            json.field("reason", reason.name)
            json.field("detail", reason.detail)
          }
        }
      }
      json.field("service", "tollbook")
      json.field("version", settings.version)
      json.field("simulated", gateway.isSimulated)
      json.field("started_at", settings.startTime)
      json.field("cache_enabled", gateway.settings.isCacheOn)
      json.object("cache_stats") { figures.write(to: &$0) }
      json.object("upstreams") { json in
        json.object("keepa") { json in
          json.field("configured", upstream.isConfigured)
          json.field("state", upstream.state.rawValue)
          json.fieldIfPresent("detail", upstream.detail.isEmpty ? nil : upstream.detail)
        }
      }
      json.field("position", head)
    }
  }
}

/// What is wrong, if anything is.
struct Health {
  struct Reason {
    let name: String
    let detail: String
  }

  private(set) var reasons: [Reason] = []
  private let isReadOnly: Bool

  init(_ service: HTTPService) throws(LogError) {
    switch service.log.writerState {
    case .open: isReadOnly = false
    case .readOnly(let reason):
      isReadOnly = true
      reasons.append(Reason(name: "read_only", detail: reason))
    case .closed:
      isReadOnly = true
      reasons.append(Reason(name: "stopping", detail: "the event log is closed"))
    }
    try addBooks(service)
    let upstream = service.gateway.status
    switch upstream.state {
    case .notConfigured:
      reasons.append(Reason(name: "keepa_not_configured", detail: upstream.detail))
    case .keyRejected: reasons.append(Reason(name: "keepa_key_rejected", detail: upstream.detail))
    case .unknown, .ready, .unreachable: break
    }
  }

  private mutating func addBooks(_ service: HTTPService) throws(LogError) {
    let (parked, meters) = try service.log.readViews { (transaction) throws(LMDBError) in
      (
        try transaction.count(in: service.log.tables.parked),
        try service.ledger.meters(in: transaction)
      )
    }
    if parked > 0 {
      reasons.append(
        Reason(name: "parked_events", detail: "\(parked) events could not be applied by a view"))
    }
    for (key, meter) in meters where meter.residual != 0 {
      reasons.append(
        Reason(
          name: "ledger_residual",
          detail: "the books of \(key) leave \(meter.residual) \(key.unit) over"))
    }
  }

  var status: String { isReadOnly ? "read_only" : reasons.isEmpty ? "ok" : "degraded" }
}
