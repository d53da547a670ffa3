import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import TollbookLog

/// A cookie of Tollbook's pages: no script can read it, and but for ``journey`` a browser sends it with no request that a
/// page of another site has made.
///
/// Over TLS its name begins with `__Host-`, so that no other host of the domain and no page without TLS can set it (RFC
/// 6265bis, section 4.1.3.2).
enum PageCookie: String, Sendable {
  /// Of who has signed in.
  case session = "tollbook_session"
  /// Of a browser: what the forms are bound to that are shown to who has not signed in.
  case visitor = "tollbook_visitor"
  /// Of a browser that was sent to another site, which sends it back: it comes with that link, and with no form.
  case journey = "tollbook_journey"

  private static let securePrefix = "__Host-"
  private static let digits = 64

  /// 256 bits that nobody can guess, as 64 hexadecimal digits.
  static func randomValue() -> String {
    // What a random key makes of a fixed word is as random as the key, and never leaves the library as a pointer.
    let code = HMAC<SHA256>.authenticationCode(
      for: Data("tollbook cookie".utf8), using: SymmetricKey(size: .bits256))
    return Array(code).hexadecimal
  }

  /// What a browser sends of it; nil: nothing that could be its value. Without TLS either name is read, since a proxy may
  /// stand before this listener and speak TLS.
  func value(in headers: HTTPFields, isSecure: Bool) -> String? {
    if let value = Self.value(named: Self.securePrefix + rawValue, in: headers) { return value }
    return isSecure ? nil : Self.value(named: rawValue, in: headers)
  }

  /// The field that sets it.
  ///
  /// - Parameter seconds: how long the browser keeps it; nil: until it is closed.
  func setting(_ value: String, for seconds: Int64? = nil, isSecure: Bool) -> HTTPField {
    var text = "\(isSecure ? Self.securePrefix : "")\(rawValue)=\(value); Path=/; HttpOnly"
    text += "; SameSite=\(self == .journey ? "Lax" : "Strict")"
    if isSecure { text += "; Secure" }
    if let seconds { text += "; Max-Age=\(seconds)" }
    return HTTPField(name: .setCookie, value: text)
  }

  /// The fields that remove it, under either name.
  func removing(isSecure: Bool) -> [HTTPField] {
    let names = isSecure ? [true] : [true, false]
    return names.map { setting("", for: 0, isSecure: $0) }
  }

  /// Of a name that stands twice none counts: one of the two was not set here.
  private static func value(named name: String, in headers: HTTPFields) -> String? {
    var found: String?
    for field in headers[values: .cookie] {
      for pair in field.split(separator: ";") {
        let pair = pair.drop { $0 == " " || $0 == "\t" }
        guard let equals = pair.firstIndex(of: "="), pair[..<equals] == name else { continue }
        guard found == nil else { return nil }
        found = String(pair[pair.index(after: equals)...])
      }
    }
    return found.flatMap { isValue($0) ? $0 : nil }
  }

  private static func isValue(_ text: String) -> Bool {
    text.utf8.count == digits
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}
