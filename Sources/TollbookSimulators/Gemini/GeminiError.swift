private import JSONText

/// Why a call fails: a status of the provider with its envelope.
package struct GeminiError: Error, Sendable, Equatable {
  /// What stands in `details`.
  enum Detail: Sendable, Equatable {
    /// Why a key is refused.
    case reason(String)
    /// The message for the user.
    case localized(String)
    /// The field of the body that is wrong.
    case field(String, description: String)
    /// The quota that was reached.
    case quota(GeminiQuotaViolation, model: String)
    /// When to come again, in milliseconds.
    case retry(Int64)
  }

  /// The HTTP status.
  package let status: Int
  /// The provider's name of the status.
  package let name: String
  /// What is wrong, in the simulator's own words where no program reads them.
  package let message: String
  let details: [Detail]

  init(_ status: Int, _ name: String, _ message: String, details: [Detail] = []) {
    self.status = status
    self.name = name
    self.message = message
    self.details = details
  }

  // MARK: What callers do wrong

  /// 400 that names the field of the body that is wrong.
  static func invalid(_ field: String, _ description: String) -> GeminiError {
    GeminiError(
      400, "INVALID_ARGUMENT", "Invalid value at '\(field)': \(description)",
      details: [.field(field, description: description)])
  }

  /// 400 for a body as a whole.
  static func invalid(body message: String) -> GeminiError {
    GeminiError(400, "INVALID_ARGUMENT", message)
  }

  /// 400 for a key that does not exist; the provider does not say 401.
  static let invalidKey: GeminiError = {
    let message = "API key not valid. Please pass a valid API key."
    return GeminiError(
      400, "INVALID_ARGUMENT", message, details: [.reason("API_KEY_INVALID"), .localized(message)])
  }()

  /// 403 for a call without a key.
  static let missingKey = GeminiError(
    403, "PERMISSION_DENIED",
    "Method doesn't allow unregistered callers (callers without established identity). "
      + "Please use API Key or other form of API consumer identity to call this API.")

  /// 404 for a path that leads nowhere.
  static let unknownPath = GeminiError(404, "NOT_FOUND", "There is nothing at this path.")

  /// 404 for a model that is not served.
  static func unknownModel(_ route: GeminiRoute) -> GeminiError {
    GeminiError(
      404, "NOT_FOUND",
      "models/\(route.model) is not found for API version \(route.version), or does not support "
        + "\(route.operation.rawValue).")
  }

  // MARK: What the provider does not allow or manage

  /// 402 for a project that owes something, though the provider's list of errors has no such status.
  static let unpaid = GeminiError(
    402, "FAILED_PRECONDITION", "Payment is required before the project may go on.")

  /// 403 for a project that may not call the API.
  static let denied = GeminiError(
    403, "PERMISSION_DENIED", "The project of this key has no access to the API.")

  /// 429 for a quota.
  static func quota(_ violation: GeminiQuotaViolation, model: String) -> GeminiError {
    let seconds = GeminiError.seconds(violation.retryDelay, decimals: true)
    return GeminiError(
      429, "RESOURCE_EXHAUSTED",
      "Quota exceeded for metric: \(violation.metric), limit: \(violation.value), "
        + "model: \(model). Please retry in \(seconds)s.",
      details: [.quota(violation, model: model), .retry(violation.retryDelay)])
  }

  /// 429 without details.
  static let exhausted = GeminiError(
    429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")

  /// 500.
  static let internalError = GeminiError(
    500, "INTERNAL", "An internal error has occurred. Please retry or shorten the input.")

  /// 503.
  static let overloaded = GeminiError(
    503, "UNAVAILABLE", "The model is overloaded. Please try again later.")

  /// Milliseconds as seconds of a protobuf duration: whole, or with a fraction.
  static func seconds(_ milliseconds: Int64, decimals: Bool) -> String {
    guard decimals else { return String(milliseconds / 1000) }
    let fraction = String(milliseconds % 1000 + 1000).dropFirst()
    return "\(milliseconds / 1000).\(fraction)"
  }
}

extension GeminiError {
  /// The answer; streams of JSON wrap their errors in an array of one.
  func answer(isList: Bool = false) -> GeminiAnswer {
    var json = JSONWriter(layout: .indented)
    if isList { json.array { write(to: &$0) } } else { write(to: &json) }
    return GeminiAnswer(status: status, json: json.bytes)
  }

  private func write(to json: inout JSONWriter) {
    json.object { json in
      json.object("error") { json in
        json.field("code", status)
        json.field("message", message)
        json.field("status", name)
        if !details.isEmpty {
          json.array("details") { json in
            for detail in details { detail.write(to: &json) }
          }
        }
      }
    }
  }
}

extension GeminiError.Detail {
  private static let types = "type.googleapis.com/google.rpc."

  fileprivate func write(to json: inout JSONWriter) {
    switch self {
    case .reason(let reason):
      json.object { json in
        json.field("@type", Self.types + "ErrorInfo")
        json.field("reason", reason)
        json.field("domain", "googleapis.com")
        json.object("metadata") { $0.field("service", "generativelanguage.googleapis.com") }
      }
    case .localized(let message):
      json.object { json in
        json.field("@type", Self.types + "LocalizedMessage")
        json.field("locale", "en-US")
        json.field("message", message)
      }
    case .field(let field, let description):
      json.object { json in
        json.field("@type", Self.types + "BadRequest")
        json.array("fieldViolations") { json in
          json.object { json in
            json.field("field", field)
            json.field("description", description)
          }
        }
      }
    case .quota(let violation, let model): Self.write(violation, model, to: &json)
    case .retry(let milliseconds):
      json.object { json in
        json.field("@type", Self.types + "RetryInfo")
        json.field("retryDelay", GeminiError.seconds(milliseconds, decimals: false) + "s")
      }
    }
  }

  private static func write(
    _ violation: GeminiQuotaViolation, _ model: String, to json: inout JSONWriter
  ) {
    json.object { json in
      json.field("@type", types + "QuotaFailure")
      json.array("violations") { json in
        json.object { json in
          json.field("quotaMetric", violation.metric)
          json.field("quotaId", violation.id)
          json.object("quotaDimensions") { json in
            json.field("location", "global")
            json.field("model", model)
          }
          json.field("quotaValue", String(violation.value))
        }
      }
    }
    json.object { json in
      json.field("@type", types + "Help")
      json.array("links") { json in
        json.object { json in
          json.field("description", "Learn more about Gemini API quotas")
          json.field("url", "https://ai.google.dev/gemini-api/docs/rate-limits")
        }
      }
    }
  }
}
