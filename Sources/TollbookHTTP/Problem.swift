package import Hummingbird
import JSONText
package import TollbookEvents
package import TollbookGateway

/// Why a request was not served, as a problem document (RFC 9457).
package struct Problem: Error {
  /// A kind of problem. A name, once given out as a `type`, keeps its meaning.
  package struct Kind: Hashable, Sendable {
    package let name: String
    package let status: HTTPResponse.Status
    package let title: String

    package init(_ name: String, _ status: HTTPResponse.Status, _ title: String) {
      self.name = name
      self.status = status
      self.title = title
    }

    package static let invalidJSON = Kind("invalid-json", .badRequest, "The body is not JSON")
    package static let missingField = Kind("missing-field", .badRequest, "A field is missing")
    package static let invalidField = Kind(
      "invalid-field", .badRequest, "A field has a value that is not accepted")
    package static let invalidParameter = Kind(
      "invalid-parameter", .badRequest, "A parameter has a value that is not accepted")
    package static let unreadableBody = Kind(
      "unreadable-body", .badRequest, "The body did not arrive whole")
    package static let invalidMessage = Kind(
      "invalid-message", .badRequest, "The request breaks a rule of HTTP")
    package static let requestTooSlow = Kind(
      "request-too-slow", .requestTimeout, "The request did not arrive in time")
    package static let unmetExpectation = Kind(
      "unmet-expectation", .expectationFailed, "The expectation cannot be met")
    package static let unauthorized = Kind("unauthorized", .unauthorized, "An access key is needed")
    package static let forbidden = Kind("forbidden", .forbidden, "The access key does not allow it")
    package static let conflict = Kind("conflict", .conflict, "It does not go with what is there")
    package static let tooManyRequests = Kind(
      "too-many-requests", .tooManyRequests, "Too many requests in a short time")
    package static let foreignOrigin = Kind(
      "foreign-origin", .forbidden, "Pages of other sites may not call Tollbook")
    package static let notFound = Kind("not-found", .notFound, "There is nothing here")
    package static let notCached = Kind("not-cached", .notFound, "It is not in the cache")
    package static let gone = Kind("gone", .gone, "It is not kept any more")
    package static let methodNotAllowed = Kind(
      "method-not-allowed", .methodNotAllowed, "The method does not apply here")
    package static let stillUnderWay = Kind(
      "still-under-way", .conflict, "The call is still under way")
    package static let keyReused = Kind(
      "idempotency-key-reused", .unprocessableContent,
      "The idempotency key was used for another request")
    package static let chargeInDoubt = Kind(
      "charge-in-doubt", .conflict, "What an earlier try has cost is in doubt")
    package static let answerLost = Kind(
      "answer-lost", .conflict, "It was bought before, and the answer is not kept")
    package static let cancelled = Kind("cancelled", .conflict, "It was cancelled")
    package static let hasEnded = Kind("has-ended", .conflict, "It has ended already")
    package static let bodyTooLarge = Kind(
      "body-too-large", .contentTooLarge, "The body is too large")
    package static let unsupportedMediaType = Kind(
      "unsupported-media-type", .unsupportedMediaType, "The body must be plain JSON")
    package static let foreignHost = Kind(
      "foreign-host", .misdirectedRequest, "Tollbook does not answer under this name")
    package static let internalError = Kind(
      "internal-error", .internalServerError, "Tollbook failed")
    package static let damagedStorage = Kind(
      "damaged-storage", .internalServerError, "What is stored is not what was written")
    package static let storageFailed = Kind(
      "storage-failed", .serviceUnavailable, "What is stored could not be read")
    package static let busy = Kind("busy", .serviceUnavailable, "Too much is waiting to be written")
    package static let readOnly = Kind(
      "read-only", .serviceUnavailable, "There is no space left to write")
    package static let stopping = Kind("stopping", .serviceUnavailable, "Tollbook is shutting down")
  }

  package var kind: Kind?
  package var status: HTTPResponse.Status
  package var title: String
  /// For a person: what to do about it.
  package var detail: String
  /// The field of the body, or the parameter, that is to blame.
  package var field: String?
  /// Why, in one word that a program can act on; nil: the type says it.
  package var reason: String?
  /// The budget that says no.
  package var budget: BudgetRefusal?
  /// When it is worth trying again.
  package var retryAt: Timestamp?
  package var headers: HTTPFields = [:]

  package init(_ kind: Kind, _ detail: String, field: String? = nil, retryAt: Timestamp? = nil) {
    self.kind = kind
    status = kind.status
    title = kind.title
    self.detail = detail
    self.field = field
    self.retryAt = retryAt
  }

  /// A problem that the HTTP library found, of which only the status is known.
  package init(status: HTTPResponse.Status) {
    self.status = status
    title = status.reasonPhrase
    detail = "the request was refused with status \(status.code)"
  }

  /// How long to wait, for whoever does not read the document.
  package func retrying(after seconds: Int) -> Problem {
    var problem = self
    problem.headers[.retryAfter] = "\(seconds)"
    return problem
  }

  /// How long to wait at an instant, where it is known when it is worth trying again and nothing else was said.
  func retrying(from now: Timestamp) -> Problem {
    guard headers[.retryAfter] == nil, let retryAt else { return self }
    let wait = max(0, retryAt.milliseconds &- now.milliseconds)
    return retrying(after: max(1, Int((wait + 999) / 1_000)))
  }

  /// The budget that says no in the header too, for whoever does not read the document.
  func tellingBudget(at now: Timestamp) -> Problem {
    guard let budget else { return self }
    var problem = self
    RateLimitField(budget, retryAt: retryAt, at: now).write(to: &problem.headers)
    return problem
  }

  /// The document with its members in this order: type, title, status, detail, field, reason, those of a budget,
  /// retry_at, request_id.
  package func response(requestID: String) -> Response {
    var json = JSONWriter()
    json.object { json in
      json.field("type", kind.map { "/problems/\($0.name)" } ?? "about:blank")
      json.field("title", title)
      json.field("status", status.code)
      json.field("detail", detail)
      json.fieldIfPresent("field", field)
      json.fieldIfPresent("reason", reason)
      budget?.write(to: &json)
      json.fieldIfPresent("retry_at", retryAt?.description)
      json.field("request_id", requestID)
    }
    var headers = headers
    headers[.contentType] = "application/problem+json"
    return Response(
      status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }
}
