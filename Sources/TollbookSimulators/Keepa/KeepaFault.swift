/// Something that goes wrong on purpose with calls that were let in, `/token` apart.
package struct KeepaFault: CountedFault, Sendable, Equatable, Codable {
  /// What goes wrong.
  package enum Kind: String, Sendable, Codable, CaseIterable {
    /// 500 with an envelope and an error. Not charged unless said so.
    case http500
    /// 503 with a web page. Not charged unless said so.
    case http503
    /// 429 although there are tokens. Never charged.
    case http429
    /// Half of the body, a stall, the rest. Charged unless said otherwise.
    case slowBody = "slow_body"
    /// `Content-Length` promises more than arrives before the connection closes. Charged.
    case cutBody = "cut_body"
    /// The connection closes between two chunks. Charged.
    case cutChunks = "cut_chunks"
    /// The connection closes without an answer. Charged.
    case drop
    /// 200 with an error and no products. Not charged.
    case error200
    /// 200 with a web page. Not charged.
    case html200
    /// The first product is missing from the answer; other answers are whole. Charged.
    case missingProduct = "missing_product"
    /// Everything is as it should be, but late. Charged.
    case latency
    /// A picture is no PNG, although it says so; other answers are whole. Charged.
    case notPNG = "not_png"

    /// Whether Keepa takes its tokens if the fault does not say.
    package var isCharged: Bool {
      switch self {
      case .http500, .http503, .http429, .error200, .html200: false
      case .slowBody, .cutBody, .cutChunks, .drop, .missingProduct, .latency, .notPNG: true
      }
    }
  }

  /// What goes wrong.
  package var kind: Kind
  /// It happens only to calls of this path, such as `/query`; nil: of any.
  package var path: String?
  /// It happens to the next so many calls; counts down. Nil: `probability` decides.
  package var next: Int?
  /// It happens to each call with this probability, repeatably by `seed`.
  package var probability: Double?
  /// The seed of `probability`.
  package var seed: UInt64?
  /// Overrides whether the call is charged.
  package var charges: Bool?
  /// How long a slow body stalls or a late answer is late. Default 15 s, past clients' patience.
  package var milliseconds: Int?
  /// How many calls it was asked about.
  var draws: Int?

  /// A fault that happens to the next calls.
  package init(
    _ kind: Kind, next: Int, of path: String? = nil, charges: Bool? = nil, milliseconds: Int? = nil
  ) {
    self.kind = kind
    self.path = path
    self.next = next
    self.charges = charges
    self.milliseconds = milliseconds
  }

  /// A fault that happens now and then.
  package init(
    _ kind: Kind, probability: Double, seed: UInt64, of path: String? = nil,
    charges: Bool? = nil, milliseconds: Int? = nil
  ) {
    self.kind = kind
    self.path = path
    self.probability = probability
    self.seed = seed
    self.charges = charges
    self.milliseconds = milliseconds
  }

  /// Whether Keepa takes its tokens although this happens.
  package var isCharged: Bool {
    kind == .http429 ? false : charges ?? kind.isCharged
  }

  /// `milliseconds`, or the default.
  package var delay: Int { milliseconds ?? 15_000 }
}

/// All faults in force. The first that strikes a call is the one that happens to it.
package typealias KeepaFaults = FaultRules<KeepaFault>

extension KeepaFaults {
  /// The fault that happens to one more call of a path.
  mutating func strike(_ path: String = "/product") -> KeepaFault? {
    strike { $0.path ?? path == path }
  }
}
