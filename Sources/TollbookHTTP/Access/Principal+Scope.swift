package import TollbookGateway
import TollbookViews

extension Principal {
  /// Refuses who may not do what a scope allows.
  package func require(_ scope: AccessScope) throws(Problem) {
    guard !may(scope) else { return }
    let has = scopes.map(\.rawValue).sorted().joined(separator: ", ")
    throw Problem(
      .forbidden, "this needs an access key with the scope \(scope.rawValue); yours has \(has)")
  }

  /// The account that is asked about: for others than administrators their own, whatever is named.
  ///
  /// - Returns: nil: all accounts.
  /// - Throws: if another account is named.
  package func account(named account: String?, field: String = "account") throws(Problem) -> String?
  {
    guard let account else { return may(.admin) ? nil : self.account }
    guard sees(account: account) else {
      throw Problem(
        .forbidden, "the access key is of the account \(self.account), and sees no other",
        field: field)
    }
    return account
  }

  /// Whether it may see a budget: for others than administrators one of their account, or of their key.
  func sees(_ scope: BudgetRow.Scope) -> Bool {
    guard !may(.admin) else { return true }
    if !scope.account.isEmpty { return scope.account == account }
    return !scope.accessKey.isEmpty && scope.accessKey == accessKey
  }
}
