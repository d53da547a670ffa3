import Testing
import TollbookTestSupport

@testable import Extraction

@Suite("an answer in pieces") struct GeminiStreamTests {
  private static func piece(_ text: String, _ tokens: Int, _ more: String) -> String {
    #"data: {"candidates":[{"content":{"parts":[{"text":"\#(text)"}]}\#(more)}],"usageMetadata":"#
      + #"{"promptTokenCount":5,"candidatesTokenCount":\#(tokens),"#
      + #""totalTokenCount":\#(5 + tokens)},"modelVersion":"m"}"# + "\r\n\r\n"
  }

  private static let events =
    piece("one", 1, "") + ": a comment\n" + piece("two", 3, #","finishReason":"STOP""#)

  @Test func `the last usage is the charge, however the bytes are cut`() {
    for seed in 0..<50 {
      var numbers = SeededGenerator(seed: UInt64(seed))
      var rest = Array(Self.events.utf8)[...]
      var stream = GeminiStream()
      while !rest.isEmpty {
        let count = min(rest.count, Int.random(in: 1...40, using: &numbers))
        stream.read(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      #expect(stream.pieces == 2, "seed \(seed)")
      #expect(stream.usage == GeminiUsage(prompt: 5, candidates: 3), "seed \(seed)")
      #expect(stream.fault == nil)
    }
  }

  @Test func `what ends early is cut, and tells what it told`() {
    var stream = GeminiStream()
    stream.read(Array(Self.piece("one", 1, "").utf8))
    stream.read(Array("data: {\"candidates\":[".utf8))
    #expect(stream.isCut)
    #expect(stream.usage == GeminiUsage(prompt: 5, candidates: 1))
  }

  @Test func `a stream has begun with its first byte, whole pieces or not`() {
    var stream = GeminiStream()
    stream.read([])
    #expect(!stream.isBegun)
    stream.read(Array("[{".utf8))
    #expect(stream.isBegun)
    #expect(stream.pieces == 0)
  }

  @Test func `lines that are no data are passed over`() {
    var stream = GeminiStream()
    stream.read(Array("event: x\ndata: {\ndata: [1]\n\ndata:{}\n".utf8))
    #expect(stream.pieces == 1)
    #expect(stream.usage == nil)
  }
}
