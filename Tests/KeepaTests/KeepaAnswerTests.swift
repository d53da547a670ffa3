import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookUpstreams

@Suite("Keepa's answers") struct KeepaAnswerTests {
  static let a = KeepaASIN("B00000000A")!
  static let b = KeepaASIN("B00000000B")!
  static let c = KeepaASIN("B00000000C")!

  static let fields = """
    "timestamp":1700000000000,"refillIn":18815,"refillRate":60,"tokenFlowReduction":0.25,\
    "tokensConsumed":7,"tokensLeft":-42,"processingTimeInMs":3
    """
  static let blank = """
    "timestamp":1700000000000,"refillIn":0,"refillRate":0,"tokensConsumed":0,"tokensLeft":0
    """

  static let reading = UpstreamReading(
    balance: -42, upstreamMilliseconds: 1_700_000_000_000,
    nextRefillMilliseconds: 1_700_000_018_815, refillRate: 60, flowReductionThousandths: 250)

  private func read(
    _ body: String, status: Int = 200, asked: [KeepaASIN] = [a, b, c],
    contentSet: ContentSet = .plain
  ) throws(UpstreamFailure) -> KeepaProductAnswer {
    try KeepaProductAnswer.read(
      status: status, body: Array(body.utf8), asked: asked, contentSet: contentSet)
  }

  @Test func `products are found by name and listed as asked`() throws {
    let entry = #"{ "new" : [1.50, "\u00e9"],"asin":"B00000000A", "title":"A" }"#
    let answer = try read(
      """
      {"products":[{"asin":"B00000000C","title":"C","lastUpdate":8075776}, \(entry),
      {"asin":"B00000000X","title":"not asked"},
      {"asin":"B00000000B","title":null,"csv":null}],\(Self.fields)}
      """)
    #expect(answer.products.map(\.asin) == [Self.a, Self.c])
    #expect(answer.absent == [Self.b])
    #expect(answer.unanswered.isEmpty)
    #expect(answer.reading == Self.reading)
    #expect(answer.charge == .known(7))
    // Unknown fields, spaces and the way of writing numbers stay.
    #expect(answer.products[0].body == Array(entry.utf8))
    #expect(answer.products[0].lastUpdateMilliseconds == 0)
    #expect(answer.products[1].lastUpdateMilliseconds == 1_778_386_560_000)
    #expect(answer.products[1].summary.title == "C")
  }

