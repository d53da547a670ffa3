import Foundation
import Testing

@testable import TollbookSimulators

/// The simulator below HTTP: keys, envelopes, charges, freshness, unknown products, recordings.
@Suite struct KeepaSimulatorTests {
  private let zeros = ["tokensLeft", "refillIn", "refillRate", "tokensConsumed"]

  // MARK: Keys and envelopes

  @Test func `the sample keys are distinct and 64 characters long`() {
    let keys = Set((0..<20).map { KeepaSimulator.sampleKey($0) })
    #expect(keys.count == 20)
    #expect(keys.allSatisfy { $0.utf8.count == 64 })
  }

  @Test(arguments: ["", "short", String(repeating: "k", count: 65)])
  func `a key of the wrong length is an invalid parameter without a bucket`(
    key: String
  ) async throws {
    let answer = try await Bench().ask("B0AAAAAAAA", ["key": key])
    #expect(answer.status == 400)
    #expect(answer.error?["type"] == "invalidParameter")
    #expect(zeros.allSatisfy { answer.int($0) == 0 })
    #expect(answer.int("timestamp") == 1_795_000_000_000)
  }

  @Test func `an unknown key is unauthorized without a bucket`() async throws {
    let answer = try await Bench().ask("B0AAAAAAAA", ["key": String(repeating: "k", count: 64)])
    #expect(answer.status == 402)
    #expect(answer.error?["type"] == "unauthorized")
    #expect(zeros.allSatisfy { answer.int($0) == 0 })
  }

  @Test func `an unknown path is not found`() async throws {
    let answer = try await Bench().ask("B0AAAAAAAA", path: "/produkt")
    #expect(answer.status == 404)
    #expect(zeros.allSatisfy { answer.int($0) == 0 })
  }

  @Test func `an empty bucket refuses with the bare envelope`() async throws {
    let bench = Bench { $0.balance = 0 }
    let answer = try await bench.ask("B0AAAAAAAA")
    #expect(answer.status == 429)
    #expect(answer.error == nil)
    #expect(answer.products == nil)
    #expect(answer.int("tokensConsumed") == 0)
    #expect(answer.int("tokensLeft") == 0)
    #expect(answer.int("refillRate") == 20)
    #expect(answer.int("refillIn") == 60_200)
    #expect(bench.simulator.books.refused == 1)
    #expect(bench.simulator.books.tokens == 0)
  }

  @Test func `a refusal can explain itself`() async throws {
    let bench = Bench {
      $0.balance = -5
      $0.explainsRefusals = true
    }
    #expect(try await bench.ask("B0AAAAAAAA").error?["type"] == "notEnoughTokens")
  }

  @Test(arguments: ["/token", "/token/"])
  func `the token path is free at any balance`(path: String) async throws {
    let bench = Bench { $0.balance = -31 }
    let answer = try await bench.ask("", path: path)
    #expect(answer.status == 200)
    #expect(answer.int("tokensLeft") == -31)
    #expect(answer.members["tokenFlowReduction"] as? Double == 0)
    #expect(answer.products == nil)
    #expect(bench.simulator.bucket()?.balance == -31)
  }

  @Test func `parameters out of range are rejected with a reading of the bucket`() async throws {
    let bench = Bench()
    let many = (100...200).map { "B000000\($0)" }.joined(separator: ",")
    for (asins, parameters) in [("B0AAAAAAAA", ["domain": "7"]), (many, [:])] {
      let answer = try await bench.ask(asins, parameters)
      #expect(answer.status == 400)
      #expect(answer.error?["type"] == "invalidParameter")
      #expect(answer.int("tokensLeft") == 1200)
      #expect(answer.int("tokensConsumed") == 0)
    }
    #expect(bench.simulator.books.rejected == 2)
  }

  // MARK: Charges

  @Test func `a call is charged as its parts cost and the books say so`() async throws {
    let bench = Bench()
    let answer = try await bench.ask(
      "B0AAAAAAAA,B0BBBBBBBB", ["rating": "1", "buybox": "1"])
    #expect(answer.int("tokensConsumed") == 8)
    #expect(answer.int("tokensLeft") == 1192)
    let books = bench.simulator.books
    #expect(books.tokens == 8)
    #expect(books.tokensByASIN == ["B0AAAAAAAA": 4, "B0BBBBBBBB": 4])
    #expect(books.admitted == 1 && books.answered == 1)
    #expect(books.calls.map(\.shares) == [[4, 4]])
    #expect(books.calls.last?.balance == 1192)
  }

  @Test func `offers are charged by what the product has`() async throws {
    let bench = Bench()
    for (offers, price) in [(1...10, 6), (11...20, 12), (21...60, 12)] {
      let answer = try await bench.ask(try sampleASIN(offers: offers), ["offers": "20"])
      #expect(answer.int("tokensConsumed") == price)
    }
    let again = try await bench.ask(try sampleASIN(offers: 11...20), ["offers": "20"])
    #expect(again.int("tokensConsumed") == 5)
    let live = try await bench.ask(
      try sampleASIN(offers: 11...20), ["offers": "20", "update": "0"])
    #expect(live.int("tokensConsumed") == 12)
  }

  @Test func `a duplicate is charged and served once`() async throws {
    let answer = try await Bench().ask("B0AAAAAAAA,B0BBBBBBBB,B0AAAAAAAA")
    #expect(answer.int("tokensConsumed") == 2)
    #expect(answer.products?.compactMap { $0["asin"] as? String } == ["B0AAAAAAAA", "B0BBBBBBBB"])
  }

