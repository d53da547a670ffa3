import Deflate
import Testing

@testable import TollbookSimulators

/// Graphs are valid pictures, drawn once and then free for a while.
@Suite struct KeepaGraphTests {
  private let bench = Bench()

  private func graph(_ parameters: [String: String] = [:]) async -> KeepaAnswer {
    let base = ["asin": "B0AAAAAAAA", "new": "1", "salesrank": "1", "range": "365"]
    return await bench.rawCall("/graphimage", base.merging(parameters) { $1 })
  }

  private func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }

  /// The chunks of a PNG by name; their checksums are compared with zlib's, as gzip computes it.
  private func chunks(_ png: [UInt8]) throws -> [String: [UInt8]] {
    try #require(png.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))
    var chunks: [String: [UInt8]] = [:]
    var index = 8
    while index < png.count {
      let length = number(png[index..<index + 4])
      let end = index + 8 + length
      let checksum = gzip(Array(png[index + 4..<end])).suffix(8).prefix(4).reversed()
      #expect(Array(checksum) == Array(png[end..<end + 4]))
      chunks[String(decoding: png[index + 4..<index + 8], as: UTF8.self)] = Array(
        png[index + 8..<end])
      index = end + 4
    }
    return chunks
  }

  @Test func `a graph is a PNG of the size that was asked for`() async throws {
    let answer = await graph(["width": "800", "height": "300", "cNew": "123456"])
    #expect(answer.status == 200 && answer.content == .png)
    let chunks = try chunks(answer.body)
    #expect(Set(chunks.keys) == ["IHDR", "PLTE", "IDAT", "IEND"])
    let header = try #require(chunks["IHDR"])
    #expect(number(header[0..<4]) == 800 && number(header[4..<8]) == 300)
    #expect(Array(header[8...]) == [8, 3, 0, 0, 0])
    let palette = try #require(chunks["PLTE"])
    #expect(palette.count == 3 * 5 && Array(palette[9..<12]) == [0x12, 0x34, 0x56])
    // zlib checks its own checksum.
    let rows = try gunzip(try #require(chunks["IDAT"]), maximumLength: 1 << 20)
    #expect(rows.count == 801 * 300)
    #expect(rows.max() == 4)
    for line in [3, 4] as [UInt8] { #expect(rows.count { $0 == line } > 700) }
  }

  @Test func `the same graph is the same bytes and another is not`() async throws {
    let first = await graph()
    #expect(await graph() == first)
    let elsewhere = await Bench().rawCall(
      "/graphimage", ["asin": "B0AAAAAAAA", "new": "1", "salesrank": "1", "range": "365"])
    #expect(elsewhere == first)
    #expect(await graph(["yzoom": "0"]).body != first.body)
    #expect(await graph(["asin": "B0AAAAAAAB"]).body != first.body)
    #expect(await graph(["cBackground": "000000"]).body != first.body)
  }

  @Test func `an identical repeat is free for ninety minutes`() async {
    let first = await graph()
    bench.clock.advance(minutes: 89)
    #expect(await graph() == first)
    #expect(bench.simulator.books.tokens == 1)
    _ = await graph(["width": "600"])
    #expect(bench.simulator.books.tokens == 2)
    bench.clock.advance(minutes: 1)
    _ = await graph()
    #expect(bench.simulator.books.tokens == 3)
    #expect(bench.simulator.books.tokensByASIN == ["B0AAAAAAAA": 3])
  }

  @Test func `a repeat by another key is not free`() async {
    let bench = Bench { $0.keys = [KeepaSimulator.sampleKey, KeepaSimulator.sampleKey(1)] }
    _ = await bench.rawCall("/graphimage", ["asin": "B0AAAAAAAA"])
    _ = await bench.rawCall(
      "/graphimage", ["asin": "B0AAAAAAAA", "key": KeepaSimulator.sampleKey(1)])
    #expect(bench.simulator.books.tokens == 2)
  }

  @Test(
    arguments: [
      ["asin": ""], ["asin": "B0"], ["width": "299"], ["width": "1001"], ["height": "149"],
      ["height": "1001"], ["range": "0"], ["new": "2"], ["cNew": "orange"], ["domain": "12"],
    ])
  func `a graph that cannot be drawn is rejected`(parameters: [String: String]) async throws {
    let answer = try Decoded(await graph(parameters))
    #expect(answer.status == 400 && answer.tokens == 0)
  }

  @Test func `an unknown product is an empty grid`() async throws {
    let rows = try gunzip(
      try #require(try chunks(await graph(["asin": "X000000001"]).body)["IDAT"]),
      maximumLength: 1 << 20)
    #expect(rows.max() == 2)
  }
}
