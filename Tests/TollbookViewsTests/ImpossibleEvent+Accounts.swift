import TollbookEvents

extension ImpossibleEvent {
  /// An account that is open and one that was closed; an access key; a budget, and one that was removed.
  static let accountsBefore: [Event] = [
    .accountOpened(make { $0.account = "open" }),
    .accountOpened(make { $0.account = "closed" }),
    .accountClosed(make { $0.account = "closed" }),
    .accessKeyIssued(make { $0.accessKey = "k1" }),
    .budgetSet(make { $0.budget = "spring" }),
    .budgetSet(make { $0.budget = "removed" }),
    .budgetRemoved(make { $0.budget = "removed" }),
  ]

  static let accounts = [
    ImpossibleEvent(
      "an account that is opened twice", .accountOpened(make { $0.account = "open" })),
    .init("an account that is opened anew", .accountOpened(make { $0.account = "closed" })),
    .init(
      "an account that cannot be a key",
      .accountOpened(make { $0.account = String(repeating: "a", count: 512) })),
    .init("an account without a name", .accountOpened(AccountOpened())),
    .init("an account that is closed twice", .accountClosed(make { $0.account = "closed" })),
    .init("an account that was never opened", .accountClosed(make { $0.account = "none" })),
    .init("an access key that is issued twice", .accessKeyIssued(make { $0.accessKey = "k1" })),
    .init("an access key without an id", .accessKeyIssued(AccessKeyIssued())),
    .init("an access key that is not known", .accessKeyRevoked(make { $0.accessKey = "k2" })),
    .init("a budget without a name", .budgetSet(BudgetSet())),
    .init(
      "a budget whose name hides another", .budgetSet(make { $0.budget = "spring\u{0}removed" })),
    .init(
      "a budget whose account hides another",
      .budgetSet(make { ($0.budget, $0.scope.account) = ("summer", "a\u{0}b") })),
    .init("a budget that is not there", .budgetRemoved(make { $0.budget = "summer" })),
    .init("a budget that was removed before", .budgetRemoved(make { $0.budget = "removed" })),
  ]
}

extension AccountOpened: EmptyMessage {}
extension AccountClosed: EmptyMessage {}
extension AccessKeyIssued: EmptyMessage {}
extension AccessKeyRevoked: EmptyMessage {}
extension BudgetSet: EmptyMessage {}
extension BudgetRemoved: EmptyMessage {}
