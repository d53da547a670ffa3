import HTTPTypes
import Hummingbird
import Synchronization
import TollbookLog

/// An answer that a repeat of its request gets again.
struct KeptAnswer: Sendable {
  var status: HTTPResponse.Status
  var headers: HTTPFields
  var content: ByteBuffer

  /// The answer, for another client or the same one once more.
  var replayed: Response {
    var headers = headers
    headers[.idempotencyReplayed] = "true"
    return Response(status: status, headers: headers, body: .init(byteBuffer: content))
  }

  /// The answer, for who asked first.
  var response: Response {
    Response(status: status, headers: headers, body: .init(byteBuffer: content))
  }
}

// MARK: As it is kept

extension KeptAnswer {
  /// As an HTTP message (RFC 9112). It names the request, so that no other one has the same bytes: what is kept of one goes
  /// without the other.
  func bytes(ofRequest key: [UInt8]) -> [UInt8] {
    var text = "HTTP/1.1 \(status.code)\r\nTollbook-Request: \(key.hexadecimal)\r\n"
    for field in headers { text += "\(field.name.rawName): \(field.value)\r\n" }
    return Array((text + "\r\n").utf8) + Array(content.readableBytesView)
  }

  /// Nil if the bytes are no such message.
  init?(_ bytes: [UInt8]) {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components("\r\n")
    guard let code = lines.first.flatMap({ Int($0.dropFirst("HTTP/1.1 ".utf8.count)) }) else {
      return nil
    }
    status = HTTPResponse.Status(code: code)
    headers = [:]
    for line in lines.dropFirst(2) {
      guard let colon = line.firstRange(of: ": "),
        let name = HeaderName(String(line[..<colon.lowerBound]))
      else { return nil }
      headers.append(HTTPField(name: name, value: String(line[colon.upperBound...])))
    }
    content = ByteBuffer(bytes: bytes[end.upperBound...])
  }
}

extension String {
  fileprivate func components(_ separator: String) -> [Substring] {
    var found: [Substring] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      found.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return found + [rest]
  }
}

extension KeptAnswer {
  /// Takes in all of a response. It is whole then: what would have come behind its body stands before it.
  static func collecting(_ response: Response) async throws -> KeptAnswer {
    let collected = Collected()
    try await response.body.write(collected)
    var headers = response.headers
    headers[.trailer] = nil
    headers.set(collected.trailer.withLock { $0 })
    return KeptAnswer(
      status: response.status, headers: headers, content: collected.content.withLock { $0 })
  }
}

/// What was written of a body.
private final class Collected: ResponseBodyWriter, Sendable {
  let content = Mutex(ByteBuffer())
  let trailer = Mutex(HTTPFields())

  func write(_ buffer: ByteBuffer) async throws {
    content.withLock { _ = $0.writeImmutableBuffer(buffer) }
  }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
    trailer.withLock { $0 = trailingHeaders ?? [:] }
  }
}
