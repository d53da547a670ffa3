import Foundation
import JSONText
import Testing
import TollbookTestSupport

@testable import tollbook

/// Tollbook in the place of api.keepa.com, as processes.
@Suite struct TLSTests {
  private let folder: TemporaryFolder
  private let simulated = [
    "serve", "--simulate", "--tls", "--port", "0", "--tls-port", "0", "--data-dir", "data",
  ]

  init() throws { folder = try TemporaryFolder() }

  private func initialize(_ more: [String] = []) async throws -> Ended {
    try await Binary.run(["tls", "init", "--simulate", "--data-dir", "data"] + more, in: folder)
  }

  /// What curl says of an address, with the service's own authority as the only one.
  private func curl(_ arguments: [String]) async throws -> Ended {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["curl", "--silent", "--show-error", "--max-time", "60", "--noproxy", "*"] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let output = Lines()
    let errors = Lines()
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    let texts = (await output.all(), await errors.all())
    process.waitUntilExit()
    return Ended(status: process.terminationStatus, output: texts.0, errors: texts.1)
  }

  private func keepa(_ serving: Serving, _ path: String) async throws -> JSONValue {
    let port = try #require(serving.secureURL?.split(separator: ":").last)
    let ended = try await curl([
      "--compressed", "--cacert", "data/tls/ca.pem",
      "--connect-to", "api.keepa.com:443:127.0.0.1:\(port)", "https://api.keepa.com\(path)",
    ])
    #expect(ended.status == 0, "\(ended.errors)")
    return try JSONDocument(Array(ended.output.utf8)).root
  }

  @Test func `who asks api.keepa.com is answered, and the second time costs nothing`() async throws
  {
    let made = try await initialize()
    #expect(made.status == 0, "\(made.errors)")
    let serving = try await Serving(simulated, in: folder)
    let secure = try #require(serving.secureURL)
    #expect(serving.greeting.contains("As api.keepa.com it listens with TLS at \(secure)"))
    let path = "/product?key=any&domain=1&asin=B09T2ZLMHB"
    let first = try await keepa(serving, path)
    #expect(first["products"]?[0]?["asin"]?.string == "B09T2ZLMHB")
    #expect(first["tokensConsumed"]?.int64 == 1)
    #expect(try await keepa(serving, path)["tokensConsumed"]?.int64 == 0)
    let refused = try await keepa(
      serving, "/~max-tokens=0/product?key=any&domain=1&asin=B0BSHF7WHW")
    #expect(refused["error"]?["type"]?.string == "requestLimit")
    // Under its own name it is itself.
    let ledger = try await curl(["--cacert", "data/tls/ca.pem", "\(secure)/ledger"])
    #expect(ledger.output.contains("\"settled\":1"))
    // Who does not trust the authority gets nothing.
    #expect(try await curl(["\(secure)/ledger"]).status == 60)
    let ended = await serving.end()
    #expect(ended.status == 0)
    #expect(!ended.errors.contains("warning"))
  }

