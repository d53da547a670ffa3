package import TollbookEvents
package import TollbookViews

extension LogModel {
  /// A credential that was put in.
  package struct PutIn: Hashable, Sendable {
    /// Upstream, name, account and unit.
    package var texts: [Text]
    package var limit: Int64?
    package var weight: UInt32
    package var source: CredentialSource
    package var group: Text
    package var status: CredentialStatus
    package var since: Timestamp
    package var order: Position
    package var isRemoved = false
  }

  package struct Cooling: Hashable, Sendable {
    package var until: Timestamp
    package var detail: Text
  }
}

// MARK: As the view has it

extension LogModel.PutIn {
  package init(_ row: CredentialRow) {
    self.init(
      texts: [row.upstream, row.name, row.account, row.unit].map { Array($0.utf8) },
      limit: row.limit, weight: row.weight, source: row.source,
      group: Array(row.quotaGroup.utf8), status: row.status, since: row.since, order: row.order,
      isRemoved: row.isRemoved)
  }
}

extension LogModel.Cooling {
  package init(_ row: CoolingRow) {
    self.init(until: row.until, detail: Array(row.detail.utf8))
  }
}
