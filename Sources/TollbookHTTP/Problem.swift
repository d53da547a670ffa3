import Hummingbird
import JSONText
import TollbookEvents

/// Why a request was not served, as a problem document (RFC 9457).
struct Problem: Error {
  /// The kinds of problems. A name, once given out as a `type`, keeps its meaning.
  enum Kind: String, CaseIterable {
    case invalidJSON = "invalid-json"
    case missingField = "missing-field"
    case invalidField = "invalid-field"
    case unknownDomain = "unknown-domain"
    case tooManyProducts = "too-many-products"
    case invalidParameter = "invalid-parameter"
    case unreadableBody = "unreadable-body"
    case invalidMessage = "invalid-message"
    case requestTooSlow = "request-too-slow"
    case unmetExpectation = "unmet-expectation"
    case unauthorized = "unauthorized"
    case foreignOrigin = "foreign-origin"
    case notFound = "not-found"
    case notCached = "not-cached"
    case gone
    case methodNotAllowed = "method-not-allowed"
    case stillUnderWay = "still-under-way"
    case bodyTooLarge = "body-too-large"
    case unsupportedMediaType = "unsupported-media-type"
    case foreignHost = "foreign-host"
    case internalError = "internal-error"
    case damagedStorage = "damaged-storage"
    case storageFailed = "storage-failed"
    case busy
    case readOnly = "read-only"
    case stopping
  }

  var kind: Kind?
  var status: HTTPResponse.Status
  var title: String
  /// For a person: what to do about it.
  var detail: String
  /// The field of the body, or the parameter, that is to blame.
  var field: String?
  /// When it is worth trying again.
  var retryAt: Timestamp?
  var headers: HTTPFields = [:]

  init(_ kind: Kind, _ detail: String, field: String? = nil, retryAt: Timestamp? = nil) {
    self.kind = kind
    status = kind.status
    title = kind.title
    self.detail = detail
    self.field = field
    self.retryAt = retryAt
  }

  /// A problem that the HTTP library found, of which only the status is known.
  init(status: HTTPResponse.Status) {
    self.status = status
    title = status.reasonPhrase
    detail = "the request was refused with status \(status.code)"
  }

  /// How long to wait, for whoever does not read the document.
  func retrying(after seconds: Int) -> Problem {
    var problem = self
    problem.headers[.retryAfter] = "\(seconds)"
    return problem
  }

  /// The document with its members in this order: type, title, status, detail, field, retry_at, request_id.
  func response(requestID: String) -> Response {
    var json = JSONWriter()
    json.object { json in
      json.field("type", kind.map { "/problems/\($0.rawValue)" } ?? "about:blank")
      json.field("title", title)
      json.field("status", status.code)
      json.field("detail", detail)
      json.fieldIfPresent("field", field)
      json.fieldIfPresent("retry_at", retryAt?.description)
      json.field("request_id", requestID)
    }
    var headers = headers
    headers[.contentType] = "application/problem+json"
    return Response(
      status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }
}

extension Problem.Kind {
  var status: HTTPResponse.Status {
    switch self {
    case .invalidJSON, .missingField, .invalidField, .unknownDomain, .tooManyProducts,
      .invalidParameter, .unreadableBody, .invalidMessage:
      .badRequest
    case .requestTooSlow: .requestTimeout
    case .unmetExpectation: .expectationFailed
    case .unauthorized: .unauthorized
    case .foreignOrigin: .forbidden
    case .notFound, .notCached: .notFound
    case .gone: .gone
    case .methodNotAllowed: .methodNotAllowed
    case .stillUnderWay: .conflict
    case .bodyTooLarge: .contentTooLarge
    case .unsupportedMediaType: .unsupportedMediaType
    case .foreignHost: .misdirectedRequest
    case .internalError, .damagedStorage: .internalServerError
    case .busy, .readOnly, .stopping, .storageFailed: .serviceUnavailable
    }
  }

  var title: String {
    switch self {
    case .invalidJSON: "The body is not JSON"
    case .missingField: "A field is missing"
    case .invalidField: "A field has a value that is not accepted"
    case .unknownDomain: "Keepa has no such domain"
    case .tooManyProducts: "Too many products in one request"
    case .invalidParameter: "A parameter has a value that is not accepted"
    case .unreadableBody: "The body did not arrive whole"
    case .invalidMessage: "The request breaks a rule of HTTP"
    case .requestTooSlow: "The request did not arrive in time"
    case .unmetExpectation: "The expectation cannot be met"
    case .unauthorized: "An access key is needed"
    case .foreignOrigin: "Pages of other sites may not call Tollbook"
    case .notFound: "There is nothing here"
    case .notCached: "The product is not in the cache"
    case .gone: "It is not kept any more"
    case .methodNotAllowed: "The method does not apply here"
    case .stillUnderWay: "The call is still under way"
    case .bodyTooLarge: "The body is too large"
    case .unsupportedMediaType: "The body must be plain JSON"
    case .foreignHost: "Tollbook does not answer under this name"
    case .internalError: "Tollbook failed"
    case .damagedStorage: "What is stored is not what was written"
    case .storageFailed: "What is stored could not be read"
    case .busy: "Too much is waiting to be written"
    case .readOnly: "There is no space left to write"
    case .stopping: "Tollbook is shutting down"
    }
  }
}
