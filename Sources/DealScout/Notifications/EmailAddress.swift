import TollbookEvents

/// An address that mail can be sent to, in the narrow form in which nothing can be hidden: letters, digits and a few
/// marks, an `@`, and a host name. Source: RFC 5321 §4.1.2, without quoted local parts and address literals.
package struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
  /// In bytes: RFC 5321 §4.5.3.1.
  private static let longest = 254
  private static let longestLocal = 64

  package let description: String

  package init(_ text: String) throws(NotificationProblem) {
    let shown = text.inOneLine(atMost: 100)
    func refused(_ why: String) -> NotificationProblem {
      NotificationProblem("address", "“\(shown)” is no e-mail address: \(why)")
    }
    guard text.utf8.count <= Self.longest else {
      throw refused("it has more than \(Self.longest) bytes")
    }
    let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw refused("it needs one @") }
    let atoms = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    // A dash in front would be an option to the command that sends.
    guard parts[0].count <= Self.longestLocal, parts[0].first != UInt8(ascii: "-"),
      atoms.allSatisfy({ !$0.isEmpty && $0.allSatisfy(Self.isAtom) })
    else { throw refused("what stands before the @ is not accepted") }
    let labels = parts[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard labels.allSatisfy({ Self.isLabel($0) }) else {
      throw refused("what stands behind the @ is no host name")
    }
    description = text
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  /// `atext` of RFC 5322 §3.2.3, without what a shell or a mailer of old takes for a sign of its own.
  private static func isAtom(_ byte: UInt8) -> Bool {
    isLetterOrDigit(byte) || "+-_=~'".utf8.contains(byte)
  }

  private static func isLabel(_ label: Substring.UTF8View.SubSequence) -> Bool {
    1...63 ~= label.count && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
      && label.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
  }
}
