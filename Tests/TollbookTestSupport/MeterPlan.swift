import TollbookEvents

/// A meter of the world that an event generator makes histories of.
struct MeterPlan: Sendable {
  enum Windows: Sendable { case none, minute, hour, day }

  var name: LogModel.MeterName
  var windows: Windows
  /// What is granted when a page is first used; 0: the upstream tells what there is.
  var limit: Int64

  /// Whether the upstream tells what is left of it, or of its windows.
  var isReadable: Bool { name.ownerKind == OwnerKind.quotaGroup.rawValue }

  /// The page that counts at an instant.
  func page(at time: Timestamp) -> LogModel.Page {
    let text = time.description
    let window =
      switch windows {
      case .none: ""
      case .minute: "minute \(text.prefix(16))Z"
      case .hour: "hour \(text.prefix(13))Z"
      case .day: "day \(time.day)"
      }
    return LogModel.Page(meter: name, window: Array(window.utf8))
  }

  /// When the window of an instant ends.
  func end(at time: Timestamp) -> Timestamp? {
    let length: Int64
    switch windows {
    case .none: return nil
    case .minute: length = 60_000
    case .hour: length = 3_600_000
    case .day: length = 86_400_000
    }
    return Timestamp(milliseconds: (time.milliseconds / length + 1) * length)
  }
}

extension MeterPlan {
  /// Meters of several owners and units, with and without windows: some by a model or a pool, money among them.
  static func all(credentials: [String], accounts: [String]) -> [MeterPlan] {
    var plans: [MeterPlan] = []
    func add(
      _ kind: OwnerKind, _ owner: String, _ unit: String, _ windows: Windows, limit: Int64,
      dimensions: [[String]] = []
    ) {
      let name = LogModel.MeterName(
        ownerKind: kind.rawValue, owner: Array(owner.utf8),
        dimensions: dimensions.map { $0.map { Array($0.utf8) } }, unit: Array(unit.utf8))
      plans.append(MeterPlan(name: name, windows: windows, limit: limit))
    }
    for credential in credentials {
      add(.quotaGroup, credential, "tokens", .none, limit: 0)
      add(.quotaGroup, credential, "requests", .minute, limit: 60)
    }
    let flash = [["model", "flash"], ["tier", ""]]
    add(.quotaGroup, "project", "tokens", .day, limit: 100_000, dimensions: flash)
    add(.quotaGroup, "project", "tokens", .hour, limit: 9_000, dimensions: [["model", "flash"]])
    add(.quotaGroup, "project", "requests", .none, limit: 0, dimensions: [["pool", "catalog"]])
    for account in accounts.dropFirst() {
      add(.account, account, "EUR", .none, limit: 50_000_000_000)
    }
    add(.account, accounts[0], "EUR", .hour, limit: 9_000_000_000)
    add(.account, accounts[0], "tokens", .day, limit: 3_000)
    add(.accessKey, "key-1", "requests", .minute, limit: 10)
    add(.budget, "spring", "EUR", .day, limit: 20_000_000_000)
    add(.budget, "spring", "tokens", .none, limit: 5_000)
    return plans
  }

  /// Budgets of many accounts, with windows of each kind in turn.
  static func budgets(ofAccounts accounts: Int, each: Int) -> [MeterPlan] {
    let windows: [Windows] = [.none, .day, .hour, .minute]
    return (0..<accounts).flatMap { account in
      (0..<each).map { number in
        let name = LogModel.MeterName(
          ownerKind: OwnerKind.budget.rawValue,
          owner: Array("account-\(account) budget-\(number)".utf8), dimensions: [],
          unit: Array("tokens".utf8))
        return MeterPlan(
          name: name, windows: windows[number % windows.count], limit: 90_000_000)
      }
    }
  }
}
