import Crypto
import Foundation
import Hummingbird
import TollbookLog

/// A text that all pages share. Its path names its content, so that a browser keeps it for as long as it likes.
struct PageAsset: Sendable {
  static let stylesheet = PageAsset("style", "css", type: "text/css", Stylesheet.text)

  let path: OwnPath
  let tag: String
  private let type: String
  private let content: ByteBuffer

  private init(_ name: String, _ ending: String, type: String, _ text: String) {
    let digest = Array(SHA256.hash(data: Data(text.utf8)).prefix(8)).hexadecimal
    path = OwnPath("/pages/\(name)-\(digest).\(ending)") ?? "/pages"
    tag = "\"\(digest)\""
    self.type = type
    content = ByteBuffer(string: text)
  }

  /// The text, or 304 to who has it.
  func response(to request: Request) -> Response {
    var headers: HTTPFields = [
      .eTag: tag, .cacheControl: "public, max-age=31536000, immutable",
    ]
    if matches(ifNoneMatch: request.headers[.ifNoneMatch], [tag]) {
      return Response(status: .notModified, headers: headers)
    }
    headers[.contentType] = "\(type); charset=utf-8"
    return Response(status: .ok, headers: headers, body: .init(byteBuffer: content))
  }
}
