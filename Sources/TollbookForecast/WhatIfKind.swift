package import TollbookEvents
package import TollbookGateway

/// What is tried with other windows, and what the replay has to know of it: what belongs to it, what it costs, and of which
/// limit that is spent.
package struct WhatIfKind: Sendable {
  /// What a resource is to the windows that are tried.
  package enum Role: Hashable, Sendable {
    /// They say how long it is fresh.
    case tried
    /// They do not, and calls may bring it together with what they hold for: it is bought as it was.
    case company
    /// It has nothing to do with them.
    case other
  }

  /// The limit of which its calls are paid.
  package enum Limit: Sendable {
    /// What is not spent is there later.
    case bucket(RefillBucket)
    /// So many milliseconds of a clock. What is not spent in one window is not there in the next.
    case window(length: Int64)
    /// What has to be followed of it the record does not tell: what was refused may be bought instead, and what is bought
    /// instead is not refused.
    case untold
  }

  /// Such as `atlas.place`: what the windows of a policy are named by.
  package let name: String
  package let limit: Limit
  package let prices: WhatIfPrices
  package let role: @Sendable (_ resource: ResourceKey) -> Role
  /// What else than the kind's window says how long a resource is fresh; nil: nothing does.
  package let window: @Sendable (_ resource: ResourceKey) -> WhatIfWindow?
  /// Whether an operation buys what is tried.
  package let isOperation: @Sendable (_ operation: String) -> Bool
  /// The windows of which the record says nothing.
  package let standard: FreshnessPolicy

  /// - Parameters:
  ///   - role: nil: the windows are those of all resources of the kind of that name.
  ///   - isOperation: nil: the operation of that name buys it.
  package init(
    _ name: String, limit: Limit, prices: WhatIfPrices,
    standard: FreshnessPolicy = FreshnessPolicy(),
    role: (@Sendable (_ resource: ResourceKey) -> Role)? = nil,
    window: @escaping @Sendable (_ resource: ResourceKey) -> WhatIfWindow? = { _ in nil },
    isOperation: (@Sendable (_ operation: String) -> Bool)? = nil
  ) {
    self.name = name
    self.limit = limit
    self.prices = prices
    self.standard = standard
    self.role = role ?? { $0.kind == name ? .tried : .other }
    self.window = window
    self.isOperation = isOperation ?? { $0 == name }
  }

  var isBucket: Bool { if case .bucket = limit { true } else { false } }
}

/// What purchases cost that are not on the record.
package enum WhatIfPrices: Sendable {
  /// Each resource by its parts, whatever else a call brings.
  ///
  /// - Parameters:
  ///   - bound: the most that a resource with some parts may cost.
  ///   - least: the least that it costs, whether the upstream has it or not.
  case each(
    bound: @Sendable (_ parts: UInt64) -> Int64,
    least: @Sendable (_ parts: UInt64, _ isPresent: Bool) -> Int64)
  /// Each call. It is never dearer than calls for the same resources one by one.
  ///
  /// - Parameters:
  ///   - price: of a call for all of these, at an instant; nil: there is no such call.
  ///   - group: what may be bought in one call has the same; nil: it is bought alone.
  case calls(
    price: @Sendable (_ resources: [ResourceKey], _ at: Timestamp) -> Int64?,
    group: @Sendable (_ resource: ResourceKey) -> String?)
  /// No price list tells: what a resource cost when it was bought, and one that never was what others did.
  case recorded
}

/// What says how long a resource is fresh beside the kind's window.
package struct WhatIfWindow: Sendable {
  /// It is never shorter than that, in milliseconds.
  package let least: Int64
  /// By the provider's clock: the first instant after another one at which what was fetched before is out of date.
  package let next: @Sendable (_ instant: Int64) -> Int64
  /// How much later than the provider's clock says that is by ours, as long as no entry tells, in milliseconds.
  package let lateness: Int64

  package init(
    least: Int64, lateness: Int64, next: @escaping @Sendable (_ instant: Int64) -> Int64
  ) {
    self.least = least
    self.lateness = lateness
    self.next = next
  }
}
