package import HTTPTypes
package import TollbookEvents
package import TollbookGateway

/// A limit as draft 10 of the RateLimit header fields for HTTP tells it.
struct RateLimitField: Hashable, Sendable {
  /// The most that a number of a header field may be (RFC 9651, section 3.3.1).
  private static let most: Int64 = 999_999_999_999_999

  var name: String
  var quota: Int64
  /// In what is counted; nil: requests.
  var unit: String?
  /// The length of its window in seconds; nil: it has no fixed one.
  var window: Int64?
  var left: Int64
  /// In how many seconds there is more; nil: waiting does not help, or nobody knows.
  var resets: Int64?

  /// Adds it to the lists that the two fields are.
  func write(to headers: inout HTTPFields) {
    var policy = "\(Self.text(name));q=\(Self.number(quota))"
    if let unit { policy += ";qu=\(Self.text(unit))" }
    if let window { policy += ";w=\(Self.number(window))" }
    var limit = "\(Self.text(name));r=\(Self.number(left))"
    if let resets { limit += ";t=\(Self.number(resets))" }
    for (field, value) in [(HeaderName.rateLimitPolicy, policy), (.rateLimit, limit)] {
      headers[field] = headers[field].map { "\($0), \(value)" } ?? value
    }
  }

  private static func number(_ number: Int64) -> Int64 { min(max(0, number), most) }

  /// A text between quotes (RFC 9651, section 3.3.3).
  private static func text(_ text: String) -> String {
    var quoted = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        quoted += "\\" + String(UnicodeScalar(byte))
      case 0x20...0x7e: quoted += String(UnicodeScalar(byte))
      default: quoted += "_"
      }
    }
    return quoted + "\""
  }
}

extension RateLimitField {
  /// A budget that has said no.
  ///
  /// - Parameter retryAt: when there is room; nil: waiting does not help.
  init(_ budget: BudgetRefusal, retryAt: Timestamp?, at now: Timestamp) {
    name = budget.tag.isEmpty ? budget.name : "\(budget.name) \(budget.tag)"
    quota = budget.limit
    unit = budget.unit
    window = budget.windowSeconds
    left = budget.free
    resets = retryAt.map { max(0, ($0.milliseconds &- now.milliseconds &+ 999) / 1_000) }
  }
}

extension HTTPFields {
  /// Tells of the budgets that have said no the tightest: the one that is the last to have room.
  package mutating func tell(refusals problems: some Sequence<PurchaseProblem>, at now: Timestamp) {
    let tightest = problems.filter { $0.budget != nil }.max {
      ($0.retryAt?.milliseconds ?? .max) < ($1.retryAt?.milliseconds ?? .max)
    }
    guard let tightest, let budget = tightest.budget else { return }
    RateLimitField(budget, retryAt: tightest.retryAt, at: now).write(to: &self)
  }
}
