import TollbookEvents
import TollbookLog
import TollbookViews

/// The predecessor's tables that are about upstream keys: what there is, and how each stands.
struct TokenTables {
  /// What a key is good for now. Derived from the books: it cannot be set.
  enum Status: String {
    case active = "ACTIVE"
    case expired = "EXPIRED"
    case exceeded = "EXCEEDED"

    /// What stops it comes before what only limits it.
    init(_ credential: Credential, free: Int64?) {
      if credential.status == .rejected {
        self = .expired
      } else if let free, free <= 0 {
        self = .exceeded
      } else {
        self = .active
      }
    }
  }

  private let credentials: [(id: String, credential: Credential)]
  private let meters: [(key: MeterKey, meter: Meter)]

  init(_ ledger: LedgerView, _ reading: borrowing LogReading) throws(LogError) {
    credentials = try ledger.credentials(in: reading)
    meters = try ledger.meters(in: reading).filter { $0.key.ownerKind == .quotaGroup }
  }

  /// The meters of a key, once for each unit.
  private func meters(of id: String) -> [(key: MeterKey, meter: Meter)] {
    meters.filter { $0.key.owner == id }
  }

  /// The keys by their ids; the value of a key is nowhere.
  var master: ViewTable {
    var table = ViewTable(
      "TokenMaster",
      ["TokenID", "CompanyID", "CompanyName", "ApiKey", "Provider", "TotalTokenLimit", "Status"])
    for (id, credential) in credentials {
      let free = meters(of: id).map { $0.meter[.free] }.min()
      let fingerprint = id.split(separator: ":").last.map(String.init) ?? id
      table.rows.append([
        .text(id), .nothing, .nothing, .text("…\(fingerprint)"), .text(credential.upstream),
        .nothing, .text(Status(credential, free: free).rawValue),
      ])
    }
    return table
  }

  /// What each key has spent, in each unit.
  var summary: ViewTable {
    var table = ViewTable(
      "TokenUsageSummary",
      ["TokenID", "Provider", "Unit", "TotalUsed", "InDoubt", "Remaining", "ObservedAt"])
    for (id, credential) in credentials {
      for (key, meter) in meters(of: id) {
        table.rows.append([
          .text(id), .text(credential.upstream), .text(key.unit),
          .amount(meter[.settled], key.unit),
          .amount(meter[.reserved] &+ meter[.inDoubt] &+ meter[.unprovable], key.unit),
          .amount(meter[.free], key.unit), meter.reading.map { .time($0.observed) } ?? .nothing,
        ])
      }
    }
    return table
  }

  /// How each key stands.
  var status: ViewTable {
    var table = ViewTable(
      "vw_TokenStatus", ["TokenID", "Provider", "Status", "Unit", "Remaining", "Detail"])
    for (id, credential) in credentials {
      let own = meters(of: id)
      for (key, meter) in own {
        table.rows.append([
          .text(id), .text(credential.upstream),
          .text(Status(credential, free: meter[.free]).rawValue), .text(key.unit),
          .amount(meter[.free], key.unit), .optional(credential.detail.inOneLine(atMost: 500)),
        ])
      }
      if own.isEmpty {
        table.rows.append([
          .text(id), .text(credential.upstream),
          .text(Status(credential, free: nil).rawValue), .nothing, .nothing,
          .optional(credential.detail.inOneLine(atMost: 500)),
        ])
      }
    }
    return table
  }
}
