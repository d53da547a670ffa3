import Crypto
import Foundation
import TollbookLog

/// What a form carries so that it is taken: only a page of Tollbook's can have written it.
package struct FormToken: Hashable, Sendable {
  /// The name of its field.
  package static let field = "form_token"

  package let text: String

  /// A token as a form says it, or one of a page that is only looked at.
  package init(_ text: String) { self.text = text }
}

extension HTML {
  /// The field that carries a token. In a form with files it stands first, so that it is read before them.
  package static func token(_ token: FormToken) -> HTML {
    HTML(.input, .type(.hidden), .name(FormToken.field), .value(token.text))
  }
}

/// Makes tokens of forms, and knows them again: HMAC-SHA256 over whose form it is and until when it counts, with a key that
/// only this process has. Nothing is kept of a token.
struct FormTokens: Sendable {
  /// Whose form it is.
  enum Holder: Hashable, Sendable {
    /// Somebody who has signed in: the session's cookie.
    case session(String)
    /// A browser that has not, or need not: its visitor's cookie.
    case visitor(String)
  }

  /// Why a token does not count.
  enum Fault: Error, Hashable, Sendable {
    case missing
    /// It is none, is another's, or was made before Tollbook was started anew.
    case foreign
    case tooOld
  }

  /// How long a form may lie open, in milliseconds: four hours.
  static let lifetime: Int64 = 4 * 3_600_000
  private static let macBytes = 32

  private let key: SymmetricKey

  init() { key = SymmetricKey(size: .bits256) }

  /// - Parameter now: by the monotonic clock, in milliseconds.
  func token(for holder: Holder, at now: Int64) -> FormToken {
    let (end, overflow) = now.addingReportingOverflow(Self.lifetime)
    let expires = overflow ? Int64.max : end
    let mac = HMAC<SHA256>.authenticationCode(for: Self.message(holder, expires), using: key)
    return FormToken("\(expires).\(Array(mac).hexadecimal)")
  }

  /// Refuses a form whose token does not count. Takes the same time wherever a wrong one differs from the right one.
  func check(_ text: String?, for holder: Holder, at now: Int64) throws(Fault) {
    guard let text, !text.isEmpty else { throw .missing }
    let parts =
      text.utf8.count <= 100 ? text.split(separator: ".", omittingEmptySubsequences: false) : []
    guard parts.count == 2, let expires = Int64(parts[0]), "\(expires)" == parts[0],
      let mac = bytes(hexadecimal: parts[1]), mac.count == Self.macBytes,
      HMAC<SHA256>.isValidAuthenticationCode(
        mac, authenticating: Self.message(holder, expires), using: key)
    else { throw .foreign }
    guard now < expires else { throw .tooOld }
  }

  private static func message(_ holder: Holder, _ expires: Int64) -> Data {
    let (kind, cookie) =
      switch holder {
      case .session(let cookie): ("session", cookie)
      case .visitor(let cookie): ("visitor", cookie)
      }
    return Data("tollbook form token\n\(kind)\n\(expires)\n\(cookie)".utf8)
  }
}
