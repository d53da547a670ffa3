import ArgumentParser
import Hummingbird

/// A Hummingbird server with one route and a fixed body: what `GET /keepa/products` is measured against.
struct BareRoute: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bare-route", abstract: "Serves a fixed body at / until it is stopped.")

  @Option(help: "Port on 127.0.0.1.") var port = 8090
  @Option(help: "Size of the body in bytes.") var bytes = 7_000

  func run() async throws {
    let router = Router()
    let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes)
    router.get("/") { _, _ in
      Response(
        status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: body))
    }
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
    try await application.runService()
  }
}
