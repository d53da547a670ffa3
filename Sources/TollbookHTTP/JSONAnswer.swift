package import Hummingbird
package import JSONText
package import TollbookEvents

extension Response {
  /// An answer in JSON.
  ///
  /// - Parameter position: what the answer reflects, for `Tollbook-Position`.
  package init(
    json bytes: [UInt8], position: Position? = nil, status: HTTPResponse.Status = .ok
  ) {
    var headers: HTTPFields = [.contentType: "application/json"]
    if let position { headers[.position] = "\(position)" }
    self.init(
      status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// An answer that is one JSON object, written by `body`.
  package static func object(
    position: Position? = nil, capacity: Int = 1_024, _ body: (inout JSONWriter) -> Void
  ) -> Response {
    var json = JSONWriter(capacity: capacity)
    json.object(body)
    return Response(json: json.bytes, position: position)
  }
}

extension JSONWriter {
  /// Writes a member that is an instant in RFC 3339, or null.
  package mutating func field(_ name: String, _ instant: Timestamp?) {
    field(name, instant?.description)
  }
}
