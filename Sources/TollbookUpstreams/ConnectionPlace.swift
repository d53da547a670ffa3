import NIOCore

/// Where a connection goes, apart from whom it is to: a host or an address, perhaps with a port. Written `192.0.2.7`,
/// `192.0.2.7:8443`, `keepa.example`, `2001:db8::7` or `[2001:db8::7]:443`.
package struct ConnectionPlace: Hashable, Sendable, CustomStringConvertible {
  /// Without brackets.
  package let host: String
  /// Nil: the port of whom it is to.
  package let port: Int?

  package init?(_ text: String) {
    if Self.isAddress(text) {
      (host, port) = (text, nil)
      return
    }
    var host = text[...]
    var port: Int?
    // The last one, and none inside of brackets.
    if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
      let digits = text[text.index(after: colon)...]
      guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
        (1...65_535).contains(number)
      else { return nil }
      host = text[..<colon]
      port = number
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":"), Self.isAddress(String(host)) else { return nil }
    } else if !Self.isName(host) {
      return nil
    }
    self.host = String(host)
    self.port = port
  }

  package var description: String {
    let host = host.contains(":") ? "[\(host)]" : host
    return port.map { "\(host):\($0)" } ?? host
  }

  private static func isAddress(_ text: String) -> Bool {
    (try? SocketAddress(ipAddress: text, port: 0)) != nil
  }

  private static func isName(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
      }
  }
}
