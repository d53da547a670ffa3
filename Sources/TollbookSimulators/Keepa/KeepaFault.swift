/// Something that goes wrong on purpose with calls that were let in, `/token` apart. A fault can be limited to a path, such
/// as `/query`.
package enum KeepaFaultKind: String, FaultKind, CaseIterable {
  package static let targetMember = FaultMember.path

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

  package func happens(to path: String) -> Bool { true }

  package var isLate: Bool { [.latency, .slowBody].contains(self) }
}

/// What goes wrong with a call to the simulated Keepa.
package typealias KeepaFault = SimulatorFault<KeepaFaultKind>
/// Which calls to it go wrong, and how.
package typealias KeepaFaults = FaultRules<KeepaFaultKind>

extension KeepaFault {
  /// Whether Keepa takes its tokens although this happens.
  package var isCharged: Bool { kind == .http429 ? false : charges ?? kind.isCharged }
}
