import TollbookEvents
import TollbookLog
import TollbookViews

/// `vw_UsageSummary`: what each company has spent, by operation, branch, user and unit. The sums are those of the rollups,
/// which an audit reads too: they agree to the unit.
struct UsageSummary {
  static let columns = [
    "CompanyID", "CompanyName", "Provider", "Operation", "Branch", "RequestedBy", "Unit",
    "RequestCount", "ChargeCount", "TotalTokens", "InDoubt", "Unprovable", "FirstUsedAt",
    "LastUsedAt",
  ]

  fileprivate struct Key: Hashable, Comparable {
    var account: String
    var operation: String
    var branch: String
    var user: String

    static func < (left: Key, right: Key) -> Bool {
      (left.account, left.operation, left.branch, left.user)
        < (right.account, right.operation, right.branch, right.user)
    }
  }

  fileprivate struct Sums {
    var calls: Int64 = 0
    var charges: [String: Int64] = [:]
    var certain: [String: Int64] = [:]
    var inDoubt: [String: Int64] = [:]
    var unprovable: [String: Int64] = [:]
    var first = UInt64.max
    var last: UInt64 = 0
  }

  private var sums: [Key: Sums] = [:]
  private var names: [String: String] = [:]

  /// - Parameters:
  ///   - account: nil: all.
  ///   - hours: since 1970.
  init(
    of account: String?, hours: Range<UInt64>, _ rollups: RollupView, _ accounts: AccountsView,
    _ reading: borrowing LogReading
  ) throws(LogError) {
    var sums: [Key: Sums] = [:]
    try rollups.scan(hours, in: reading) { (key, row) throws(LogError) in
      guard account == nil || key.account == account else { return .next }
      let payer = Payer(account: key.account, tags: key.tags)
      let place = Key(
        account: key.account, operation: key.operation, branch: payer.tag("branch") ?? "",
        user: payer.tag("user") ?? "")
      sums[place, default: Sums()].add(key, row)
      return .next
    }
    self.sums = sums.filter { $0.value.isOfUse }
    for account in Set(sums.keys.map(\.account)) {
      names[account] = try accounts.account(account, in: reading)?.name
    }
  }

  /// One for each company, operation, branch, user and unit, in that order.
  var rows: [[ViewTable.Cell]] {
    sums.sorted { $0.key < $1.key }.flatMap { key, sums in
      sums.units.enumerated().map { index, unit in
        [
          .text(key.account), .optional(names[key.account]),
          .optional(String(key.operation.prefix { $0 != "." })), .optional(key.operation),
          .optional(key.branch), .optional(key.user), .text(unit),
          // A call may be paid in several units, and counts once.
          .number(index == 0 ? sums.calls : 0), .number(sums.charges[unit] ?? 0),
          .amount(sums.certain[unit] ?? 0, unit), .amount(sums.inDoubt[unit] ?? 0, unit),
          .amount(sums.unprovable[unit] ?? 0, unit),
          .time(RollupKey.start(ofHour: sums.first)), .time(RollupKey.start(ofHour: sums.last)),
        ]
      }
    }
  }
}

extension UsageSummary.Sums {
  fileprivate mutating func add(_ key: RollupKey, _ row: RollupRow) {
    guard !key.unit.isEmpty else {
      // One that several accounts share counts once with each.
      calls &+= row[.calls] &+ row[.callsOfOtherAccounts]
      return
    }
    let count = row[.unitCharges] &+ row[.unitChargesOfOtherAccounts]
    let amounts = [row[.certain], row[.inDoubt], row[.unprovable], count]
    guard amounts.contains(where: { $0 != 0 }) else { return }
    charges[key.unit, default: 0] &+= count
    certain[key.unit, default: 0] &+= row[.certain]
    inDoubt[key.unit, default: 0] &+= row[.inDoubt]
    unprovable[key.unit, default: 0] &+= row[.unprovable]
    first = min(first, key.hour)
    last = max(last, key.hour)
  }

  fileprivate var units: [String] { certain.keys.sorted() }
  fileprivate var isOfUse: Bool { !certain.isEmpty }
}
