package import TollbookUpstreams

/// A call to Keepa other than for products, as it is sent.
package struct KeepaCall: Sendable {
  package var path: String
  package var query: [(name: String, value: String)]
  /// Sent with POST; empty: it is a GET.
  package var body: [UInt8]
  /// Whether the answer is a picture.
  package var isPicture: Bool

  package init(
    path: String, query: [(name: String, value: String)], body: [UInt8] = [],
    isPicture: Bool = false
  ) {
    self.path = path
    self.query = query
    self.body = body
    self.isPicture = isPicture
  }
}

/// What Keepa answered to a ``KeepaCall``.
package struct KeepaCallAnswer: Hashable, Sendable {
  /// The JSON object without what Keepa puts around every answer, or the bytes of the picture.
  package let content: [UInt8]
  package let reading: UpstreamReading?
  package let charge: UpstreamCharge
}
