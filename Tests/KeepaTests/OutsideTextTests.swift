import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookUpstreams

@Suite("texts that an upstream wrote") struct OutsideTextTests {
  @Test func `a refusal's message is one line that steers no terminal`() throws {
    let body = """
      {"error":{"type":"t","message":"no\\u001b[2J\\n  13  forged","details":"\\u009b1Ad"},\
      \(KeepaAnswerTests.fields)}
      """
    let failure = #expect(throws: UpstreamFailure.self) {
      try KeepaProductAnswer.read(
        status: 400, body: Array(body.utf8), asked: [KeepaAnswerTests.a], contentSet: .plain)
    }
    let detail = try #require(failure).detail
    #expect(detail == "t: no [2J  13  forged: 1Ad")
  }

  @Test func `titles and names are one line that steers no terminal`() throws {
    let product = #"{"title":"A\u001b]0;x\u0007\nB","brand":"\u202eb","manufacturer":"\n"}"#
    let summary = KeepaSummary.read(try JSONDocument(Array(product.utf8)).root)
    #expect(summary.title == "A ]0;x B")
    #expect(summary.brand == "b")
    #expect(!summary.hasManufacturer)
  }
}
