/// An address that a page may lead to or show a picture from: of the web by http or https, or a place of Tollbook's own.
///
/// No other scheme is one: `javascript:` and `data:` would run or show what the page has not said.
package struct WebAddress: Hashable, Sendable {
  /// The longest, in bytes.
  package static let longest = 4_096

  package let text: String

  /// Whether it is Tollbook's own, or one by https: what a page may show pictures from.
  package let isPrivate: Bool

  /// Nil if it is no such address: of another scheme, with characters that addresses do not have, or with a user's name
  /// before the host, which is there to be taken for the host.
  package init?(_ text: String) {
    if OwnPath(text) != nil {
      self.init(text: text, isPrivate: true)
      return
    }
    guard text.utf8.count <= Self.longest, text.utf8.allSatisfy(OwnPath.isAllowed) else {
      return nil
    }
    let lower = text.lowercased()
    let schemes = ["https://", "http://"]
    guard let scheme = schemes.first(where: { lower.hasPrefix($0) }) else { return nil }
    let host = text.utf8.dropFirst(scheme.utf8.count).prefix {
      $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
    }
    guard !host.isEmpty, host.first != UInt8(ascii: ":"), !host.contains(UInt8(ascii: "@")) else {
      return nil
    }
    self.init(text: text, isPrivate: scheme == "https://")
  }

  package init(_ path: OwnPath) { self.init(text: path.text, isPrivate: true) }

  /// A place on the same page.
  ///
  /// - Parameter id: of an element, as it stands in the source.
  package init(toElement id: StaticString) { self.init(text: "#\(id)", isPrivate: true) }

  private init(text: String, isPrivate: Bool) {
    self.text = text
    self.isPrivate = isPrivate
  }
}

/// A place of Tollbook's own: a path with its query. What a browser would take for another host is none.
package struct OwnPath: Hashable, Sendable, ExpressibleByStringLiteral {
  /// The longest, in bytes.
  package static let longest = 2_048

  package let text: String

  /// Nil if it does not begin with one slash, is too long, or has blanks, controls, quotes, angle brackets, backslashes or
  /// what is not ASCII: browsers drop or turn some of these, and `/\host` or a tab between two slashes is another host.
  package init?(_ text: String) {
    guard text.utf8.count <= Self.longest, text.hasPrefix("/"), !text.hasPrefix("//"),
      text.utf8.allSatisfy(Self.isAllowed)
    else { return nil }
    self.text = text
  }

  /// A path that stands in the source.
  package init(stringLiteral text: StaticString) {
    guard let path = OwnPath("\(text)") else { preconditionFailure("\(text) is no own path") }
    self = path
  }

  /// A path with parameters; those whose value is empty are left out. Nil if it gets too long.
  package init?(_ path: OwnPath, query: [(name: String, value: String)]) {
    let query = formText(query.filter { !$0.value.isEmpty })
    self.init(query.isEmpty ? path.text : "\(path.text)?\(query)")
  }

  /// The path without its query.
  package var path: String { String(text.prefix { $0 != "?" && $0 != "#" }) }

  fileprivate static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"),
      UInt8(ascii: "`"):
      false
    default: (0x21...0x7E).contains(byte)
    }
  }
}
