package import TollbookEvents
package import TollbookViews

extension LogModel {
  package struct Account: Hashable, Sendable {
    package var name: Text
    package var timeZone: Text
    package var opened: Timestamp
    package var closed: Timestamp?
  }

  package struct AccessKey: Hashable, Sendable {
    package var account: Text
    package var digest: [UInt8]
    package var scopes: [Text]
    package var kinds: [Text]
    package var issued: Timestamp
    package var expires: Timestamp?
    package var revoked: Timestamp?
    package var requestsPerMinute: UInt32
    package var replaces: Text
  }

  package struct Budget: Hashable, Sendable {
    /// Account, access key, credential, upstream, operation and tag.
    package var scope: [Text]
    package var unit: Text
    package var limit: Int64
    package var span: BudgetSpan
    package var rollingSeconds: Int64
    package var timeZone: Text
    package var isSoft: Bool
    package var isPaused: Bool
    package var thresholds: [UInt32]
    package var since: Timestamp
    /// How often one of that name was made.
    package var edition: UInt32
    package var isRemoved = false
  }

  /// The budgets that were not removed.
  package var openBudgets: [Text: Budget] { budgets.filter { !$0.value.isRemoved } }
}

// MARK: As the view has it

extension LogModel.Account {
  package init(_ row: AccountRow) {
    self.init(
      name: Array(row.name.utf8), timeZone: Array(row.timeZone.utf8), opened: row.opened,
      closed: row.closed)
  }
}

extension LogModel.AccessKey {
  package init(_ row: AccessKeyRow) {
    self.init(
      account: Array(row.account.utf8), digest: row.digest,
      scopes: row.scopes.map { Array($0.utf8) }, kinds: row.kinds.map { Array($0.utf8) },
      issued: row.issued, expires: row.expires, revoked: row.revoked,
      requestsPerMinute: row.requestsPerMinute, replaces: Array(row.replaces.utf8))
  }
}

extension LogModel.Budget {
  package init(_ row: BudgetRow) {
    let scope = row.scope
    self.init(
      scope: [
        scope.account, scope.accessKey, scope.credential, scope.upstream, scope.operation,
        scope.tag,
      ].map { Array($0.utf8) },
      unit: Array(row.unit.utf8), limit: row.limit, span: row.span,
      rollingSeconds: row.rollingSeconds, timeZone: Array(row.timeZone.utf8), isSoft: row.isSoft,
      isPaused: row.isPaused, thresholds: row.thresholds, since: row.since, edition: row.edition,
      isRemoved: row.isRemoved)
  }
}
