import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import TollbookSimulators

/// A stand-in for a metered API on a port of this machine.
enum SimulatorOnPort {
  private static let host = "127.0.0.1"

  /// Serves it until the process is told to end.
  ///
  /// - Parameters:
  ///   - port: 0 takes a free one.
  ///   - greeting: what is said when it is ready; gets its address.
  /// - Throws: if the port is taken.
  static func run(
    _ simulator: some ServedSimulator, port: Int,
    greeting: @escaping @Sendable (_ url: String) -> String
  ) async throws {
    try await PortInUse.check(host: host, port: port)
    let quiet = Logger(label: "simulator") { _ in SwiftLogNoOpLogHandler() }
    let service = simulator.service(host: host, port: port, logger: quiet) { channel in
      Console.say(greeting("http://\(host):\(channel.localAddress?.port ?? 0)"))
    }
    let group = ServiceGroup(
      configuration: .init(
        services: [.init(service: service)], gracefulShutdownSignals: EndSignals.services,
        logger: quiet))
    try await group.run()
  }
}
