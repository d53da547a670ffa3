import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP

/// A "no" to a client that speaks Gemini's wire format, in Gemini's own shape (ai.google.dev, API errors): a status of HTTP,
/// its name, a message, and where the time is known, when it is worth asking again.
struct GeminiRefusal: Error, Hashable {
  let status: Int
  /// Such as `RESOURCE_EXHAUSTED`.
  let name: String
  let message: String
  /// `reason` of `google.rpc.ErrorInfo`; empty: none.
  var reason = ""
  var retryAt: Timestamp?

  init(_ status: Int, _ message: String, name: String? = nil) {
    self.status = status
    self.name = name ?? Self.name(of: status)
    self.message = message
  }

  static func invalid(_ message: String) -> GeminiRefusal { GeminiRefusal(400, message) }

  /// Why something could not be bought, with Gemini's own status where Gemini said no.
  init(_ problem: PurchaseProblem) {
    let status =
      switch problem.reason {
      case .insufficientTokens, .limitReached, .budgetExceeded, .requestLimit: 429
      case .accountClosed, .notAllowed: 403
      case .upstreamUnavailable, .incomplete, .notConfigured, .storageFull, .storageFailed, .busy,
        .stopping:
        503
      case .keyRejected: 403
      case .requestRejected: 400
      case .tooLate: 504
      case .answerLost: 409
      }
    let own = (400...599).contains(problem.upstreamStatus) ? problem.upstreamStatus : status
    self.init(own, problem.detail)
    retryAt = problem.retryAt
  }

  /// The name that Google's status codes give a status of HTTP (`google/rpc/code.proto`); to 402, which is not
  /// among them, what the provider says of a billing requirement that is not met.
  private static func name(of status: Int) -> String {
    switch status {
    case 401: "UNAUTHENTICATED"
    case 402: "FAILED_PRECONDITION"
    case 403: "PERMISSION_DENIED"
    case 404: "NOT_FOUND"
    case 409: "ABORTED"
    case 429: "RESOURCE_EXHAUSTED"
    case 499: "CANCELLED"
    case 500: "INTERNAL"
    case 501: "UNIMPLEMENTED"
    case 503: "UNAVAILABLE"
    case 504: "DEADLINE_EXCEEDED"
    case 400..<500: "INVALID_ARGUMENT"
    default: "UNKNOWN"
    }
  }

  /// - Parameter headers: what else is told.
  func response(at now: Timestamp, headers: HTTPFields = [:]) -> Response {
    var json = JSONWriter()
    let seconds = retryAt.map { max(1, ($0.milliseconds - now.milliseconds + 999) / 1_000) }
    json.object { json in
      json.object("error") { json in
        json.field("code", status)
        json.field("message", message)
        json.field("status", name)
        guard seconds != nil || !reason.isEmpty else { return }
        json.array("details") { json in
          if !reason.isEmpty {
            json.object { json in
              json.field("@type", "type.googleapis.com/google.rpc.ErrorInfo")
              json.field("reason", reason)
              json.field("domain", "googleapis.com")
            }
          }
          if let seconds {
            json.object { json in
              json.field("@type", "type.googleapis.com/google.rpc.RetryInfo")
              json.field("retryDelay", "\(seconds)s")
            }
          }
        }
      }
    }
    var headers = headers
    headers[.contentType] = "application/json; charset=UTF-8"
    if let seconds { headers[.retryAfter] = "\(seconds)" }
    return Response(
      status: HTTPResponse.Status(code: status), headers: headers,
      body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }
}
