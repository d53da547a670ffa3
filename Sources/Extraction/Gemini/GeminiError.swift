import JSONText
import TollbookEvents

/// A "no" of Gemini's, read from its envelope: `{"error":{"code","message","status","details"}}`, which streams wrap in an
/// array (ai.google.dev, API errors; `google.rpc.Status`).
struct GeminiError: Hashable, Sendable {
  /// A limit that was exceeded, as `google.rpc.QuotaFailure` names it.
  struct Violation: Hashable, Sendable {
    let id: String

    var isPerDay: Bool { id.contains("PerDay") }
    /// Whether tokens are limited, and not requests.
    var isOfTokens: Bool { id.contains("Token") }
  }

  /// Of HTTP.
  let status: Int
  /// Such as `RESOURCE_EXHAUSTED`; empty: there is no envelope.
  let name: String
  let message: String
  /// `reason` of `google.rpc.ErrorInfo`, such as `API_KEY_INVALID`; empty: there is none.
  let reason: String
  let violations: [Violation]
  /// `retryDelay` of `google.rpc.RetryInfo`, in milliseconds; nil: there is none.
  let retryDelay: Int64?

  init(status: Int, body: [UInt8]) {
    self.status = status
    let root = try? JSONDocument(body, maximumDepth: 32, maximumValues: 10_000).root
    let envelope = root?.kind == .array ? root?[0] : root
    let error = envelope?["error"]
    name = error?["status"]?.string ?? ""
    let text = error?["message"]?.string ?? ""
    message = text.inOneLine(atMost: 500)
    var (reason, violations, delay) = ("", [Violation](), Int64?.none)
    for detail in error?["details"]?.array.map(Array.init) ?? [] {
      let type = detail["@type"]?.string ?? ""
      if type.hasSuffix("google.rpc.ErrorInfo") { reason = detail["reason"]?.string ?? reason }
      if type.hasSuffix("google.rpc.RetryInfo") {
        delay = detail["retryDelay"]?.string.flatMap(Self.milliseconds)
      }
      guard type.hasSuffix("google.rpc.QuotaFailure") else { continue }
      for violation in detail["violations"]?.array.map(Array.init) ?? [] {
        violations.append(Violation(id: violation["quotaId"]?.string ?? ""))
      }
    }
    self.reason = reason
    self.violations = violations
    retryDelay = delay
  }

  /// A duration as protobuf writes it, such as `31s` or `0.5s`; nil if it is none or longer than a day.
  static func milliseconds(_ text: String) -> Int64? {
    guard text.hasSuffix("s"), let nano = DecimalText.nanoUnits(String(text.dropLast())) else {
      return nil
    }
    let milliseconds = nano / 1_000_000
    return milliseconds <= 86_400_000 ? milliseconds : nil
  }

  /// What is said of it to a person.
  var detail: String {
    let words = message.isEmpty ? "it answered with status \(status)" : message
    return status == 402 ? "its project has to be paid for: \(words)" : words
  }

  /// Whether it is about the key or its project and not about the request: then no other request fares better. The
  /// provider's own list of errors has no 402; by RFC 9110 that is a payment that is due, and until it is made every call
  /// fails.
  var isOfKey: Bool {
    status == 401 || status == 402 || status == 403
      || (status == 400 && reason.hasPrefix("API_KEY"))
  }
}
