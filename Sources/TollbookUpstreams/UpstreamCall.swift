package import TollbookEvents

/// What one attempt has cost, as far as the upstream told.
package enum UpstreamCharge: Hashable, Sendable {
  /// Nothing reached the upstream: the reservation can be released.
  case none
  /// The upstream's word, in units of its meter; zero included.
  case known(Int64)
  /// It was sent, and nobody said what it cost: the reservation is in doubt.
  case unknown
}

/// Why an attempt brought nothing.
package struct UpstreamFailure: Error, Hashable, Sendable {
  package let reason: FailureReason
  /// HTTP status; 0 if no complete answer came.
  package let status: Int
  /// For a person, on one line: the upstream's own message or what went wrong. Never holds a key.
  package let detail: String
  package let charge: UpstreamCharge
  /// The balance, if the refusal came with one.
  package let reading: UpstreamReading?

  package init(
    _ reason: FailureReason, status: Int = 0, detail: String, charge: UpstreamCharge,
    reading: UpstreamReading? = nil
  ) {
    self.reason = reason
    self.status = status
    self.detail = detail.inOneLine()
    self.charge = charge
    self.reading = reading
  }
}

/// One attempt, sent once and never again by itself, and what became of it.
package struct UpstreamCall<Answer: Sendable>: Sendable {
  /// When it was handed to the connection, by our wall clock, in milliseconds since 1970 UTC.
  package let sentMilliseconds: Int64
  /// From then until the answer was complete or given up, by the monotonic clock.
  package let duration: Duration
  /// Length of the answer's body after decompression; 0 if none was complete.
  package let receivedBytes: Int
  /// Whether the answer says that it comes from a simulator (`Tollbook-Upstream: simulated`).
  package let isSimulated: Bool
  package let result: Result<Answer, UpstreamFailure>

  package init(
    sentMilliseconds: Int64, duration: Duration, receivedBytes: Int, isSimulated: Bool,
    result: Result<Answer, UpstreamFailure>
  ) {
    self.sentMilliseconds = sentMilliseconds
    self.duration = duration
    self.receivedBytes = receivedBytes
    self.isSimulated = isSimulated
    self.result = result
  }
}
