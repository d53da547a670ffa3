/// What the simulator sends back, before it becomes HTTP.
package struct EbayReply: Sendable, Equatable {
  /// The HTTP status code; 0 if nothing is sent.
  package var status: Int
  /// The media type of the body; nil if there is no body.
  package var contentType: String?
  /// The whole body.
  package var body: [UInt8]
  /// How the body travels.
  package var delivery = SimulatorDelivery.whole
  /// Where a browser is sent.
  package var location: String?

  /// An answer in JSON.
  init(status: Int = 200, json: [UInt8]) {
    self.status = status
    contentType = "application/json"
    body = json
  }

  init(_ refusal: EbayRefusal) { self.init(status: refusal.status, json: refusal.json) }

  init(_ error: EbayOAuthError) { self.init(status: error.status, json: error.json) }

  /// A page. `text` may hold what a caller wrote: it is escaped.
  init(status: Int, page title: String, text: String = "") {
    self.status = status
    contentType = "text/html;charset=UTF-8"
    body = Array(
      ("<!DOCTYPE html><html><head><title>\(Self.escaped(title))</title></head>"
        + "<body><h1>\(Self.escaped(title))</h1><p>\(Self.escaped(text))</p></body></html>\n").utf8)
  }

  /// A picture.
  init(png: [UInt8]) {
    status = 200
    contentType = "image/png"
    body = png
  }

  /// A status without a body.
  init(status: Int) {
    self.status = status
    body = []
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      default: escaped.append(character)
      }
    }
    return escaped
  }
}
