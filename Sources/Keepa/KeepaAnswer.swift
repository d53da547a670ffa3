import JSONText
import TollbookEvents
import TollbookUpstreams

/// An answer that has what was asked for, or at least reads as if: status 200 and Keepa's format.
/// All the others are told apart here, by the fact sheet's section 3.
struct KeepaAnswer {
  let status: Int
  let root: JSONValue
  let envelope: KeepaEnvelope?
  /// The member that was asked for, if it is there.
  let payload: JSONValue?

  static let tooLong = TransportFailure.tooLong.detail

  /// - Parameters:
  ///   - payload: the member that holds what was asked for; nil if the envelope is all.
  ///   - maximumValues: how many values the answer may hold.
  /// - Throws: every failure that needs no look at the payload.
  init(
    status: Int, body: [UInt8], payload name: String?, maximumValues: Int
  ) throws(UpstreamFailure) {
    let document: JSONDocument
    do {
      document = try JSONDocument(body, maximumValues: maximumValues)
    } catch {
      let isTooLong = error.reason == .tooManyValues || error.reason == .tooLong
      throw Self.withoutEnvelope(status, isTooLong ? Self.tooLong : "\(error)")
    }
    let payload = name.flatMap { document.root[$0] }
    let envelope = KeepaEnvelope(document.root)
    // What was paid for is not thrown away because its wrapping is damaged.
    guard envelope != nil || (status == 200 && payload?.kind == .array) else {
      throw Self.withoutEnvelope(status, "an answer without Keepa's envelope")
    }
    self.status = status
    root = document.root
    self.envelope = envelope
    self.payload = payload
    guard status == 200 else { throw failure }
  }

  var error: KeepaError? { envelope?.error }

  /// What the call has cost. Keepa refuses for want of tokens or of a valid key before any work, so
  /// such a refusal is free even when it does not say so (fact sheet, section 4).
  var charge: UpstreamCharge {
    let told = envelope?.charge ?? .unknown
    guard told == .unknown else { return told }
    return switch reason {
    case .insufficientTokens, .keyRejected: .known(0)
    default: .unknown
    }
  }

  /// The failure that this answer is.
  var failure: UpstreamFailure {
    UpstreamFailure(
      reason, status: status, detail: error?.summary ?? "HTTP status \(status)", charge: charge,
      reading: envelope?.reading)
  }

  private var reason: FailureReason {
    if status >= 500 { return .upstreamError }
    switch (status, error?.type) {
    case (429, _), (_, "notEnoughTokens"): return .insufficientTokens
    case (402, _), (_, "unauthorized"): return .keyRejected
    case (400, _) where envelope?.isBlank ?? false: return .keyRejected
    case (200, _), (400..<500, _): return .requestRejected
    default: return .unreadable
    }
  }

  /// An answer that is not Keepa's format: a page of a proxy, cut off, or too long. The status
  /// still tells some of it: 5xx is a failure upstream, 429 a refusal, and 402 is only given for a
  /// key.
  static func withoutEnvelope(_ status: Int, _ why: String) -> UpstreamFailure {
    let detail = "HTTP status \(status), \(why)"
    return switch status {
    case 429:
      UpstreamFailure(.insufficientTokens, status: status, detail: detail, charge: .known(0))
    case 402: UpstreamFailure(.keyRejected, status: status, detail: detail, charge: .known(0))
    case 500...:
      UpstreamFailure(.upstreamError, status: status, detail: detail, charge: .unknown)
    default: UpstreamFailure(.unreadable, status: status, detail: detail, charge: .unknown)
    }
  }
}
