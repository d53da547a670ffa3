import AsyncHTTPClient
import NIOCore
import TollbookEvents

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the loss of a connection means for the meter. Only what surely happened before a byte of
/// the request was written is `notSent`; in all other cases the upstream may have worked and charged.
package enum TransportFailure {
  package static let timedOut = UpstreamFailure(
    .timedOut, detail: "no complete answer in time", charge: .unknown)

  package static let cancelled = UpstreamFailure(
    .connectionLost, detail: "given up before the answer was complete", charge: .unknown)

  package static let tooLong = unreadable("the answer is too long")

  package static let tooLongTogether = unreadable("the answers under way are too long together")

  /// Errors are named here in our own words, since theirs may hold the URL and with it the key.
  package static func classify(_ error: any Error) -> UpstreamFailure {
    switch error {
    case let failure as UpstreamFailure: failure
    case let error as HTTPClientError: classify(error)
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      notSent("connection refused")
    case let error as IOError: lost("connection lost: \(error.errnoCode)")
    case is CancellationError: cancelled
    default: classify(named: error)
    }
  }

  private static func classify(_ error: HTTPClientError) -> UpstreamFailure {
    switch error {
    case .connectTimeout: notSent("no connection in time")
    case .tlsHandshakeTimeout: notSent("no TLS handshake in time")
    case .getConnectionFromPoolTimeout: notSent("no free connection in time")
    case .socksHandshakeTimeout, .httpProxyHandshakeTimeout, .invalidProxyResponse,
      .proxyAuthenticationRequired:
      notSent("no connection through the proxy")
    case .invalidURL, .emptyHost, .emptyScheme, .alreadyShutdown:
      notSent(error.shortDescription)
    case .readTimeout, .writeTimeout, .deadlineExceeded: timedOut
    case .cancelled: cancelled
    case let error where error.shortDescription == "Unsupported scheme":
      notSent(error.shortDescription)
    default: lost(error.shortDescription)
    }
  }

  /// Errors of modules that are not imported here are known by their names.
  private static func classify(named error: any Error) -> UpstreamFailure {
    let type = String(reflecting: Swift.type(of: error))
    let name = String(describing: error)
    if type == "NIOPosix.NIOConnectionError" {
      return notSent("the host was not found or refused the connection")
    }
    if type == "NIOSSL.NIOSSLExtraError" || name.hasPrefix("handshakeFailed") {
      return notSent("the TLS handshake failed")
    }
    return lost("connection lost: \(type)")
  }

  private static func notSent(_ detail: String) -> UpstreamFailure {
    UpstreamFailure(.notSent, detail: detail, charge: .none)
  }

  private static func lost(_ detail: String) -> UpstreamFailure {
    UpstreamFailure(.connectionLost, detail: detail, charge: .unknown)
  }

  private static func unreadable(_ detail: String) -> UpstreamFailure {
    UpstreamFailure(.unreadable, detail: detail, charge: .unknown)
  }
}
