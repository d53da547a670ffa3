import Foundation
import NIOCore
import NIOPosix

/// An address that a user gave, to be sent to: scheme, host, perhaps a port, a path and a query.
package struct GivenURL: Hashable, Sendable {
  package static let longest = 2_000

  /// Whole. May hold what is secret: it stands in no event and no answer.
  package let text: String
  /// In small letters, without brackets.
  package let host: String
  /// As it stands in the text.
  let writtenHost: String
  package let port: Int
  /// Scheme, host and port.
  package let place: String

  /// Why a text is none that can be sent to.
  package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
  }

  package init(_ text: String) throws(Problem) {
    guard text.utf8.count <= Self.longest else {
      throw Problem(
        description: "url has \(text.utf8.count) bytes; \(Self.longest) are allowed")
    }
    guard let base = text.firstRange(of: "://").map({ text[$0.upperBound...] }) else {
      throw Problem(description: "url is no address; write it as https://example.com/path")
    }
    // The query is no part of where it leads to. What the rest may be is the same as of an upstream.
    let query = base.firstIndex { $0 == "?" } ?? base.endIndex
    guard let place = BaseURL(String(text[..<query])),
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }),
      !text.contains("\\"), let written = URL(string: text)?.host,
      // What sends reads the host by itself: it must read the same.
      Self.bare(written) == place.host.lowercased()
    else {
      throw Problem(
        description: "url is no address that can be sent to; write it as https://example.com/path,"
          + " without a name, a password or a part behind #")
    }
    self.text = text
    writtenHost = written
    host = place.host.lowercased()
    port = place.port
    let scheme = place.description.prefix { $0 != ":" }
    self.place = "\(scheme)://\(place.authority)"
  }

  /// A host in small letters, without brackets.
  static func bare(_ host: String) -> String {
    (host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host).lowercased()
  }
}

/// Decides whether what a user gave as an address may be connected to: so that nobody reaches through Tollbook what only
/// Tollbook can reach.
///
/// A name is looked up once for each connection, and the connection goes to the very address that was looked at. A name
/// that stands for something else a moment later changes nothing.
package struct AddressGuard: Sendable {
  /// The first address that a name, or an address in any way of writing it, stands for.
  package typealias LookUp = @Sendable (_ host: String, _ port: Int) async throws -> String

  /// Why something is not connected to.
  package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable { case unknownHost, notPublic }
    package var kind: Kind
    package var description: String
  }

  private let allowed: Set<String>
  private let lookUp: LookUp

  /// - Parameter hosts: names and addresses that may be connected to, wherever they are.
  package init(allowing hosts: [String] = [], lookUp: @escaping LookUp = Self.system) {
    allowed = Set(
      hosts.map { host in
        // A port that stands there says nothing: a host is named, with all its ports.
        let parts = host.split(separator: ":", omittingEmptySubsequences: false)
        return GivenURL.bare(parts.count == 2 ? String(parts[0]) : host)
      })
    self.lookUp = lookUp
  }

  /// The address to connect to.
  package func address(of url: GivenURL) async throws(Refusal) -> IPAddress {
    let found: IPAddress?
    do { found = IPAddress(try await lookUp(url.host, url.port)) } catch { found = nil }
    guard let address = found else {
      throw Refusal(kind: .unknownHost, description: "\(url.host) stands for no address")
    }
    guard address.isPublic || allowed.contains(url.host) else {
      let what = "\(address)" == url.host ? url.host : "\(url.host) (\(address))"
      throw Refusal(
        kind: .notPublic,
        description: "\(what) is no public address; name the host in TOLLBOOK_WEBHOOK_ALLOW if it"
          + " may be reached")
    }
    return address
  }

  /// Asks the system, on a thread that may wait for it.
  package static let system: LookUp = { host, port in
    try await NIOThreadPool.singleton.runIfActive {
      try SocketAddress.makeAddressResolvingHost(host, port: port).ipAddress ?? ""
    }
  }
}
