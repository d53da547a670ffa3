import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog

@testable import TollbookHTTP

@Suite struct `Tags of requests` {
  @Test(arguments: [
    ("", []), ("  ", []), ("branch=TEST", ["branch=TEST"]),
    ("user=ann, branch=a b", ["branch=a b", "user=ann"]), ("a=b=c", ["a=b=c"]),
    ("name=\u{fc}ber", ["name=\u{fc}ber"]),
    ("a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8", ["a=1", "b=2", "c=3", "d=4", "e=5", "f=6", "g=7", "h=8"]),
  ])
  func `tags stand in their order`(_ text: String, _ tags: [String]) throws {
    #expect(try Tags.list(text) == tags)
  }

  @Test(arguments: [
    ("x", "“x” is no tag; a tag is NAME=VALUE, and its name of a–z, 0–9, - and _"),
    ("a=", "“a=” is no tag"), ("=b", "“=b” is no tag"), ("A=b", "“A=b” is no tag"),
    ("a=1,", "“” is no tag"), ("a=1,a=2", "the tag a stands twice; send one of them"),
    ("a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9", "there are more than 8 tags"),
    ("job=7", "the tag job is Tollbook's own"), ("look=second", "the tag look is Tollbook's own"),
    ("job:7=x", "is no tag"),
    ("a=b\u{0}c", "has a control character in it"), ("a=b\u{1b}[2J", "has a control character"),
    ("a=" + String(repeating: "x", count: 10_000), "has 10002 bytes; 64 are allowed"),
  ])
  func `what is no tag is refused, in a sentence that is short`(
    _ text: String, _ sentence: String
  ) {
    let problem = #expect(throws: TagProblem.self) { try Tags.list(text) }
    #expect(problem?.description.contains(sentence) == true, "\(problem?.description ?? "")")
    #expect((problem?.description.utf8.count ?? 0) < 250)
    #expect(problem?.description.unicodeScalars.contains { $0.value < 0x20 } == false)
  }

  @Test func `tags of a header and of a path stand in the event`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"], headers: [.tags: "user=ann, branch=TEST"])
      _ = try await caller.keepa("~tags=user=bob;branch=a/product?domain=1&asin=B000000002")
      _ = try await caller.keepa("product?domain=1&asin=B000000003", [.tags: "user=cat"])
      #expect(
        try stand.demandTags()
          == [["branch=TEST", "user=ann"], ["branch=a", "user=bob"], ["user=cat"]])
    }
  }

  @Test func `a tag that is none costs nothing`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let long = "a=" + String(repeating: "x", count: 10_000)
      for tag in [long, "x", "a=1,a=2"] {
        let answer = try await caller.batch(["B000000001"], headers: [.tags: tag])
        #expect(answer.status == 400)
        #expect(answer.string("field") == "Tollbook-Tags")
        #expect(answer.bytes.count < 1_000)
      }
      for path in [
        "~tags=x/product?domain=1&asin=B000000001", "~tags=job=1/product?domain=1&asin=B000000001",
      ] {
        let answer = try await caller.keepa(path)
        #expect(answer.status == 400)
      }
      #expect(stand.callCount == 0)
    }
  }
}

extension Stand {
  /// The tags of each fetch, in the order of the log.
  fileprivate func demandTags() throws -> [[String]] {
    let log = log
    return try log.read { (reading) throws(LogError) in
      var tags: [[String]] = []
      try log.reader.scan(after: 0, in: reading) { (recorded) throws(LogError) in
        if case .fetchStarted(let event) = recorded.event { tags += event.demands.map(\.tags) }
        return .next
      }
      return tags
    }
  }
}
