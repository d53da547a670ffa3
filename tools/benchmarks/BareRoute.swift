import ArgumentParser
import Crypto
import Hummingbird

/// A Hummingbird server with fixed answers: what `GET /keepa/products` and `POST /extract` are measured against.
struct BareRoute: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bare-route",
    abstract: "Serves a fixed body until it is stopped: at /, and at /hash to whoever posts.")

  /// The longest body that is taken, in bytes.
  private static let longestBody = 32 << 20

  @Option(help: "Port on 127.0.0.1.") var port = 8090
  @Option(help: "Size of the body in bytes.") var bytes = 7_000

  func run() async throws {
    let router = Router()
    let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes)
    router.get("/") { _, _ in
      Response(
        status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: body))
    }
    // The digest of what was posted is told, so that it is not left out.
    router.post("/hash") { request, _ in
      let posted = try await request.body.collect(upTo: Self.longestBody)
      let digest = SHA256.hash(data: Array(posted.readableBytesView))
      let tag = digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
      return Response(
        status: .ok, headers: [.contentType: "application/json", .eTag: "\"\(tag)\""],
        body: .init(byteBuffer: body))
    }
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
    try await application.runService()
  }
}
