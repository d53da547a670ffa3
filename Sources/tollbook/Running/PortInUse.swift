import Foundation
import NIOCore
import NIOPosix

/// Somebody else listens there.
struct PortInUse: Error, CustomStringConvertible {
  let host: String
  let port: Int
  /// That chooses another one.
  var flag = "--port"

  var description: String {
    "\(host):\(port) is in use by another program. Stop that one, or choose another port with"
      + " \(flag)."
  }

  /// Listens for a moment, to know whether it can be done.
  static func check(host: String, port: Int, flag: String = "--port") async throws {
    guard port != 0 else { return }
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    do {
      try await bootstrap.bind(host: host, port: port).get().close()
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw PortInUse(host: host, port: port, flag: flag)
    } catch {
      throw Refused("Tollbook cannot listen on \(host):\(port): \(error).")
    }
  }
}
