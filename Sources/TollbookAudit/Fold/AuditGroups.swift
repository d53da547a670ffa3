/// By what an audit divides its sums.
package enum AuditGrouping: String, CaseIterable, Sendable {
  case day, hour, account, credential, operation, kind, resource

  /// Whether groups are stretches of time, to be shown in their order.
  package var isTime: Bool { self == .day || self == .hour }

  /// Whether one charge may belong to several groups: its amounts are divided, and counts are of what touches a group.
  package var divides: Bool { self == .account || dividesByResource }

  /// Whether groups are resources or classes of them.
  package var dividesByResource: Bool { self == .kind || self == .resource }
}

/// The sums of each group, and of all. Units are numbers here, as the fold gives them.
struct AuditGroups: Sendable {
  enum Key: Hashable, Sendable {
    case time(Int64)
    case name(Int)
    /// What the log does not tell: no resource, or a call that began before the log's base.
    case unknown
  }

  struct Sums: Sendable {
    var counts = AuditCounts()
    /// At the numbers of the units.
    private(set) var amounts: [UnitAmounts] = []

    mutating func add(_ delta: UnitAmounts, unit: Int) {
      while amounts.count <= unit { amounts.append(.zero) }
      amounts[unit] += delta
    }
  }

  private(set) var total = Sums()
  private(set) var sums: [(key: Key, sums: Sums)] = []
  private var places: [Key: Int] = [:]
  private var last = 0

  /// Adds to a group and to the total.
  mutating func add(_ delta: AuditCounts, to key: Key) {
    addToTotal(delta)
    addToGroup(delta, key)
  }

  mutating func add(_ delta: UnitAmounts, unit: Int, to key: Key) {
    addToTotal(delta, unit: unit)
    addToGroup(delta, unit: unit, key)
  }

  mutating func addToTotal(_ delta: AuditCounts) { total.counts += delta }

  mutating func addToTotal(_ delta: UnitAmounts, unit: Int) { total.add(delta, unit: unit) }

  mutating func addToGroup(_ delta: AuditCounts, _ key: Key) {
    let place = place(of: key)
    sums[place].sums.counts += delta
  }

  mutating func addToGroup(_ delta: UnitAmounts, unit: Int, _ key: Key) {
    let place = place(of: key)
    sums[place].sums.add(delta, unit: unit)
  }

  private mutating func place(of key: Key) -> Int {
    if last < sums.count, sums[last].key == key { return last }
    if let known = places[key] {
      last = known
    } else {
      last = sums.count
      places[key] = last
      sums.append((key, Sums()))
    }
    return last
  }
}

/// The groups that an event touches, so that it counts once in each.
struct TouchedGroups {
  private(set) var keys: [AuditGroups.Key] = []

  /// - Returns: whether the group had not been touched before.
  @discardableResult
  mutating func insert(_ key: AuditGroups.Key) -> Bool {
    if keys.last == key || keys.contains(key) { return false }
    keys.append(key)
    return true
  }
}
