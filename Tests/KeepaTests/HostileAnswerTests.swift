import Deflate
import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookUpstreams

@Suite("answers that are long, or not what they say they are") struct HostileAnswerTests {
  static let asin = KeepaClientTests.asin
  static let body = KeepaClientTests.body
  static let envelope = #""timestamp":1700000000000,"refillIn":9,"refillRate":20,"tokensLeft":-1"#

  /// Asks for a product from a server that gives one answer, and closes the client again.
  private func call(
    _ steps: [LoopbackServer.Step], _ set: (inout KeepaClient.Settings) -> Void = { _ in }
  ) async throws -> UpstreamCall<KeepaProductAnswer> {
    let server = LoopbackServer { _ in steps }
    defer { server.stop() }
    let client = try Self.client(of: server, set)
    let call = await client.products(KeepaClientTests.request, within: .seconds(20))
    await client.shutdown()
    return call
  }

  private static func client(
    of server: LoopbackServer, _ set: (inout KeepaClient.Settings) -> Void
  ) throws -> KeepaClient {
    var settings = KeepaClient.Settings(base: try #require(BaseURL(server.base)))
    set(&settings)
    return KeepaClient(
      credential: UpstreamCredential(id: "keepa:12345678", key: KeepaClientTests.key),
      settings: settings, now: { 1_700_000_000_123 })
  }

  private func expectUnreadable(
    _ call: UpstreamCall<KeepaProductAnswer>, _ detail: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let failure = #expect(throws: UpstreamFailure.self, sourceLocation: sourceLocation) {
      try call.result.get()
    }
    #expect(failure?.reason == .unreadable, sourceLocation: sourceLocation)
    #expect(failure?.charge == .unknown, sourceLocation: sourceLocation)
    #expect(failure?.detail.hasSuffix(detail) == true, sourceLocation: sourceLocation)
  }

  // MARK: - Length

  @Test func `an answer of a million zeros is unreadable, since it is too long`() async throws {
    let zeros = "[0" + String(repeating: ",0", count: 999_999) + "]"
    for gzipped in [false, true] {
      let call = try await call([.whole(zeros, gzipped ? .said : .plain)]) {
        $0.maximumValues = 100_000
      }
      expectUnreadable(call, "HTTP status 200, the answer is too long")
      #expect(call.receivedBytes == zeros.utf8.count)
    }
  }

  @Test func `an answer longer than the bound is too long, as it comes or decompressed`()
    async throws
  {
    let long = String(repeating: " ", count: 5_000)
    for form in [Form.plain, .said] {
      let call = try await call([.whole(long, form)]) { $0.client.maximumBody = 4_096 }
      expectUnreadable(call, "the answer is too long")
    }
  }

  @Test(arguments: [[0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7], [0x1f, 0x8b]] as [[UInt8]])
  func `an answer that does not decompress is not called too long`(bytes: [UInt8]) async throws {
    expectUnreadable(
      try await call([.send(LoopbackServer.Step.head(200, bytes.count) + bytes)]),
      "HTTP status 200, the answer does not decompress")
  }

  @Test func `answers that come in at the same time share one bound`() {
    let all = AnswerBytes(limit: 4_000)
    let second = AnswerBytes.Share(of: all)
    do {
      let first = AnswerBytes.Share(of: all)
      #expect(first.take(2_000) && first.take(1_000))
      #expect(!second.take(1_001))
      #expect(second.take(1_000))
      #expect(!first.take(1) && first.take(0))
    }
    #expect(second.take(3_000) && !second.take(1))
  }

  @Test func `an answer beyond the bound of all is refused, and those before it took nothing`()
    async throws
  {
    let server = LoopbackServer { number in
      [.whole(Self.body + String(repeating: " ", count: number < 20 ? 0 : 2_000))]
    }
    defer { server.stop() }
    let client = try Self.client(of: server) {
      $0.client.maximumBodies = 10 * Self.body.utf8.count
    }
    for _ in 0..<20 {
      _ = try await client.products(KeepaClientTests.request, within: .seconds(20)).result.get()
    }
    expectUnreadable(
      await client.products(KeepaClientTests.request, within: .seconds(20)),
      "the answers under way are too long together")
    await client.shutdown()
  }

