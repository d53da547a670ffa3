import TollbookEvents

/// Who asks, and who pays.
package struct Principal: Hashable, Sendable {
  package var account: String
  /// The id of the access key that was shown; empty: none was.
  package var accessKey: String
  package var scopes: Set<AccessScope>
  /// Of resources that it may ask for; empty: all.
  package var kinds: [String]
  package var tags: [String]
  /// How many requests its key may make in a minute; 0: any number.
  package var requestsPerMinute: UInt32 = 0
  /// The request with an idempotency key that it makes; nil: it shows none.
  package var request: RequestMark?

  package init(
    account: String, accessKey: String = "", scopes: Set<AccessScope> = [.admin],
    kinds: [String] = [], tags: [String] = []
  ) {
    self.account = account
    self.accessKey = accessKey
    self.scopes = scopes
    self.kinds = kinds
    self.tags = tags
  }

  /// Whether it may do what a scope allows: an administrator may do everything.
  package func may(_ scope: AccessScope) -> Bool {
    scopes.contains(.admin) || scopes.contains(scope)
  }

  /// Whether it may see what belongs to an account.
  package func sees(account: String) -> Bool {
    scopes.contains(.admin) || self.account == account
  }

  /// Whether it may ask for resources of a kind.
  package func mayAsk(for kind: String) -> Bool { kinds.isEmpty || kinds.contains(kind) }

  /// Why it may not have a resource: it is another account's, or of a kind that the access key is not for. Nil: it may.
  func problem(with resource: ResourceKey) -> PurchaseProblem? {
    if let owner = resource.account, !sees(account: owner) {
      return PurchaseProblem(.notAllowed, "it belongs to another account")
    }
    guard mayAsk(for: resource.kind) else {
      return PurchaseProblem(
        .notAllowed, "the access key is not for \(resource.kind)")
    }
    return nil
  }

  /// Who did it, as events tell it.
  package var actor: String { accessKey.isEmpty ? "operator" : "access key \(accessKey)" }
}

/// What a client of Tollbook may do. The raw values are part of the HTTP API and of events.
package enum AccessScope: String, Hashable, Sendable, CaseIterable {
  /// Look at what there is.
  case read
  /// Ask for what may have to be bought.
  case fetch
  /// Everything, for every account.
  case admin
}
