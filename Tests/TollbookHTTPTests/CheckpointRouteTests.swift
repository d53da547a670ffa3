import Hummingbird
import HummingbirdTesting
import Keepa
import Logging
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookProofs
import TollbookTestSupport
import TollbookViews

@testable import TollbookHTTP

@Suite struct CheckpointRouteTests {
  /// Tollbook without an upstream, with a key to sign with.
  private func serving<Value: Sendable>(
    withKey: Bool = true, accessKey: String? = nil,
    _ body: @Sendable (Caller, EventLog) async throws -> Value
  ) async throws -> Value {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    let gateway = Gateway(log: log, keepa: nil, settings: GatewaySettings(), random: { 0 })
    try await gateway.start(version: Stand.version)
    let publisher = CheckpointPublisher(log, signer: try CheckpointSigner.own(log.directory))
    var settings = HTTPSettings(version: Stand.version, startTime: log.time.now())
    settings.accessKey = accessKey
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let application = TollbookApplication(
      gateway: gateway, settings: settings, systems: [.keepa],
      checkpoints: withKey ? publisher : nil, logger: logger)
    return try await application.application().test(.router) { client in
      try await body(Caller(client: client), log)
    }
  }

  @Test func `the key and the checkpoint of the last commit are told, and one verifies the other`()
    async throws
  {
    try await serving { caller, log in
      let told = try await caller.get("/log/key")
      let key = try #require(VerifierKey(told.text.dropLast()))
      #expect(told.status == 200)
      #expect(told.headers[.contentType] == "text/plain; charset=utf-8")
      #expect(told.text == "\(key)\n")
      #expect(key.name.hasPrefix("tollbook-simulated/"))

      let answer = try await caller.get("/log/checkpoint")
      let note = try #require(SignedNote(answer.bytes))
      let checkpoint = try #require(Checkpoint(text: note.text))
      #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
      #expect(answer.headers[.position] == "\(log.head)")
      #expect(key.hasSigned(note))
      #expect(
        checkpoint == Checkpoint(origin: key.name, size: log.head, root: log.root))
      #expect(CheckpointFile(log.directory).notes().isEmpty, "asking publishes nothing")
      #expect(try await caller.send(.post, "/log/checkpoint", body: "{}").status == 405)
    }
  }

  @Test func `the checkpoint moves on with the log, and the key stays`() async throws {
    try await serving { caller, log in
      let first = try await caller.get("/log/checkpoint").text
      let key = try await caller.get("/log/key").text
      try await log.append([.serviceStarted(.init())])
      let second = try await caller.get("/log/checkpoint").text
      #expect(first != second)
      #expect(second.split(separator: "\n")[1] == "\(log.head)")
      #expect(try await caller.get("/log/key").text == key)
    }
  }

  @Test func `without a key nothing is signed, and it says why`() async throws {
    try await serving(withKey: false) { caller, _ in
      for path in ["/log/key", "/log/checkpoint"] {
        let answer = try await caller.get(path)
        #expect(answer.status == 404)
        #expect(answer.string("detail")?.contains("no key to sign with") == true)
      }
    }
  }

  @Test func `who may not read the log gets no checkpoint`() async throws {
    try await serving(accessKey: "secret") { caller, _ in
      let unknown = try await caller.get("/log/checkpoint")
      #expect(unknown.status == 401)
      let known = try await caller.get("/log/checkpoint", [.authorization: "Bearer secret"])
      #expect(known.status == 200)
    }
  }
}
