import Foundation
import TollbookEvents

extension EventGenerator {
  private static let people = ["acme", "zeta", composed, decomposed]
  private static let budgetNames = ["spring", "spring2", composed, decomposed]

  /// Something happens to an account, an access key or a budget.
  mutating func administer() {
    guard formats != .first else { return }
    switch random.int(0...9) {
    case 0, 1: openAccount()
    case 2: closeAccount()
    case 3, 4: _ = issueKey(replacing: "")
    case 5: rotateKey()
    case 6: revokeKey()
    case 7, 8: setBudget()
    default: removeBudget()
    }
  }

  private mutating func openAccount() {
    // Some names are the beginnings of others.
    let id = random.pick(Self.people) + random.pick(["", "", "-\(random.int(0...99))"])
    guard model.accounts[bytes(id)] == nil else { return }
    var event = AccountOpened()
    event.account = id
    event.name = random.pick(["", Self.composed, "Acme Retail"])
    event.timeZone = random.pick(["UTC", "Europe/Berlin"])
    event.actor = "somebody"
    emit(.accountOpened(event))
    model.accounts[bytes(id)] = LogModel.Account(
      name: bytes(event.name), timeZone: bytes(event.timeZone), opened: time)
  }

  private mutating func closeAccount() {
    let open = model.accounts.filter { $0.value.closed == nil }.keys
    guard let id = pick(open) else { return }
    var event = AccountClosed()
    event.account = text(id)
    event.actor = "somebody"
    emit(.accountClosed(event))
    model.accounts[id]?.closed = time
  }

  /// One of some texts, whatever their order in a dictionary is.
  private mutating func pick(_ texts: some Collection<LogModel.Text>) -> LogModel.Text? {
    guard !texts.isEmpty else { return nil }
    return random.pick(texts.sorted { $0.lexicographicallyPrecedes($1) })
  }

  // MARK: Access keys

  private mutating func issueKey(replacing other: String) -> Bool {
    let id = "k\(random.int(0...9_999))"
    guard model.accessKeys[bytes(id)] == nil else { return false }
    var event = AccessKeyIssued()
    event.accessKey = id
    event.account = random.pick(Self.people)
    event.digest = Data(random.bytes(32))
    event.scopes = random.pick([["admin"], ["fetch", "read"], []])
    event.kinds = random.pick([[], ["keepa.product", Self.composed]])
    event.expiresMs = random.chance(40) ? time.milliseconds + random.int64(1...9_000_000) : 0
    event.requestsPerMinute = random.chance(30) ? UInt32(random.int(1...900)) : 0
    event.replaces = other
    event.actor = "somebody"
    emit(.accessKeyIssued(event))
    model.accessKeys[bytes(id)] = LogModel.AccessKey(
      account: bytes(event.account), digest: [UInt8](event.digest),
      scopes: event.scopes.map { bytes($0) }, kinds: event.kinds.map { bytes($0) }, issued: time,
      expires: event.expiresMs == 0 ? nil : Timestamp(milliseconds: event.expiresMs),
      requestsPerMinute: event.requestsPerMinute, replaces: bytes(other))
    return true
  }

  /// Two events of one decision.
  private mutating func rotateKey() {
    guard let old = pick(model.accessKeys.keys), issueKey(replacing: text(old)) else { return }
    revoke(old)
  }

  private mutating func revokeKey() {
    if let id = pick(model.accessKeys.keys) { revoke(id) }
  }

  private mutating func revoke(_ id: LogModel.Text) {
    var event = AccessKeyRevoked()
    event.accessKey = text(id)
    event.fromMs = time.milliseconds + random.int64(0...3_600_000)
    event.actor = "somebody"
    emit(.accessKeyRevoked(event))
    model.accessKeys[id]?.revoked = Timestamp(milliseconds: event.fromMs)
  }

  // MARK: Budgets

  /// One is made, made again after it was removed, or changed.
  private mutating func setBudget() {
    let name = random.pick(Self.budgetNames)
    let before = model.budgets[bytes(name)]
    var event = BudgetSet()
    event.budget = name
    event.scope.account = random.pick(["", "acme", Self.composed, Self.decomposed])
    event.scope.accessKey = random.pick(["", "key-1"])
    event.scope.credential = random.pick(["", Self.composed])
    event.scope.upstream = random.pick(["", "keepa"])
    event.scope.operation = random.pick(["", "keepa.product"])
    event.scope.tag = random.pick(["", "user=*", "user=ann"])
    event.unit = random.pick(["tokens", "EUR"])
    event.limit = amount(0...90_000)
    event.span = random.pick([.total, .minute, .hour, .day, .week, .month, .rolling])
    event.rollingSeconds = event.span == .rolling ? random.int64(60...90_000) : 0
    event.timeZone = random.pick(["", "UTC", "Europe/Berlin"])
    event.soft = random.chance(30)
    event.paused = random.chance(20)
    event.thresholds = random.pick([[], [50, 80, 95, 100]])
    event.setMs = time.milliseconds - random.int64(0...900)
    event.actor = "somebody"
    emit(.budgetSet(event))
    let isNew = before?.isRemoved ?? true
    let scope = event.scope
    model.budgets[bytes(name)] = LogModel.Budget(
      scope: [
        scope.account, scope.accessKey, scope.credential, scope.upstream, scope.operation,
        scope.tag,
      ].map { bytes($0) },
      unit: bytes(event.unit), limit: event.limit, span: event.span,
      rollingSeconds: event.rollingSeconds, timeZone: bytes(event.timeZone), isSoft: event.soft,
      isPaused: event.paused, thresholds: event.thresholds,
      since: isNew ? Timestamp(milliseconds: event.setMs) : before?.since ?? time,
      edition: (before?.edition ?? 0) + (isNew ? 1 : 0))
  }

  private mutating func removeBudget() {
    guard let name = pick(model.openBudgets.keys) else { return }
    var event = BudgetRemoved()
    event.budget = text(name)
    event.actor = "somebody"
    emit(.budgetRemoved(event))
    model.budgets[name]?.isRemoved = true
  }
}
