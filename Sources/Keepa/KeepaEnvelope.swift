package import JSONText
import TollbookEvents
package import TollbookUpstreams

/// The fields that Keepa puts around every JSON answer, errors included (fact sheet, section 3).
package struct KeepaEnvelope: Hashable, Sendable {
  /// The balance, if the answer has one. An answer with `refillRate` 0 has none: Keepa fills the
  /// envelope with zeros when it does not know the key.
  package let reading: UpstreamReading?
  /// `tokensConsumed`, if the answer has a reading: zeros of an unknown key say nothing.
  package let tokensConsumed: Int64?
  /// Whether the envelope is there and `refillRate` is 0: Keepa did not get as far as the key's
  /// bucket.
  package let isBlank: Bool
  package let error: KeepaError?

  /// Reads the envelope of an answer. Nil if it has none: no object, or neither a `refillRate` nor
  /// an
  /// `error`.
  package init?(_ answer: JSONValue) {
    let rate = answer["refillRate"].flatMap(Self.whole)
    error = answer["error"].flatMap(KeepaError.init)
    guard rate != nil || error != nil else { return nil }
    isBlank = rate == 0
    guard let rate, rate > 0, let timestamp = answer["timestamp"]?.int64, timestamp > 0,
      timestamp < 1 << 52
    else {
      reading = nil
      tokensConsumed = nil
      return
    }
    let consumed = answer["tokensConsumed"].flatMap { Self.whole($0, .up) }
    tokensConsumed = consumed.flatMap { $0 >= 0 ? $0 : nil }
    guard let balance = answer["tokensLeft"].flatMap({ Self.whole($0) }),
      let refillIn = answer["refillIn"]?.int64, 0..<1 << 40 ~= refillIn
    else {
      reading = nil
      return
    }
    let reduction = answer["tokenFlowReduction"]?.double ?? 0
    reading = UpstreamReading(
      balance: balance, upstreamMilliseconds: timestamp,
      nextRefillMilliseconds: timestamp + refillIn, refillRate: rate,
      flowReductionThousandths: Int64(exactly: (reduction * 1_000).rounded()) ?? 0)
  }

  /// What the call has cost, if the envelope tells.
  package var charge: UpstreamCharge { tokensConsumed.map { .known($0) } ?? .unknown }

  /// An integer. Every captured body has integers here; a fraction, which some third parties
  /// report, is rounded against us.
  private static func whole(_ value: JSONValue, _ rule: FloatingPointRoundingRule) -> Int64? {
    value.int64 ?? value.double.flatMap { Int64(exactly: $0.rounded(rule)) }
  }

  private static func whole(_ value: JSONValue) -> Int64? { whole(value, .down) }
}

/// Keepa's `error` object. All three are strings there; `message` is often one generic sentence. A
/// long one is cut.
package struct KeepaError: Hashable, Sendable {
  package let type: String
  package let message: String
  package let details: String

  /// Nil for null and for anything but an object.
  package init?(_ value: JSONValue) {
    guard value.kind == .object else { return nil }
    type = Self.text(value["type"])
    message = Self.text(value["message"])
    details = Self.text(value["details"])
  }

  private static func text(_ value: JSONValue?) -> String {
    value?.string?.inOneLine(atMost: KeepaLimits.text) ?? ""
  }

  /// The parts that say something, on one line.
  package var summary: String {
    let parts = [type, message, details].filter { !$0.isEmpty }
    return parts.isEmpty ? "an error without a message" : parts.joined(separator: ": ")
  }
}