  @Test func `a call may spend far more than there is and the next is refused`() async throws {
    let bench = Bench { $0.balance = 1 }
    let asins = (100..<140).map { "B000000\($0)" }.joined(separator: ",")
    #expect(try await bench.ask(asins).int("tokensLeft") == -39)
    #expect(try await bench.ask("B0AAAAAAAA").status == 429)
    bench.clock.advance(minutes: 2)
    #expect(try await bench.ask("B0AAAAAAAA").status == 429)
    bench.clock.advance(minutes: 2)
    #expect(try await bench.ask("B0AAAAAAAA").status == 200)
    #expect(bench.simulator.bucket()?.balance == 20)
  }

  @Test func `each key has a bucket of its own`() async throws {
    let bench = Bench { $0.keys = [KeepaSimulator.sampleKey, KeepaSimulator.sampleKey(1)] }
    _ = await bench.raw("B0AAAAAAAA", ["key": KeepaSimulator.sampleKey(1)])
    #expect(bench.simulator.bucket()?.balance == 1200)
    #expect(bench.simulator.bucket(of: KeepaSimulator.sampleKey(1))?.balance == 1199)
    #expect(bench.simulator.books.tokensByKeySuffix == ["0001": 1])
  }

  // MARK: Freshness

  @Test func `a copy is refreshed when it is older than the caller allows`() async throws {
    let bench = Bench()
    let minute = KeepaMinutes.containing(milliseconds: bench.clock.now)
    func lastUpdate(_ update: String) async throws -> Int {
      try #require(
        try await bench.product("B0AAAAAAAA", ["update": update, "history": "0"])["lastUpdate"]
          as? Int)
    }
    let old = try await lastUpdate("-1")
    #expect(old < minute)
    #expect(try await lastUpdate("1") == minute)
    bench.clock.advance(minutes: 30)
    #expect(try await lastUpdate("1") == minute)
    #expect(try await lastUpdate("-1") == minute)
    let young = try await bench.ask("B0AAAAAAAA", ["update": "0"])
    #expect(young.int("tokensConsumed") == 2)
    #expect(young.products?.first?["lastUpdate"] as? Int == minute + 30)
    bench.clock.advance(minutes: 61)
    let aged = try await bench.ask("B0AAAAAAAA", ["update": "0"])
    #expect(aged.int("tokensConsumed") == 1)
    #expect(aged.products?.first?["lastUpdate"] as? Int == minute + 91)
  }

  // MARK: Unknown products

  @Test(arguments: ["XXXXXXXXXX", "X000000001,b0aaaaaaaa,B0"])
  func `an answer without any known product has no products`(asins: String) async throws {
    let answer = try await Bench().ask(asins)
    #expect(answer.status == 200)
    #expect(answer.members["products"] == nil)
    #expect(answer.error == nil)
  }

  @Test func `an unknown product among known ones is an entry of type 4`() async throws {
    let products = try await Bench().ask("B0AAAAAAAA,X000000001").products
    #expect(products?.count == 2)
    #expect(products?.last?["productType"] as? Int == 4)
    #expect(products?.last?["title"].map { "\($0)" } == "<null>")
    #expect(products?.last?["csv"].map { "\($0)" } == "<null>")
    let bench = Bench { $0.omitsUnknown = true }
    #expect(try await bench.ask("B0AAAAAAAA,X000000001").products?.count == 1)
  }

  @Test func `an unknown product costs nothing if Keepa must not look`() async throws {
    let bench = Bench()
    #expect(try await bench.ask("X000000001", ["update": "-1"]).int("tokensConsumed") == 0)
    #expect(try await bench.ask("X000000001").int("tokensConsumed") == 1)
  }

  // MARK: Recordings

  @Test func `a recorded product is served byte for byte`() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tollbook-bodies-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let product = #"{ "asin" : "B0RECORDED", "title":"a ] } \" é", "csv":[ null,[1,2] ] }"#
    let other = #"{"asin":"B0OTHERONE","products":[{"asin":"B0RECORDED"}]}"#
    let recording = """
      {"error": null, "note": "products", "products" : [ \(other) ,
        \(product)
      ], "tokensLeft": 5}
      """
    try Data(recording.utf8).write(to: folder.appendingPathComponent("B0RECORDED.json"))
    try Data(" \(product)\n".utf8).write(to: folder.appendingPathComponent("B0SINGLE00.json"))
    let bench = Bench { $0.bodies = RecordedBodies(folder: folder.path) }
    let answer = await bench.raw("B0RECORDED")
    let text = String(decoding: answer.body, as: UTF8.self)
    #expect(text.contains("\"products\":[\(product)],"))
    // A recording of another product does not count; it is invented instead.
    #expect(try await bench.product("B0SINGLE00")["title"] as? String != "a ] } \" é")
    let mixed = try await bench.ask("B0AAAAAAAA,B0RECORDED")
    #expect(mixed.products?.count == 2)
    #expect(mixed.int("tokensConsumed") == 2)
  }

  @Test func `a recording of a single product is found too`() throws {
    let bytes = Array("\n {\"csv\":null,\"asin\":\"B0SINGLE00\"} \n".utf8)
    let range = try #require(RecordedBodies.product(asin: "B0SINGLE00", in: bytes))
    #expect(String(decoding: bytes[range], as: UTF8.self) == #"{"csv":null,"asin":"B0SINGLE00"}"#)
  }

  @Test(arguments: [
    "", "{", "[", "{\"products\":[{\"asin\":", "{\"products\":7}", "\"", "nonsense",
  ])
  func `a damaged recording is no recording`(text: String) {
    #expect(RecordedBodies.product(asin: "B0SINGLE00", in: Array(text.utf8)) == nil)
  }
}
