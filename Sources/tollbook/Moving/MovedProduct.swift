import JSONText
import Keepa
import TollbookEvents

/// A product that a predecessor had bought.
struct MovedProduct: Sendable {
  let asin: KeepaASIN
  let domain: KeepaDomain
  let fetched: Timestamp
  /// The product's JSON object, exactly as it was stored.
  let body: [UInt8]

  /// The longest body that is taken, in bytes: a request with it still fits.
  static let longestBody = ImportOrder.mostBytes - 1 << 20
  /// The values that a body may hold; a request has some more.
  static let mostValues = ImportOrder.mostValues - 1_000
  /// A request adds two levels.
  static let mostDepth = 60
}

/// Something of a predecessor's that is not taken, and why.
struct LeftOut: Error, Sendable {
  enum Reason: String, CaseIterable {
    case known = "the cache has one that is as young"
    case tooOld = "it is older than is kept"
    case doubled = "one that is as young stands before it"
    case superseded = "an older one, of which a younger one came"
    case tooLong = "the body is too long"
    case notJSON = "the body is not JSON"
    case noProduct = "the body is no product"
    case otherASIN = "the body is of another ASIN"
    case otherDomain = "the body is of another marketplace"
    case unknownDomain = "Keepa has no such marketplace"
    case noTime = "nothing tells when it was bought"
    case future = "it was bought in the future"
    case unreadable = "the file cannot be read"
  }

  let reason: Reason
  /// Which one it is, such as a row's ASIN or a file, with what is wrong with it; nil: it is only counted.
  let detail: String?

  init(_ reason: Reason, _ detail: String? = nil) {
    self.reason = reason
    self.detail = detail
  }
}

/// What a row or a file was found to hold.
typealias Found = Result<MovedProduct, LeftOut>

/// When and where something was bought, as it is written beside the body.
struct WrittenBeside: Sendable {
  /// How the row or file is called in what is said of it.
  var name: String
  /// Nil: nothing is written.
  var asin: String?
  var domain: String?
  var time: WrittenTime?
}

extension MovedProduct {
  /// Takes a body, or an answer of Keepa's with one product, as a row holds it.
  ///
  /// - Parameters:
  ///   - domain: of what does not tell its own.
  ///   - now: what was bought later than this is refused.
  init(
    _ body: [UInt8], _ beside: WrittenBeside, domain: KeepaDomain, now: Timestamp
  ) throws(LeftOut) {
    let root = try Self.document(body, beside.name).root
    let product = root["products"].map { $0[0] } ?? root
    guard let product else { throw LeftOut(.noProduct, beside.name) }
    try self.init(product, beside, time: beside.time?.instant, domain: domain, now: now)
  }

  static func document(_ body: [UInt8], _ name: String) throws(LeftOut) -> JSONDocument {
    do throws(JSONError) {
      return try JSONDocument(body, maximumDepth: mostDepth, maximumValues: mostValues)
    } catch {
      throw LeftOut(.notJSON, "\(name) (\(error.reason.rawValue), at byte \(error.offset.grouped))")
    }
  }

  /// - Parameter time: when it was bought; nil: nobody knows.
  init(
    _ product: JSONValue, _ beside: WrittenBeside, time: Timestamp?, domain: KeepaDomain,
    now: Timestamp
  ) throws(LeftOut) {
    let name = beside.name
    guard product.kind == .object, let asin = product["asin"]?.string.flatMap({ KeepaASIN($0) })
    else { throw LeftOut(.noProduct, name) }
    if let written = beside.asin, KeepaASIN(written) != asin {
      throw LeftOut(.otherASIN, "\(name) (it is of \(asin))")
    }
    self.asin = asin
    self.domain = try Self.domain(product, beside, domain)
    guard let time else {
      throw LeftOut(.noTime, beside.time.map { "\(name) (it has “\($0)”)" } ?? name)
    }
    guard time <= now else { throw LeftOut(.future, "\(name) (\(time))") }
    fetched = time
    self.body = Array(product.bytes)
  }

  private static func domain(
    _ product: JSONValue, _ beside: WrittenBeside, _ standard: KeepaDomain
  ) throws(LeftOut) -> KeepaDomain {
    let own = product["domainId"]?.int64
    let written = beside.domain.map { Int64($0) ?? 0 }
    if let own, let written, own != written {
      throw LeftOut(
        .otherDomain, "\(beside.name) (\(beside.domain ?? ""), and the body says \(own))")
    }
    guard let number = written ?? own else { return standard }
    guard let domain = KeepaDomain(rawValue: Int(clamping: number)) else {
      throw LeftOut(.unknownDomain, "\(beside.name) (\(beside.domain ?? "\(number)"))")
    }
    return domain
  }
}

/// A time as it is stored: a number of seconds or milliseconds since 1970, or a text as SQLite and Python write it, in UTC
/// if it does not say where.
enum WrittenTime: Sendable, CustomStringConvertible {
  case number(Double)
  case text(String)

  /// From here on a number counts milliseconds; as seconds it would be the year 5138.
  private static let milliseconds = 1e11

  /// Nil if it is none.
  var instant: Timestamp? {
    switch self {
    case .number(let number):
      let found = number > Self.milliseconds ? number : number * 1_000
      return Int64(exactly: found.rounded(.down)).map { Timestamp(milliseconds: $0) }
    case .text(let text):
      return Timestamp(rfc3339: text) ?? Timestamp(rfc3339: "\(text)Z")
        ?? CalendarDay(text).map { Timestamp(startOf: $0) }
    }
  }

  var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .text(let text): text.inOneLine(atMost: 40)
    }
  }
}
