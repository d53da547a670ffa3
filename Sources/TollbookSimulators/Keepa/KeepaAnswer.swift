/// What the simulator sends back, before it becomes HTTP.
package struct KeepaAnswer: Sendable, Equatable {
  /// How the body travels.
  package enum Delivery: Sendable, Equatable {
    /// As it should.
    case whole
    /// The first half, then nothing for so many milliseconds, then the rest.
    case stalled(milliseconds: Int)
    /// The first half, then the connection closes. `announced` says whether the length of the whole
    /// was promised in `Content-Length`; otherwise chunks just end.
    case cut(announced: Bool)
    /// Not at all: the connection closes without an answer.
    case withheld
  }

  /// What a body is.
  package enum Content: Sendable, Equatable {
    /// An envelope with or without a payload; travels compressed.
    case json
    /// A web page.
    case html
    /// A picture.
    case png
  }

  /// The HTTP status code.
  package var status: Int
  /// The body, not yet compressed.
  package var body: [UInt8]
  /// What the body is.
  package var content = Content.json
  /// Whether the body is a web page instead of JSON.
  package var isHTML: Bool { content == .html }
  /// How the body travels.
  package var delivery = Delivery.whole

  /// A JSON answer.
  package init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
  }

  /// A picture.
  init(png body: [UInt8]) {
    status = 200
    self.body = body
    content = .png
  }

  /// A web page, as proxies and load balancers send when what is behind them fails.
  package init(status: Int, page title: String) {
    self.status = status
    body = Array(
      """
      <!DOCTYPE html>
      <html><head><title>\(title)</title></head>
      <body><h1>\(title)</h1><p>Please try again later.</p></body></html>

      """.utf8)
    content = .html
  }
}
