import Hummingbird
import JSONText
import TollbookGateway
import TollbookHTTP
import TollbookUpstreams

/// What `POST /keepa/batch-analyze` asks for.
///
/// Members: `asinList`, 1 to 1,000 strings; `domain`, 1 if left out; `include`, any of `rating`, `buybox`, `offers`;
/// `wait_seconds`, 0 to the longest wait of the settings; `max_tokens`; `max_age_seconds`, which the header
/// `Cache-Control: max-age` can say too (the smaller one counts).
struct BatchQuestion {
  static let mostProducts = 1_000
  static let names = [
    "asinList", "domain", "include", "wait_seconds", "max_tokens", "max_age_seconds",
  ]

  /// One element of the list.
  enum Place {
    case asin(KeepaASIN)
    /// Not ten letters and digits: answered in its place, with an error of its own.
    case invalid(String)
  }

  let places: [Place]
  let request: ProductsRequest

  init(
    _ fields: JSONFields, cacheControl: String?, _ settings: GatewaySettings,
    by principal: Principal
  ) throws(Problem) {
    if let count = fields.value("asinList")?.array?.count, count > Self.mostProducts {
      throw Problem(
        .tooManyProducts,
        "asinList has \(count) elements; \(Self.mostProducts) are answered at once, and up to"
          + " \(BatchOrder.mostProducts) as a job, with the header Prefer: respond-async",
        field: "asinList")
    }
    let texts = try JSONFields.require(
      fields.strings("asinList", limit: Self.mostProducts, excess: .tooManyProducts), "asinList",
      "name 1 to \(Self.mostProducts) ASINs")
    guard !texts.isEmpty else {
      throw Problem(
        .invalidField, "asinList is empty: name 1 to \(Self.mostProducts) ASINs",
        field: "asinList")
    }
    places = texts.map { text in KeepaASIN(text).map(Place.asin) ?? .invalid(text) }
    var request = ProductsRequest(
      asins: places.compactMap { if case .asin(let asin) = $0 { asin } else { nil } },
      domain: try .init(of: fields), contentSet: try .init(included: fields),
      principal: principal)
    let longestWait = settings.longestWait / 1_000
    request.wait = try fields.integer("wait_seconds", in: 0...longestWait).map { $0 * 1_000 } ?? 0
    request.maximumTokens = try fields.integer("max_tokens", in: 0 ... .max)
    let seconds = [
      try fields.integer("max_age_seconds", in: 0...Self.oldest), Self.maximumAge(cacheControl),
    ].compactMap(\.self).min()
    request.maximumAge = seconds.map { $0 * 1_000 }
    self.request = request
  }

  /// A hundred years: more cannot be told from no demand at all.
  private static let oldest: Int64 = 3_155_760_000

  /// `max-age` of the request. Anything else in the header is ignored: many clients send `no-cache` without meaning that
  /// it shall be paid for.
  static func maximumAge(_ cacheControl: String?) -> Int64? {
    for directive in cacheControl?.split(separator: ",") ?? [] {
      let parts = directive.split(separator: "=", maxSplits: 1).map {
        $0.filter { $0 != " " && $0 != "\"" }
      }
      guard parts.count == 2, parts[0].lowercased() == "max-age", let seconds = Int64(parts[1]),
        seconds >= 0
      else { continue }
      return min(seconds, oldest)
    }
    return nil
  }
}

extension KeepaDomain {
  /// The member `domain`; of none the United States.
  init(of fields: JSONFields) throws(Problem) {
    guard let number = try fields.integer("domain", in: .min ... .max) else {
      self = .unitedStates
      return
    }
    guard let domain = Int(exactly: number).flatMap(KeepaDomain.init) else {
      throw Problem.unknownDomain("\(number)")
    }
    self = domain
  }
}

extension ContentSet {
  /// The paid parts that the member `include` names.
  init(included fields: JSONFields) throws(Problem) {
    self = .plain
    for (index, name) in (try fields.strings("include", limit: 16) ?? []).enumerated() {
      switch name {
      case "rating": formUnion(.rating)
      case "buybox": formUnion(.buyBox)
      case "offers": formUnion(.offers)
      default:
        throw Problem(
          .invalidField,
          "include has “\(name.prefix(100))”; it may have rating, buybox and offers",
          field: "include[\(index)]")
      }
    }
  }
}

extension Problem.Kind {
  static let unknownDomain = Problem.Kind(
    "unknown-domain", .badRequest, "Keepa has no such domain")
  static let tooManyProducts = Problem.Kind(
    "too-many-products", .badRequest, "Too many products in one request")
}

extension Problem {
  static func unknownDomain(_ text: String) -> Problem {
    let known = KeepaDomain.allCases.map { "\($0.rawValue) (\($0.name))" }
    return Problem(
      .unknownDomain,
      "domain is \(text.prefix(100)); Keepa knows \(known.joined(separator: ", "))",
      field: "domain")
  }
}
