import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /health` and `GET /`: how Tollbook is. Always status 200 while it answers at all.
  func addHealth(to router: Router<TollbookContext>) {
    let health: Handler = { _, _ in answerHealth() }
    router.route("/", get: health)
    router.route("/health", get: health)
  }

  private func answerHealth() -> Response {
    let figures = Result { () throws(LogError) in try CacheFigures(self) }
    let state = Health(self)
    let upstreams = gateway.statuses
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
      if case .success(let figures) = figures {
        json.object("cache_stats") { figures.write(to: &$0) }
      }
      json.object("upstreams") { json in
        for upstream in upstreams {
          json.object(upstream.name) { json in
            json.field("configured", upstream.isConfigured)
            json.field("state", upstream.state.rawValue)
            json.fieldIfPresent("detail", upstream.detail.isEmpty ? nil : upstream.detail)
            json.fieldIfPresent("paused_until", upstream.pausedUntil?.description)
            json.field("simulated", upstream.isSimulated)
          }
        }
      }
      json.field("position", head)
    }
  }
}

extension Health.Reason {
  /// What is wrong with an upstream; nil: nothing, or no more than a call that failed.
  fileprivate init?(_ upstream: UpstreamStatus) {
    switch upstream.state {
    case .notConfigured:
      self.init(name: "\(upstream.name)_not_configured", detail: upstream.detail)
    case .keyRejected:
      self.init(name: "\(upstream.name)_key_rejected", detail: upstream.detail)
    case .simulator: self.init(name: "\(upstream.name)_is_simulated", detail: upstream.detail)
    case .paused:
      let when = upstream.pausedUntil.map { "it is asked again at \($0)" } ?? "one call asks it now"
      self.init(
        name: "\(upstream.name)_paused",
        detail: "too many calls in a row failed, \(when); the last one: \(upstream.detail)")
    case .limited:
      let when = upstream.pausedUntil.map { " until \($0)" } ?? ""
      self.init(
        name: "\(upstream.name)_limited",
        detail: "it takes no calls\(when): \(upstream.detail)")
    case .unknown, .ready, .unreachable: return nil
    }
  }
}

/// What is wrong, if anything is.
struct Health {
  struct Reason {
    let name: String
    let detail: String
  }

  /// A reading that began so many commits ago is told: what was freed since cannot be written again.
  static let longestLag = 10_000

  private(set) var reasons: [Reason] = []
  private var isReadOnly = false

  /// - Parameter longestLag: readings that began longer ago, in commits, are told.
  init(_ service: HTTPService, longestLag: Int = Self.longestLag) {
    do throws(LogError) { try look(at: service, longestLag) } catch {
      reasons.append(Reason(name: "storage_failed", detail: "\(error)"))
    }
    let upstreams = service.gateway.statuses
    // Who uses one upstream does not miss the others.
    let isNone = !upstreams.contains(where: \.isConfigured)
    reasons += upstreams.filter { $0.isConfigured || isNone }.compactMap(Reason.init)
    reasons += service.systems.flatMap { $0.concerns() }.map { concern in
      Reason(name: concern.name, detail: concern.detail)
    }
  }

  private mutating func look(at service: HTTPService, _ longestLag: Int) throws(LogError) {
    let shortage = try service.log.shortage()
    if service.log.writerState == .closed {
      isReadOnly = true
      reasons.append(Reason(name: "stopping", detail: "the event log is closed"))
    } else if let shortage {
      isReadOnly = true
      reasons.append(Reason(name: "read_only", detail: shortage))
    }
    try addReaders(service, longestLag)
    if let ahead = try service.log.clockAhead() {
      reasons.append(Reason(name: "clock_ahead", detail: "\(ahead)"))
    }
    try addBooks(service)
  }

  private mutating func addReaders(
    _ service: HTTPService, _ longestLag: Int
  ) throws(LogError) {
    for reader in try service.log.space().readers where reader.lag >= longestLag {
      reasons.append(
        Reason(
          name: "long_reader",
          detail: "process \(reader.process) reads the log since \(reader.lag) commits"
            + " ago; until it has ended its reading the file grows: let it go on or end it"))
    }
  }

  private mutating func addBooks(_ service: HTTPService) throws(LogError) {
    let (parked, meters) = try service.log.read { (transaction) throws(LogError) in
      (
        try service.log.reader.parkedCount(in: transaction),
        try service.ledger.meters(in: transaction)
      )
    }
    if parked > 0 {
      reasons.append(
        Reason(name: "parked_events", detail: "\(parked) events could not be applied by a view"))
    }
    for (key, meter) in meters where meter[.inDoubt] != 0 && !service.gateway.isRead(key) {
      reasons.append(
        Reason(
          name: "doubts_without_reading",
          detail: "\(Amount(meter[.inDoubt], key.unit).inWords) in doubt on \(key), which no"
            + " upstream in use tells of: no reading will settle them; close them with"
            + " `tollbook resolve`"
        ))
    }
    for (key, meter) in meters where meter.residual != 0 {
      reasons.append(
        Reason(
          name: "ledger_residual",
          detail: "the books of \(key) leave \(Amount(meter.residual, key.unit).inWords) over"))
    }
  }

  var status: String { isReadOnly ? "read_only" : reasons.isEmpty ? "ok" : "degraded" }
}
