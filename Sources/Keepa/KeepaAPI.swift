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
}