  @Test(
    arguments: [
      (#"{"asin":"B00000000A","productType":4,"title":"x"}"#, true),
      (#"{"asin":"B00000000A","title":null,"csv":null}"#, true),
      (#"{"asin":"B00000000A","title":null,"csv":[null,null]}"#, true),
      (#"{"asin":"B00000000A"}"#, true),
      (#"{"asin":"B00000000A","title":null,"csv":[null,[1,2]]}"#, false),
      (#"{"asin":"b00000000a","title":"x","csv":null}"#, false),
      (#"{"asin":"B00000000A","title":"x","productType":3}"#, false),
      (#"{"asin":"B00000000A","title":"x","productType":5}"#, false),
    ]
  )
  func `an entry that says nothing means absent`(entry: String, isAbsent: Bool) throws {
    let answer = try read("{\"products\":[\(entry)],\(Self.fields)}", asked: [Self.a])
    #expect(answer.absent == (isAbsent ? [Self.a] : []))
    #expect(answer.products.map(\.asin) == (isAbsent ? [] : [Self.a]))
  }

  @Test(arguments: ["\(fields)", "\"products\":null,\(fields)", "\"products\":[],\(fields)"])
  func `an answer without products means that all are absent`(members: String) throws {
    let answer = try read("{\(members)}")
    #expect(answer.absent == [Self.a, Self.b, Self.c])
    #expect(answer.charge == .known(7))
  }

  @Test(
    arguments: [
      "{\"products\":[{\"asin\":\"B00000000A\",\"title\":\"A\"},7],\(fields)}",
      "{\"products\":[{\"asin\":\"B00000000A\",\"title\":\"A\"},{\"asin\":null}],\(fields)}",
      "{\"products\":[{\"asin\":\"B00000000A\",\"title\":\"A\"}],\"error\":{},\(fields)}",
    ]
  )
  func `what is missing from a list with a flaw is not called absent`(body: String) throws {
    let answer = try read(body)
    #expect(answer.products.map(\.asin) == [Self.a])
    #expect(answer.absent.isEmpty)
    #expect(answer.unanswered == [Self.b, Self.c])
  }

  @Test func `where another product came than was asked for, that one is not called absent`() throws
  {
    let answer = try read(
      "{\"products\":[{\"asin\":\"B00000000X\",\"title\":\"X\"}],\(Self.fields)}",
      asked: [Self.a])
    #expect(answer.unasked.map(\.asin) == [KeepaASIN("B00000000X")])
    #expect(answer.absent.isEmpty)
    #expect(answer.unanswered == [Self.a])
  }

  @Test func `products in a damaged envelope are kept, their cost unknown`() throws {
    let answer = try read(
      "{\"products\":[{\"asin\":\"B00000000A\",\"title\":\"A\"}]}", asked: [Self.a])
    #expect(answer.products.map(\.asin) == [Self.a])
    #expect(answer.charge == .unknown)
    #expect(answer.reading == nil)
  }

  @Test(
    arguments: [
      // (status, body, reason, charge, has a reading)
      (429, "{\(fields)}", .insufficientTokens, .known(7), true),
      (429, "{\(blank)}", .insufficientTokens, .known(0), false),
      (429, "<html>", .insufficientTokens, .known(0), false),
      (
        400, "{\"error\":{\"type\":\"notEnoughTokens\"},\(fields)}", .insufficientTokens, .known(7),
        true
      ),
      (400, "{\"error\":{\"type\":\"invalidParameter\"},\(blank)}", .keyRejected, .known(0), false),
      (402, "{\"error\":{\"type\":\"unauthorized\"},\(fields)}", .keyRejected, .known(7), true),
      (402, "", .keyRejected, .known(0), false),
      (400, "{\"error\":{\"type\":\"unauthorized\"}}", .keyRejected, .known(0), false),
      (
        400, "{\"error\":{\"type\":\"invalidParameter\"},\(fields)}", .requestRejected, .known(7),
        true
      ),
      (404, "{\(fields)}", .requestRejected, .known(7), true),
      (405, "{\(blank)}", .requestRejected, .unknown, false),
      (
        200, "{\"error\":{\"type\":\"invalidParameter\"},\(fields)}", .requestRejected, .known(7),
        true
      ),
      (
        200, "{\"error\":{\"type\":\"x\"},\"products\":[],\(blank)}", .requestRejected, .unknown,
        false
      ),
      (500, "{\(fields)}", .upstreamError, .known(7), true),
      (500, "{\"error\":{\"type\":\"unauthorized\"},\(fields)}", .upstreamError, .known(7), true),
      (500, "{\(blank)}", .upstreamError, .unknown, false),
      (503, "<html>Service Unavailable</html>", .upstreamError, .unknown, false),
      (502, "", .upstreamError, .unknown, false),
      (200, "<html></html>", .unreadable, .unknown, false),
      (200, "", .unreadable, .unknown, false),
      (200, "{\"products\":[{\"asin\":", .unreadable, .unknown, false),
      (200, "{}", .unreadable, .unknown, false),
      (200, "[]", .unreadable, .unknown, false),
      (200, "{\"products\":\"none\"}", .unreadable, .unknown, false),
      (404, "<html>", .unreadable, .unknown, false),
      (302, "", .unreadable, .unknown, false),
      (302, "{\(fields)}", .unreadable, .known(7), true),
    ] as [(Int, String, FailureReason, UpstreamCharge, Bool)]
  )
  func `failures are told apart, each with its charge`(
    status: Int, body: String, reason: FailureReason, charge: UpstreamCharge, hasReading: Bool
  ) {
    let failure = #expect(throws: UpstreamFailure.self) {
      try KeepaProductAnswer.read(
        status: status, body: Array(body.utf8), asked: [Self.a], contentSet: .plain)
    }
    #expect(failure?.reason == reason)
    #expect(failure?.charge == charge)
    #expect(failure?.status == status)
    #expect(failure?.reading == (hasReading ? Self.reading : nil))
    #expect(failure?.detail.isEmpty == false)
  }

  @Test func `every cut of an answer is unreadable`() {
    let body = Array("{\"products\":[{\"asin\":\"B00000000A\"}],\(Self.fields)}".utf8)
    for length in 0..<body.count {
      let failure = #expect(throws: UpstreamFailure.self) {
        try KeepaProductAnswer.read(
          status: 200, body: Array(body.prefix(length)), asked: [Self.a], contentSet: .plain)
      }
      #expect(failure?.reason == .unreadable && failure?.charge == .unknown)
    }
  }

  @Test func `a product holds the parts that came, not those that were asked for`() throws {
    let entry = #"{"asin":"B00000000A","title":"A","offersSuccessful":SUCCESS}"#
    func read(_ success: String, _ asked: ContentSet) throws -> ContentSet? {
      let product = entry.replacing("SUCCESS", with: success)
      return try self.read(
        "{\"products\":[\(product)],\(Self.fields)}", asked: [Self.a], contentSet: asked
      ).products.first?.contentSet
    }
    #expect(try read("true", .offers) == .offers)
    // Keepa could not collect the offers, and takes the price of a plain product.
    #expect(try read("false", .offers) == .plain)
    #expect(try read("false", .rating) == .rating)
  }

  @Test func `the error's own words are kept`() {
    let failure = #expect(throws: UpstreamFailure.self) {
      try read(
        "{\"error\":{\"type\":\"t\",\"message\":\"m\",\"details\":\"d\"},\(Self.fields)}")
    }
    #expect(failure?.detail == "t: m: d")
  }

  @Test(
    arguments: [
      ("tokensLeft", "41.5", 41), ("tokensLeft", "-0.5", -1), ("tokensLeft", "42", 42),
    ] as [(String, String, Int64)]
  )
  func `a fractional balance is rounded down`(name: String, text: String, balance: Int64) throws {
    let body = "{\"timestamp\":9,\"refillIn\":1,\"refillRate\":5,\"\(name)\":\(text)}"
    let reading = try KeepaBalanceAnswer.read(status: 200, body: Array(body.utf8))
    #expect(reading.balance == balance)
  }

  @Test(
    arguments: [
      (200, "{\(blank)}", .unreadable), (400, "{\(blank)}", .keyRejected),
      (503, "<html>", .upstreamError), (200, "<html>", .unreadable),
      (402, "{\(blank)}", .keyRejected), (429, "{}", .insufficientTokens),
    ] as [(Int, String, FailureReason)]
  )
  func `a failed question for the balance costs nothing`(
    status: Int, body: String, reason: FailureReason
  ) {
    let failure = #expect(throws: UpstreamFailure.self) {
      try KeepaBalanceAnswer.read(status: status, body: Array(body.utf8))
    }
    #expect(failure?.reason == reason)
    #expect(failure?.charge == .known(0))
  }
}
