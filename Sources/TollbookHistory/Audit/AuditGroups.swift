/// By what an audit divides its sums.
package enum AuditGrouping: String, CaseIterable, Sendable {
  case day, hour, account, credential, operation, kind, resource

  /// Whether groups are stretches of time, to be shown in their order.
  package var isTime: Bool { self == .day || self == .hour }

  /// Whether one charge may belong to several groups: its tokens are divided, and counts are of what touches a group.
  package var divides: Bool { self == .kind || self == .resource }
}

/// The sums of each group, and of all.
struct AuditGroups: Sendable {
  enum Key: Hashable, Sendable {
    case time(Int64)
    case name(Int)
    /// What the log does not tell: no resource, or a call that began before the log's base.
    case unknown
  }

  private(set) var total = AuditSums()
  private(set) var sums: [(key: Key, sums: AuditSums)] = []
  private var places: [Key: Int] = [:]
  private var last = 0

  /// Adds to a group and to the total.
  mutating func add(_ delta: AuditSums, to key: Key) {
    total += delta
    addToGroup(delta, key)
  }

  mutating func addToTotal(_ delta: AuditSums) { total += delta }

  mutating func addToGroup(_ delta: AuditSums, _ key: Key) {
    let place = place(of: key)
    sums[place].sums += delta
  }

  private mutating func place(of key: Key) -> Int {
    if last < sums.count, sums[last].key == key { return last }
    if let known = places[key] {
      last = known
    } else {
      last = sums.count
      places[key] = last
      sums.append((key, AuditSums()))
    }
    return last
  }
}
