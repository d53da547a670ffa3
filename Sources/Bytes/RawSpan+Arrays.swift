// Between arrays and spans, for targets that say no `unsafe` of their own.

extension [UInt8] {
  /// Adds the bytes of a span.
  package mutating func append(copying bytes: RawSpan) {
    // SAFETY: copied during the call.
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }

  /// Lends the bytes as a span to `body`.
  package func withRawSpan<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    // SAFETY: the view does not outlive the call.
    unsafe try body(span.bytes)
  }
}

extension Hasher {
  /// Mixes in the bytes of a span.
  package mutating func combine(bytes: RawSpan) {
    // SAFETY: read during the call.
    unsafe bytes.withUnsafeBytes { unsafe combine(bytes: $0) }
  }

  /// Mixes in the bytes of a span.
  package mutating func combine(bytes: Span<UInt8>) {
    // SAFETY: the view does not outlive the call.
    unsafe combine(bytes: bytes.bytes)
  }
}
