import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// The predecessor's tables that are about upstream keys: what there is, and how each stands.
struct TokenTables {
  /// A key, and what it is good for now.
  private struct Token {
    let id: String
    let upstream: String
    var account = ""
    var limit: Int64?
    var unit = ""
    /// Derived from the books, but for what somebody said.
    var status: CredentialStanding.Status
    var detail: String

    init(_ credential: CredentialDescription) {
      (id, upstream) = (credential.id, credential.upstream)
      account = credential.row?.account ?? ""
      limit = credential.row?.limit
      unit = credential.unit
      status = credential.standing.status
      detail = credential.standing.detail
    }

    /// One that is not used any more.
    init(_ id: String, _ credential: Credential) {
      (self.id, upstream) = (id, credential.upstream)
      status = credential.status == .rejected ? .expired : .disabled
      detail = credential.detail
    }

    var statusText: String { status.rawValue.uppercased() }
  }

  private let tokens: [Token]
  private let accountNames: [String: String]
  private let meters: [(key: MeterKey, meter: Meter)]

  /// - Parameter credentials: those that are in use.
  init(
    _ credentials: [CredentialDescription], _ ledger: LedgerView, _ accounts: AccountsView,
    _ reading: borrowing LogReading
  ) throws(LogError) {
    let others = try ledger.credentials(in: reading).filter { known in
      !credentials.contains { $0.id == known.id }
    }
    tokens =
      (credentials.map { Token($0) } + others.map { Token($0.id, $0.credential) })
      .sorted { $0.id < $1.id }
    var names: [String: String] = [:]
    for account in Set(tokens.map(\.account)) where !account.isEmpty {
      names[account] = try accounts.account(account, in: reading)?.name
    }
    accountNames = names
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
    for token in tokens {
      let fingerprint = token.id.split(separator: ":").last.map(String.init) ?? token.id
      table.rows.append([
        .text(token.id), .optional(token.account), .optional(accountNames[token.account]),
        .text("…\(fingerprint)"), .text(token.upstream),
        token.limit.map { .amount($0, token.unit) } ?? .nothing, .text(token.statusText),
      ])
    }
    return table
  }

  /// What each key has spent, in each unit.
  var summary: ViewTable {
    var table = ViewTable(
      "TokenUsageSummary",
      ["TokenID", "Provider", "Unit", "TotalUsed", "InDoubt", "Remaining", "ObservedAt"])
    for token in tokens {
      for (key, meter) in meters(of: token.id) {
        table.rows.append([
          .text(token.id), .text(token.upstream), .text(key.unit),
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
    for token in tokens {
      let own = meters(of: token.id)
      for (key, meter) in own {
        table.rows.append([
          .text(token.id), .text(token.upstream), .text(token.statusText), .text(key.unit),
          .amount(meter[.free], key.unit), .optional(token.detail.inOneLine(atMost: 500)),
        ])
      }
      if own.isEmpty {
        table.rows.append([
          .text(token.id), .text(token.upstream), .text(token.statusText), .nothing, .nothing,
          .optional(token.detail.inOneLine(atMost: 500)),
        ])
      }
    }
    return table
  }
}
