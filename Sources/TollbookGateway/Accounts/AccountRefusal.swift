import TollbookEvents
import TollbookLog

/// Why an account, an access key or a budget is not made or changed. Nothing is written.
package struct AccountRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    case notFound
    /// It is there already, or in a state that does not allow it.
    case conflict
    case invalid
  }

  package var kind: Kind
  /// The field that is to blame.
  package var field: String
  /// For a person.
  package var description: String

  package init(_ kind: Kind, _ field: String, _ description: String) {
    self.kind = kind
    self.field = field
    self.description = description
  }
}

extension Decision {
  /// Writes nothing.
  static func refused<Value>(_ refusal: AccountRefusal) -> Self
  where Answer == Result<Value, AccountRefusal> { Decision(answer: .failure(refusal)) }

  /// Writes nothing.
  static func refused<Value>(
    _ kind: AccountRefusal.Kind, _ field: String, _ description: String
  ) -> Self where Answer == Result<Value, AccountRefusal> {
    .refused(AccountRefusal(kind, field, description))
  }
}

/// The rules for names that operators give.
package enum GivenName {
  /// In bytes.
  package static let longest = 64
  package static let longestText = 200

  /// Checks the name of an account or a budget: small letters, digits, dot, dash and underline.
  package static func check(_ text: String, _ field: String) throws(AccountRefusal) {
    guard !text.isEmpty else { throw AccountRefusal(.invalid, field, "\(field) is empty") }
    guard text.utf8.count <= longest else {
      throw AccountRefusal(
        .invalid, field, "\(field) has \(text.utf8.count) bytes; \(longest) are allowed")
    }
    let isProper = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isProper else {
      throw AccountRefusal(
        .invalid, field,
        "\(field) is “\(text.inOneLine(atMost: 100))”; it is made of a–z, 0–9, ., - and _")
    }
  }

  /// Checks a text for people.
  package static func check(text: String, _ field: String) throws(AccountRefusal) {
    guard text.utf8.count <= longestText else {
      throw AccountRefusal(
        .invalid, field, "\(field) has \(text.utf8.count) bytes; \(longestText) are allowed")
    }
  }
}
