/// What the simulator sends back, before it becomes HTTP.
package struct BinanceReply: Sendable, Equatable {
  /// The HTTP status code; 0 if nothing is sent.
  package var status: Int
  /// The media type of the body; nil if there is no body.
  package var contentType: String?
  /// The whole body.
  package var body: [UInt8]
  /// How the body travels.
  package var delivery = SimulatorDelivery.whole
  /// The value of `X-MBX-USED-WEIGHT` and `X-MBX-USED-WEIGHT-1M`; nil: neither is sent.
  package var usedWeight: String?
  /// The value of `Retry-After` in seconds; nil: it is not sent.
  package var retryAfter: Int?

  /// An answer in JSON.
  init(status: Int = 200, json: [UInt8]) {
    self.status = status
    contentType = "application/json;charset=UTF-8"
    body = json
  }

  /// An error in JSON.
  init(_ error: BinanceError) {
    self.init(status: error.status, json: error.json)
  }

  /// A web page.
  init(status: Int, page title: String) {
    self.status = status
    contentType = "text/html"
    body = Array(
      "<html><head><title>\(title)</title></head><body><h2>\(title)</h2></body></html>\n".utf8)
  }

  /// A status without a body.
  init(status: Int) {
    self.status = status
    body = []
  }
}
