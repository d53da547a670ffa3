import Bytes
package import TollbookEvents

/// A credential as the log tells it; its secret is nowhere here.
package struct CredentialRow: Hashable, Sendable {
  package var upstream: String
  /// For people.
  package var name: String
  /// Whose calls it sends; empty: everybody's.
  package var account: String
  /// Of the limit.
  package var unit: String
  /// What it may spend in all; nil: as much as the upstream lets it.
  package var limit: Int64?
  /// How often it is chosen beside others.
  package var weight: UInt32
  package var source: CredentialSource
  /// Whose limits of the upstream it uses.
  package var quotaGroup: String
  /// Accepted, expired or disabled, as somebody said; what the upstream says of it stands in the ledger.
  package var status: CredentialStatus
  /// When it was put in, by the wall clock.
  package var since: Timestamp
  /// Position of the event with which it was put in: the order in which credentials are tried.
  package var order: Position
  package var isRemoved = false
}

/// How long the upstream wants no calls of a quota group, or on a meter.
package struct CoolingRow: Hashable, Sendable {
  /// By our clock. An instant that is over tells when it was limited last.
  package var until: Timestamp
  /// What the upstream said.
  package var detail: String
}

extension CredentialRow {
  /// Its limit as a budget over all that it spends; without a limit one that refuses nothing.
  package func limitRow(of id: String) -> BudgetRow {
    var scope = BudgetRow.Scope()
    scope.credential = id
    return BudgetRow(
      scope: scope, unit: unit, limit: limit ?? .max, span: .total, rollingSeconds: 0,
      timeZone: "UTC", isSoft: limit == nil, isPaused: false, thresholds: [], since: since,
      edition: 1)
  }
}

// MARK: As rows

extension CredentialRow {
  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    upstream = field.text(row)
    name = field.text(row)
    account = field.text(row)
    unit = field.text(row)
    let flags = field.byte(row)
    isRemoved = flags & 1 != 0
    let limit = field.signed(row)
    self.limit = flags & 2 == 0 ? nil : limit
    weight = field.word(row)
    guard let source = CredentialSource(rawValue: Int(field.byte(row))),
      let status = CredentialStatus(rawValue: Int(field.byte(row))),
      CredentialSource.allCases.contains(source), CredentialStatus.allCases.contains(status)
    else { return nil }
    (self.source, self.status) = (source, status)
    quotaGroup = field.text(row)
    since = Timestamp(milliseconds: field.signed(row))
    order = field.unsigned(row)
    guard field.isAtEnd(row) else { return nil }
  }

  var bytes: [UInt8] {
    var row: [UInt8] = []
    for text in [upstream, name, account, unit] { row.append(field: text) }
    row.append((isRemoved ? 1 : 0) | (limit == nil ? 0 : 2))
    row.append(field: limit ?? 0)
    row.append(bigEndian: weight)
    row.append(UInt8(clamping: source.rawValue))
    row.append(UInt8(clamping: status.rawValue))
    row.append(field: quotaGroup)
    row.append(field: since.milliseconds)
    row.append(bigEndian: order)
    return row
  }
}

extension CoolingRow {
  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    until = Timestamp(milliseconds: field.signed(row))
    detail = field.text(row)
    guard field.isAtEnd(row) else { return nil }
  }

  var bytes: [UInt8] {
    var row: [UInt8] = []
    row.append(field: until.milliseconds)
    row.append(field: detail)
    return row
  }
}
