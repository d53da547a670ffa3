import Foundation
import TollbookHTTP
import TollbookUpstreams

/// Where a Tollbook that stands for its providers listens, to tell whether its own calls to one would come back to it.
struct OwnAddress: Sendable {
  /// Where clients of providers come. A rule of the system may lead them on from there.
  private static let wellKnownPort = 443

  let addresses: Set<String>
  let ports: Set<Int>

  /// - Parameter addresses: those that are listened on beside 127.0.0.0/8 and ::1.
  init(addresses: Set<String>, ports: Set<Int>) {
    self.addresses = addresses
    self.ports = ports.union([Self.wellKnownPort]).subtracting([0])
  }

  /// Asks the system for the addresses of this machine where all of them are listened on.
  init(_ settings: HTTPSettings) {
    let isEverywhere = ["0.0.0.0", "::"].contains(settings.host)
    let found = isEverywhere ? Host.current().addresses : Self.resolved(settings.host)
    self.init(addresses: Set(found), ports: Set([settings.port, settings.tlsPort ?? 0]))
  }

  /// - Throws: `Refused` if calls to the upstream would come here.
  func check(_ base: BaseURL, by place: ConnectionPlace?) throws(Refused) {
    let host = place?.host ?? base.host
    guard let address = loop(Self.resolved(host), port: place?.port ?? base.port) else { return }
    let way = place == nil ? "" : " (KEEPA_CONNECT_TO)"
    throw Refused(
      "\(host)\(way) leads to \(address), which is this Tollbook itself: set KEEPA_CONNECT_TO to"
        + " Keepa's own address, past this machine's hosts file.")
  }

  /// The first of the addresses that is this Tollbook's own; nil: none is.
  func loop(_ addresses: [String], port: Int) -> String? {
    guard ports.contains(port) else { return nil }
    return addresses.first { HTTPSettings.isLoopback($0) || self.addresses.contains($0) }
  }

  /// What this machine takes a name for; an address stands for itself.
  private static func resolved(_ host: String) -> [String] { Host(name: host).addresses }
}
