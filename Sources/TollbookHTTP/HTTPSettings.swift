package import TollbookAudit
package import TollbookEvents

/// How the HTTP side is set up. Values only: where they come from is the command line's business.
package struct HTTPSettings: Sendable {
  /// The address to listen on.
  package var host = "127.0.0.1"
  /// 0 lets the system choose.
  package var port = 8_000
  /// The port to listen on with TLS, in the place of providers; nil: none, 0 lets the system choose.
  package var tlsPort: Int?
  /// Tollbook's own version, as `/health` tells it.
  package var version: String
  /// Names under which browsers may reach Tollbook, beside this machine's own; without a port, any will do.
  package var allowedHosts: [String] = []
  /// Whose pages may call from a browser, as ``origin(_:)`` reads them; empty: none but those on the hosts.
  package var corsOrigins: [String] = []
  /// How many connections may be open at once.
  package var connections = 960
  /// The longest answer that is kept for repeats of a request with an idempotency key, in bytes.
  package var longestKeptAnswer = 64 << 20
  /// The memory that the process should get by with, in bytes: `GET /cache/health` tells what it holds as a part of it.
  package var memoryLimit = 400 << 20
  /// What clients must show; nil lets everybody in who can reach the address.
  package var accessKey: String?
  /// What a token costs, to show money beside tokens.
  package var tokenPrice: TokenPrice?
  /// When the process began.
  package var startTime: Timestamp

  package init(version: String, startTime: Timestamp) {
    self.version = version
    self.startTime = startTime
  }

  /// What is wrong with the settings, in a sentence for who starts Tollbook; nil if nothing is.
  ///
  /// - Parameter hasIssuedKeys: whether access keys were issued: then clients have to show one.
  package func problem(hasIssuedKeys: Bool = false) -> String? {
    if !(0...65_535).contains(port) { return "the port is \(port); it must lie in 0...65535" }
    if port != 0 && port == tlsPort { return "the port is \(port), with TLS and without" }
    if accessKey == "" { return "the access key is empty" }
    if connections < 1 { return "there must be room for a connection" }
    if accessKey == nil && !hasIssuedKeys && !Self.isLoopback(host) {
      return "\(host) can be reached from other machines: set an access key (TOLLBOOK_ACCESS_KEY),"
        + " issue one (tollbook access-key issue), or listen on 127.0.0.1"
    }
    return nil
  }

  /// How many connections a listener may have open: where there are two, each has its half.
  var connectionsOfListener: Int { tlsPort == nil ? connections : max(1, connections / 2) }

  /// Whether a text is a name or an address of a host, with or without a port, and nothing more.
  package static func isHostName(_ text: String) -> Bool { BrowserGuard.isAuthority(text) }

  /// An origin, `scheme://host[:port]`, as browsers send it; nil: the text is none.
  package static func origin(_ text: String) -> String? { CrossOrigins.origin(text) }

  /// Whether an address belongs to this machine alone. A name that merely begins like one does not.
  package static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "::1" || host == "[::1]" { return true }
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
    return numbers.count == 4 && numbers[0] == "127"
      && numbers.allSatisfy { $0.utf8.allSatisfy(isDigit) && UInt8($0) != nil }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
