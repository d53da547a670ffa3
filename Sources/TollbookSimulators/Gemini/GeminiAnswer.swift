/// What the simulator sends back, before it becomes HTTP.
package struct GeminiAnswer: Sendable, Equatable {
  /// How the body travels.
  package enum Delivery: Sendable, Equatable {
    /// In one piece, with its length.
    case whole
    /// In chunks, without a length.
    case streamed
    /// In so many chunks, then the connection closes.
    case cut(chunks: Int)
    /// Not at all: the connection closes without an answer.
    case withheld
  }

  /// The HTTP status code; 0 if nothing is sent.
  package var status: Int
  /// The media type of the body.
  package var contentType: String
  /// The body in the pieces in which it travels.
  package var chunks: [[UInt8]]
  /// How the body travels.
  package var delivery: Delivery

  /// The whole body.
  package var body: [UInt8] { Array(chunks.joined()) }

  /// JSON in one piece.
  init(status: Int, json: [UInt8]) {
    self.status = status
    contentType = "application/json; charset=UTF-8"
    chunks = [json]
    delivery = .whole
  }

  /// A stream: server-sent events or the elements of a JSON array.
  init(chunks: [[UInt8]], isEvents: Bool) {
    status = 200
    contentType = isEvents ? "text/event-stream" : "application/json; charset=UTF-8"
    self.chunks = chunks
    delivery = .streamed
  }

  /// Nothing: the connection closes.
  static let none: GeminiAnswer = {
    var answer = GeminiAnswer(status: 0, json: [])
    answer.delivery = .withheld
    return answer
  }()
}