  @Test func `a hundred products of the usual length are far below every bound`() throws {
    // As long as a captured product, and of the shortest numbers that there are.
    let numbers = "[0" + String(repeating: ",0", count: 26_000) + "]"
    let asked = (0..<100).map { KeepaASIN("B\(100_000_000 + $0)")! }
    let products = asked.map { #"{"asin":"\#($0)","title":"T","csv":[\#(numbers)]}"# }
    let body = Array(#"{"products":[\#(products.joined(separator: ","))],\#(Self.envelope)}"#.utf8)
    #expect(body.count * 20 < KeepaLimits.body)
    let answer = try KeepaProductAnswer.read(
      status: 200, body: body, asked: asked, contentSet: .plain,
      maximumValues: KeepaLimits.values / 5)
    #expect(answer.products.map(\.asin) == asked)
  }

  @Test func `texts of a summary are cut to a thousand characters`() throws {
    let long = String(repeating: "é", count: 5_000)
    let product = """
      {"title":"\(long)","brand":"\(long)","manufacturer":"\(long)","imagesCSV":"\(long)",\
      "rootCategory":7,"categoryTree":[{"catId":7,"name":"\(long)"}]}
      """
    let summary = KeepaSummary.read(try JSONDocument(Array(product.utf8)).root)
    let cut = String(repeating: "é", count: 1_000) + "…"
    #expect(summary.title == cut && summary.brand == cut && summary.manufacturer == cut)
    #expect(summary.image == cut && summary.rootCategoryName == cut)
  }

  @Test(arguments: [0, 985, 990, 995, 999])
  func `an error's message is cut, and shows no half of the key`(before: Int) async throws {
    let message = String(repeating: "-", count: before) + KeepaClientTests.key
    let long = message + String(repeating: "-", count: 5_000)
    let call = try await call([
      .whole("{\"error\":{\"type\":\"t\",\"message\":\"\(long)\"},\(Self.envelope)}", status: 400)
    ])
    let failure = #expect(throws: UpstreamFailure.self) { try call.result.get() }
    let detail = try #require(failure).detail
    #expect(detail.count < 1_100 && detail.hasSuffix("…"))
    #expect(!detail.contains(KeepaClientTests.key.prefix(4)))
  }

  // MARK: - Forms

  @Test(arguments: Form.allCases)
  func `an answer is read as what it is, whatever it says that it is`(form: Form) async throws {
    let call = try await call([.whole(Self.body, form)])
    #expect(try call.result.get().products.map(\.asin) == [Self.asin])
    #expect(call.receivedBytes == Self.body.utf8.count)
  }

  @Test(arguments: Form.allCases)
  func `a refusal's envelope is read in every form`(form: Form) async throws {
    let body = #"{\#(Self.envelope),"tokensConsumed":0}"#
    let call = try await call([.whole(body, form, status: 429)])
    let failure = #expect(throws: UpstreamFailure.self) { try call.result.get() }
    #expect(failure?.reason == .insufficientTokens)
    #expect(failure?.charge == .known(0))
    #expect(failure?.reading?.balance == -1)
  }

  @Test func `a refusal that does not decompress is still a refusal`() async throws {
    let bytes: [UInt8] = [0x1f, 0x8b, 8, 0]
    let call = try await call([.send(LoopbackServer.Step.head(429, bytes.count) + bytes)])
    let failure = #expect(throws: UpstreamFailure.self) { try call.result.get() }
    #expect(failure?.reason == .insufficientTokens && failure?.charge == .known(0))
    #expect(failure?.status == 429)
  }
}

/// How a body is sent, and what is said of it.
enum Form: CaseIterable, Sendable {
  case plain, said, silent, old, plainCalledGzip, twoMembers, zlib
}

extension LoopbackServer.Step {
  /// A whole answer in one of its forms.
  static func whole(_ body: String, _ form: Form = .plain, status: Int = 200) -> Self {
    let plain = Array(body.utf8)
    let (bytes, headers): ([UInt8], [String]) =
      switch form {
      case .plain: (plain, [])
      case .said: (Deflate.gzip(plain), ["Content-Encoding: gzip"])
      case .silent: (Deflate.gzip(plain), [])
      case .old: (Deflate.gzip(plain), ["Content-Encoding: x-gzip"])
      case .plainCalledGzip: (plain, ["Content-Encoding: gzip"])
      case .twoMembers:
        (Deflate.gzip(Array(plain[..<9])) + Deflate.gzip(Array(plain[9...])), [])
      case .zlib: (zlib(plain), ["Content-Encoding: deflate"])
      }
    return .send(head(status, bytes.count, headers) + bytes)
  }

  /// A zlib stream: RFC 1950 around the raw deflate of a gzip file.
  private static func zlib(_ bytes: [UInt8]) -> [UInt8] {
    var a: UInt32 = 1
    var b: UInt32 = 0
    for byte in bytes {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    let sum = b << 16 | a
    let checksum = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    return [0x78, 0x9c] + Deflate.gzip(bytes).dropFirst(10).dropLast(8) + checksum
  }
}
