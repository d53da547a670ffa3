import TollbookEvents
package import TollbookLog
import TollbookViews

/// Open an account.
package struct OpenAccount: Sendable {
  /// There can be so many, closed ones included.
  package var most = 100_000
  package var id: String
  package var name: String
  package var timeZone: String
  package var actor: String

  package init(
    id: String, name: String? = nil, timeZone: String? = nil, actor: String
  ) throws(AccountRefusal) {
    try GivenName.check(id, "id")
    let name = name ?? id
    try GivenName.check(text: name, "name")
    let timeZone = timeZone ?? "UTC"
    guard CalendarWindow(.day, zone: timeZone, limit: 0) != nil else {
      throw AccountRefusal(
        .invalid, "time_zone",
        "there is no time zone “\(timeZone.inOneLine(atMost: 100))”; it is a name such as"
          + " Europe/Berlin")
    }
    self.id = id
    self.name = name.inOneLine()
    self.timeZone = timeZone
    self.actor = actor
  }

  func decide(
    _ accounts: AccountsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    if let known = try accounts.account(id, in: state) {
      let end = known.isOpen ? "is open already" : "was closed, and its name is not given again"
      return .refused(.conflict, "id", "the account \(id) \(end)")
    }
    guard try accounts.accountCount(in: state) < most else {
      return .refused(.conflict, "id", "\(most) accounts were opened; there can be no more")
    }
    var event = AccountOpened()
    event.account = id
    event.name = name
    event.timeZone = timeZone
    event.actor = actor
    return Decision(events: [.accountOpened(event)], answer: .success(()))
  }

  package func run(on log: EventLog) async throws {
    let accounts = AccountsView(log)
    try await log.decide { (state, _) throws(LogError) in try decide(accounts, state) }
      .answer.get()
  }
}

/// Close an account: it spends nothing from then on, and its keys open nothing.
package struct CloseAccount: Sendable {
  package var id: String
  package var actor: String

  package init(id: String, actor: String) {
    self.id = id
    self.actor = actor
  }

  func decide(
    _ accounts: AccountsView, _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Result<Void, AccountRefusal>> {
    let name = id.inOneLine(atMost: 100)
    guard let account = try accounts.account(id, in: state) else {
      return .refused(.notFound, "account", "there is no account \(name)")
    }
    guard account.isOpen else {
      return .refused(.conflict, "account", "the account \(name) is closed already")
    }
    let held = try ledger.holds(in: state).filter { hold in
      hold.state != .unprovable && !hold.isLimitOnly
        && hold.payers.contains { $0.account == id }
    }
    guard held.isEmpty else {
      let amounts = held.reduce(into: [Amount]()) { $0.add($1.amount, $1.meter.unit) }
      let text = amounts.map(\.inWords).joined(separator: ", ")
      return .refused(
        .conflict, "account",
        "the account \(name) has \(text) reserved or in doubt; close it when that has ended")
    }
    var event = AccountClosed()
    event.account = id
    event.actor = actor
    return Decision(events: [.accountClosed(event)], answer: .success(()))
  }

  package func run(on log: EventLog) async throws {
    let (accounts, ledger) = (AccountsView(log), LedgerView(log))
    try await log.decide { (state, _) throws(LogError) in
      try decide(accounts, ledger, state)
    }.answer.get()
  }
}

extension AccountsView {
  /// Refuses an account that is not open. The default one needs no opening.
  func refusal(
    ofAccount id: String, default known: String, in state: borrowing LogReading
  ) throws(LogError) -> AccountRefusal? {
    let name = id.inOneLine(atMost: 100)
    guard let account = try account(id, in: state) else {
      return id == known ? nil : AccountRefusal(.notFound, "account", "there is no account \(name)")
    }
    return account.isOpen
      ? nil : AccountRefusal(.conflict, "account", "the account \(name) is closed")
  }
}