  @Test func `plain HTTP to the port with TLS, and TLS to the other one, end at once`()
    async throws
  {
    #expect(try await initialize().status == 0)
    let serving = try await Serving(simulated, in: folder)
    let secure = try #require(serving.secureURL)
    for _ in 0..<3 {
      let plain = try await curl([secure.replacing("https:", with: "http:") + "/health"])
      #expect([52, 56].contains(plain.status), "\(plain.status) \(plain.errors)")
      let other = try await curl(["-k", serving.url.replacing("http:", with: "https:")])
      #expect([35, 52, 56].contains(other.status), "\(other.status) \(other.errors)")
    }
    #expect(try await serving.get("/health")["status"]?.string == "ok")
    #expect(
      try await curl(["--cacert", "data/tls/ca.pem", "\(secure)/health"]).output.contains("ok"))
    let ended = await serving.end()
    #expect(ended.status == 0)
    #expect(!ended.errors.contains(" error "), "\(ended.errors)")
  }

  @Test func `on the listener without TLS the provider's name stays foreign`() async throws {
    #expect(try await initialize().status == 0)
    let serving = try await Serving(simulated, in: folder)
    let answer = try await curl(["-H", "Host: api.keepa.com", "\(serving.url)/product"])
    #expect(answer.output.contains("foreign-host"))
    _ = await serving.end()
  }

  @Test func `init tells the way here, makes nothing twice, and renews for the same names`()
    async throws
  {
    let made = try await initialize(["--name", "api.keepa.com", "--name", "10.0.0.7"])
    #expect(made.status == 0)
    for line in [
      "127.0.0.1 api.keepa.com ", "REQUESTS_CA_BUNDLE=", "SSL_CERT_FILE=", "keytool -importcert",
      "--dport 443 -j REDIRECT --to-ports 8443", "setcap", "authbind", "KEEPA_CONNECT_TO",
    ] {
      #expect(made.output.contains(line), "\(line)")
    }
    let before = try folder.contents()
    let again = try await initialize()
    #expect(again.status == 1)
    #expect(
      again.errors
        == "Error: data/tls/ca.pem is there already; --renew puts a new one in its place.\n")
    #expect(try folder.contents() == before)
    let renewed = try await initialize(["--renew"])
    #expect(renewed.status == 0)
    #expect(renewed.output.contains("For api.keepa.com, 10.0.0.7, until"))
    #expect(renewed.output.contains("give the new ca.pem to every client"))
    let after = try folder.contents()
    #expect(after.keys.sorted() == before.keys.sorted())
    for name in ["ca.pem 644", "server.pem 644", "server.key 600"] {
      #expect(after["data/tls/\(name)"] != before["data/tls/\(name)"], "\(name)")
    }
    let wrong = try await initialize(["--renew", "--name", "*.keepa.com"])
    #expect(wrong.status == 2)
    #expect(try folder.contents() == after)
  }

  @Test func `a certificate that does not fit leaves no half of a key`() async throws {
    let process = Binary.process([], in: folder.path, environment: [:])
    let tool = try #require(process.executableURL?.path)
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", #"ulimit -f 0; exec "$0" "$@""#, tool, "tls", "init", "--dir", "certificates",
    ]
    // The folder of the data, whose marker would not fit either, is not needed.
    process.environment?["TOLLBOOK_TLS_DIR"] = "\(folder.path)/certificates"
    let errors = Lines()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors.pipe
    try process.run()
    let said = await errors.all()
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(said.contains("server.key cannot be written: File too large."), "\(said)")
    let left = try? FileManager.default.contentsOfDirectory(
      atPath: "\(folder.path)/certificates")
    #expect((left ?? []).isEmpty, "\(left ?? [])")
  }

  @Test func `a folder of somebody else gets no certificate`() async throws {
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/data", withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/data/diary.txt"))
    let ended = try await initialize()
    #expect(ended.status == 1)
    #expect(ended.errors.contains("not tollbook's"))
    #expect(try folder.contents().count == 2)
  }

  @Test
  func
    `a certificate that is missing or past its end stops the start; one that ends soon is told`()
    async throws
  {
    let missing = try await Binary.run(simulated, in: folder)
    #expect(missing.status == 1)
    #expect(
      missing.errors
        == "Error: data/tls/server.pem is missing; `tollbook tls init` makes it.\n")
    #expect(try folder.contents().isEmpty)

    let files = CertificateFiles(folder: "\(folder.path)/data/tls")
    let name = try #require(ServerName("localhost"))
    let ended = Date().addingTimeInterval(-400 * 86_400)
    try files.write(try MadeCertificate(for: [name], at: ended))
    let expired = try await Binary.run(simulated, in: folder)
    #expect(expired.status == 1)
    #expect(
      expired.errors.hasPrefix("Error: the certificate data/tls/server.pem ended on 20"),
      "\(expired.errors)")

    let soon = Date().addingTimeInterval(-380 * 86_400)
    try files.write(try MadeCertificate(for: [name], at: soon))
    let serving = try await Serving(simulated, in: folder)
    let served = await serving.end()
    #expect(served.errors.contains("warning"))
    #expect(served.errors.contains("data/tls/server.pem ends on 20"))
  }

  @Test func `a call to Keepa that would come back here stops the start`() async throws {
    #expect(try await Binary.run(["tls", "init", "--dir", "tls"], in: folder).status == 0)
    let before = try folder.contents()
    func start(_ more: [String: String]) async throws -> Ended {
      try await Binary.run(
        ["serve", "--port", "0", "--tls-port", "0", "--data-dir", "data"], in: folder,
        environment: [
          "TOLLBOOK_TLS": "on", "TOLLBOOK_TLS_DIR": "tls", "KEEPA_API_KEY": "any",
        ].merging(more, uniquingKeysWith: { $1 }))
    }
    let looped = try await start(["KEEPA_BASE_URL": "https://localhost"])
    #expect(looped.status == 1)
    #expect(looped.errors.hasPrefix("Error: localhost leads to "), "\(looped.errors)")
    #expect(looped.errors.contains("which is this Tollbook itself: set KEEPA_CONNECT_TO"))
    let led = try await start(["KEEPA_CONNECT_TO": "127.0.0.1"])
    #expect(led.status == 1)
    #expect(led.errors.hasPrefix("Error: 127.0.0.1 (KEEPA_CONNECT_TO) leads to"))
    #expect(try folder.contents() == before)
  }

  @Test func `one port for both is refused`() async throws {
    let ended = try await Binary.run(
      ["serve", "--simulate", "--tls", "--port", "8001", "--tls-port", "8001"], in: folder)
    #expect(ended.status == 2)
    #expect(ended.errors == "Error: the port is 8001, with TLS and without.\n")
  }

  @Test func `Keepa is called where it is said to be, and must show a certificate of its own`()
    async throws
  {
    #expect(try await initialize().status == 0)
    let stranger = try await Serving(simulated, in: folder)
    let port = try #require(stranger.secureURL?.split(separator: ":").last)
    let serving = try await Serving(
      ["serve", "--port", "0", "--data-dir", "real"], in: folder,
      environment: ["KEEPA_API_KEY": "any", "KEEPA_CONNECT_TO": "127.0.0.1:\(port)"])
    #expect(
      serving.greeting.contains(
        "Keepa is at https://api.keepa.com, connected to at 127.0.0.1:\(port)."))
    let answer = try await serving.batch(["B09T2ZLMHB"])
    #expect(answer["stats"]?["tokens_used"]?.int64 == 0)
    let why = answer["results"]?[0]?["error"]?["detail"]?.string ?? ""
    #expect(why.contains("TLS handshake failed"), "\(why)")
    _ = await serving.end()
    _ = await stranger.end()
  }
}
