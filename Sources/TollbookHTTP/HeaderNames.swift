package import Hummingbird

/// The name of a header field.
package typealias HeaderName = HTTPFields.Element.Name

/// Names that HTTPTypes does not know.
extension HeaderName {
  /// Which request an answer belongs to; in diagnostics too.
  package static let requestID = known("Tollbook-Request-Id")
  /// The position of the log that an answer reflects.
  package static let position = known("Tollbook-Position")
  /// What the request was charged, in the upstream's unit.
  package static let charge = known("Tollbook-Charge")
  /// What may have been charged beside that, where nobody told; left out where there is none.
  package static let chargeInDoubt = known("Tollbook-Charge-In-Doubt")
  /// Why the charge is an estimate; left out where it is exact.
  package static let chargeEstimated = known("Tollbook-Charge-Estimated")
  /// Asks what would happen, and what it would cost.
  package static let dryRun = known("Tollbook-Dry-Run")
  /// RFC 7240.
  package static let prefer = known("Prefer")
  package static let preferenceApplied = known("Preference-Applied")
  /// RFC 8288.
  package static let link = known("Link")
  /// `simulated` when no real upstream stands behind the answers.
  package static let upstream = known("Tollbook-Upstream")
  /// What a client shows to be let in, beside `Authorization: Bearer`.
  package static let accessKey = known("Tollbook-Access-Key")
  /// The same by the name that many clients use.
  package static let apiKey = known("X-API-Key")
  /// What a request is for, such as `branch=TEST,user=ann`.
  package static let tags = known("Tollbook-Tags")
  /// RateLimit header fields for HTTP, draft 10.
  package static let rateLimit = known("RateLimit")
  package static let rateLimitPolicy = known("RateLimit-Policy")
  /// Of the IETF's draft: names a request, so that a repeat of it is not made twice.
  package static let idempotencyKey = known("Idempotency-Key")
  /// `true` on an answer that is repeated.
  package static let idempotencyReplayed = known("Idempotency-Replayed")
  /// RFC 9211.
  package static let cacheStatus = known("Cache-Status")
  /// `Host` as a plain field, where the library left one.
  static let plainHost = known("Host")
  /// What the gate found wrong with the request as a message; taken off what a client sends.
  static let requestFault = known("Tollbook-Request-Fault")
  /// Where a stream of events goes on.
  static let lastEventID = known("Last-Event-ID")
  /// Whether a proxy may hold back what is sent.
  static let buffering = known("X-Accel-Buffering")
  static let frameOptions = known("X-Frame-Options")
  static let referrerPolicy = known("Referrer-Policy")
  package static let secFetchSite = known("Sec-Fetch-Site")
  static let secFetchMode = known("Sec-Fetch-Mode")
  static let secFetchDest = known("Sec-Fetch-Dest")

  private static func known(_ name: String) -> HeaderName {
    guard let name = HeaderName(name) else {
      preconditionFailure("\(name) is no name of a header field")
    }
    return name
  }
}
