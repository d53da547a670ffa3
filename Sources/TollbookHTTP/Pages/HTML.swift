/// A piece of HTML. Whatever text it is made of is escaped: there is no way to put markup into it but by ``Tag`` and
/// ``Attribute``, whose names are fixed.
package struct HTML: Hashable, Sendable {
  /// As it is sent.
  package private(set) var markup: String

  /// Nothing.
  package init() { markup = "" }

  /// A text.
  package init(_ text: String) { markup = Self.escaped(text) }

  /// An element.
  ///
  /// - Parameter attributes: those that are nil are left out.
  package init(
    _ tag: Tag, _ attributes: Attribute?..., @HTMLBuilder content: () -> HTML = { HTML() }
  ) {
    markup = "<\(tag.name)"
    for case let attribute? in attributes {
      markup += " \(attribute.name)"
      if let value = attribute.value { markup += "=\"\(Self.escaped(value))\"" }
    }
    markup += ">"
    if !tag.isVoid { markup += "\(content().markup)</\(tag.name)>" }
  }

  package var isEmpty: Bool { markup.isEmpty }

  package static func + (left: HTML, right: HTML) -> HTML {
    var both = left
    both.markup += right.markup
    return both
  }

  /// Escapes what means something in HTML, in a text as well as between quotes.
  ///
  /// What HTML does not allow becomes U+FFFD: controls but tab and line feed, and noncharacters. So do the characters that
  /// embed, override or isolate a direction of writing: one that is not closed would turn around what stands behind it.
  ///
  /// - Source: HTML Living Standard, sections 13.1.2.3 and 13.1.4; Unicode Standard Annex 9, section 2.
  private static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { !isPlain($0) }) else { return text }
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
      case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
      case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
      case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
      case _ where isPlain(scalar): escaped.append(scalar)
      default: escaped.append("\u{FFFD}")
      }
    }
    return String(escaped)
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x22, 0x26, 0x27, 0x3C, 0x3E: false
    case 0x09, 0x0A, 0x20...0x7E: true
    case 0x00...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069, 0xFDD0...0xFDEF: false
    default: scalar.value & 0xFFFE != 0xFFFE
    }
  }
}

/// Puts pieces of HTML one after another; a `String` among them is a text, and is escaped.
@resultBuilder
package enum HTMLBuilder {
  package static func buildExpression(_ text: String) -> HTML { HTML(text) }
  package static func buildExpression(_ html: HTML) -> HTML { html }
  package static func buildExpression(_ html: HTML?) -> HTML { html ?? HTML() }
  package static func buildBlock() -> HTML { HTML() }
  package static func buildPartialBlock(first: HTML) -> HTML { first }
  package static func buildPartialBlock(accumulated: HTML, next: HTML) -> HTML {
    accumulated + next
  }
  package static func buildOptional(_ html: HTML?) -> HTML { html ?? HTML() }
  package static func buildEither(first: HTML) -> HTML { first }
  package static func buildEither(second: HTML) -> HTML { second }
  package static func buildArray(_ pieces: [HTML]) -> HTML { pieces.reduce(HTML(), +) }
}
