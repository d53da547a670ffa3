import JSONText

/// An element of `errors[]` or `warnings[]`.
struct EbayNotice: Sendable, Equatable {
  let id: Int
  var domain = "API_BROWSE"
  var category = "REQUEST"
  let message: String
  /// What was wrong, by name and value.
  var parameters: [(name: String, value: String)] = []

  static func == (left: EbayNotice, right: EbayNotice) -> Bool {
    left.id == right.id && left.domain == right.domain && left.message == right.message
      && left.parameters.elementsEqual(right.parameters, by: ==)
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("errorId", id)
      json.field("domain", domain)
      json.field("category", category)
      json.field("message", message)
      json.field("longMessage", message)
      guard !parameters.isEmpty else { return }
      json.array("parameters", parameters) { json, parameter in
        json.object { json in
          json.field("name", parameter.name)
          json.field("value", String(parameter.value.prefix(200)))
        }
      }
    }
  }
}

/// Why a call is not answered.
struct EbayRefusal: Error, Equatable {
  let status: Int
  let notice: EbayNotice

  init(_ status: Int, _ notice: EbayNotice) {
    self.status = status
    self.notice = notice
  }

  /// A refusal of the Browse API.
  init(
    _ id: Int, _ message: String, status: Int = 400, _ name: String? = nil, _ value: String = ""
  ) {
    self.status = status
    notice = EbayNotice(
      id: id, message: message, parameters: name.map { [($0, value)] } ?? [])
  }

  /// The body.
  var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.array("errors") { json in notice.write(to: &json) }
    }
    return json.bytes
  }

  // MARK: Of every API

  /// A token that is missing, garbled or over. What is answered without the header `Authorization` is not certain.
  static let badToken = EbayRefusal(
    401,
    EbayNotice(
      id: 1001, domain: "OAuth",
      message: "Invalid access token. Check the value of the Authorization HTTP request header."))

  static let noToken = EbayRefusal(
    403,
    EbayNotice(
      id: 1002, domain: "OAuth", message: "Missing access token in the Authorization header."))

  static let noScope = EbayRefusal(
    403,
    EbayNotice(
      id: 1100, domain: "ACCESS", category: "REQUEST",
      message: "Access denied: insufficient permissions to fulfill the request."))

  static let tooMany = EbayRefusal(
    429,
    EbayNotice(
      id: 2001, domain: "ACCESS",
      message: "Too many requests. The request limit has been reached for the resource."))

  static let internalError = EbayRefusal(
    500,
    EbayNotice(
      id: 12000, category: "APPLICATION",
      message: "There was a problem with an eBay internal system."))

  static let unavailable = EbayRefusal(
    503,
    EbayNotice(
      id: 2003, domain: "ACCESS", category: "APPLICATION",
      message: "The service is not available at this time."))

  static let noPath = EbayRefusal(
    404, EbayNotice(id: 2002, domain: "ACCESS", message: "Resource not found."))

  /// An item that is not there, or not any more. The status is not certain.
  static func noItem(_ id: String) -> EbayRefusal {
    EbayRefusal(11001, "The specified item Id was not found.", status: 404, "itemId", id)
  }
}
