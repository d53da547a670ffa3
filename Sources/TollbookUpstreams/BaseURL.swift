import Foundation

/// Where an upstream is: scheme, host, perhaps a port and the beginning of a path, and nothing else. What it refuses would
/// end the process, or be passed over, when a request is made of it.
package struct BaseURL: Hashable, Sendable, CustomStringConvertible {
  /// Without a slash at the end.
  package let description: String

  package init?(_ text: String) {
    guard
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      let url = URLComponents(string: text, encodingInvalidCharacters: false),
      let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
      let host = url.encodedHost, Self.isHost(host),
      url.user == nil, url.password == nil, url.query == nil, url.fragment == nil
    else { return nil }
    let path = url.percentEncodedPath
    let authority = text.dropFirst(scheme.count + "://".count).dropLast(path.count)
    guard authority.lowercased() == host.lowercased() + (Self.port(url.port) ?? "") else {
      return nil
    }
    var kept = Substring(path)
    while kept.hasSuffix("/") { kept.removeLast() }
    description = "\(scheme)://\(authority)\(kept)"
  }

  /// The name or the address in it, without brackets.
  package var host: String {
    let host = URL(string: description)?.host ?? ""
    return host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
  }

  /// The port that it leads to.
  package var port: Int {
    URL(string: description)?.port ?? (description.hasPrefix("https:") ? 443 : 80)
  }

  /// Host and port as they stand in it.
  var authority: String {
    let rest = description.drop { $0 != ":" }.dropFirst("://".count)
    return String(rest.prefix { $0 != "/" })
  }

  /// The same with another port.
  func with(port: Int) -> String {
    let isIPv6 = host.contains(":")
    let scheme = description.prefix { $0 != ":" }
    let path = description.dropFirst("\(scheme)://\(authority)".count)
    return "\(scheme)://\(isIPv6 ? "[\(host)]" : host):\(port)\(path)"
  }

  /// A port as it stands behind the host; nil if there is none, or none that can be connected to.
  private static func port(_ port: Int?) -> String? {
    port.flatMap { (1...65_535).contains($0) ? ":\($0)" : nil }
  }

  private static func isHost(_ host: String) -> Bool {
    !host.isEmpty && !host.contains("%")
      && (host.hasPrefix("[") ? host.hasSuffix("]") && host.contains(":") : !host.contains(":"))
  }

  /// A text that should have been such an address, or several, to be shown: without what may be a secret, which is all
  /// before the last `@` and all in a query or behind a `#`.
  package static func masked(_ text: String) -> String {
    let scheme = text.firstRange(of: "://")?.upperBound ?? text.startIndex
    let place = text[..<scheme].contains { "@?#".contains($0) } ? text.startIndex : scheme
    var rest = text[place...]
    if let at = rest.lastIndex(of: "@") { rest = "…" + rest[at...] }
    if let query = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) {
      rest = rest[...query] + "…"
    }
    return String(text[..<place] + rest)
  }
}
