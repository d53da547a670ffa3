import TollbookEvents
package import TollbookGateway
package import TollbookUpstreams

/// Keepa as the gateway sees it. Each method makes one attempt, sends it at most once, and never
/// throws: what went wrong is in the result. Retries are the gateway's business.
package protocol KeepaAPI: Sendable {
  /// Buys products.
  ///
  /// - Parameter limit: the time for everything, from the connection to the last byte.
  func products(
    _ request: KeepaProductRequest, within limit: Duration
  ) async -> UpstreamCall<KeepaProductAnswer>

  /// Asks for the balance. Free.
  func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading>

  /// Makes any other call.
  func call(_ call: KeepaCall, within limit: Duration) async -> UpstreamCall<KeepaCallAnswer>

  /// The same Keepa, called with another key; nil: it takes no other.
  func with(_ lease: CredentialLease) -> (any KeepaAPI)?
}

extension KeepaAPI {
  package func with(_ lease: CredentialLease) -> (any KeepaAPI)? { nil }

  /// Sends nothing: for what stands in for Keepa and sells products alone.
  package func call(
    _ call: KeepaCall, within limit: Duration
  ) async -> UpstreamCall<KeepaCallAnswer> {
    let failure = UpstreamFailure(.notSent, detail: "it sells products alone", charge: .none)
    return UpstreamCall(
      sentMilliseconds: 0, duration: .zero, receivedBytes: 0, isSimulated: false,
      result: .failure(failure))
  }
}
