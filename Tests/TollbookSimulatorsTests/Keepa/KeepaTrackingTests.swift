import Testing

@testable import TollbookSimulators

/// Trackings: what they cost at once and from then on, and that they are kept in lists.
@Suite struct KeepaTrackingTests {
  private let bench = Bench()

  private func tracking(
    _ asin: String, interval: Int = 1, threshold: Int = 1, type: Int = 1
  ) -> String {
    """
    {"asin":"\(asin)","mainDomainId":1,"updateInterval":\(interval),"ttl":0,"expireNotify":true,
     "metaData":"mine","notificationType":[true,false],
     "thresholdValues":[{"thresholdValue":\(threshold),"domain":1,"csvType":\(type),"isDrop":true}]}
    """
  }

  private func track(
    _ type: String, _ parameters: [String: String] = [:], body: String = ""
  ) async throws -> Decoded {
    try await bench.call(
      "/tracking", parameters.merging(["type": type]) { $1 }, body: body)
  }

  private func asins(_ answer: Decoded) -> [String]? {
    (answer.members["trackings"] as? [[String: Any]])?.compactMap { $0["asin"] as? String }
  }

  @Test func `adding costs one each and all else is free`() async throws {
    let both = "[\(tracking("B0AAAAAAAA")),\(tracking("B0BBBBBBBB"))]"
    let added = try await track("add", body: both)
    #expect(added.tokens == 2 && asins(added) == ["B0AAAAAAAA", "B0BBBBBBBB"])
    let one = try await track("get", ["asin": "B0BBBBBBBB"])
    let entry = try #require((one.members["trackings"] as? [[String: Any]])?.first)
    #expect(entry["metaData"] as? String == "mine" && entry["createDate"] as? Int == bench.minute)
    #expect((entry["notificationType"] as? [Bool]) == [true, false])
    #expect((entry["thresholdValues"] as? [[String: Any]])?.first?["thresholdValue"] as? Int == 1)
    #expect(asins(try await track("list")) == ["B0AAAAAAAA", "B0BBBBBBBB"])
    let short = try await track("list", ["asins-only": "1", "page": "1", "perPage": "1"])
    #expect(short.asins == ["B0BBBBBBBB"])
    _ = try await track("add", body: "[\(tracking("B0AAAAAAAA"))]")
    #expect(asins(try await track("list"))?.count == 2)
    _ = try await track("remove", ["asin": "B0AAAAAAAA"])
    #expect(asins(try await track("list")) == ["B0BBBBBBBB"])
    _ = try await track("removeAll")
    #expect(asins(try await track("list")) == [])
    #expect(try await track("webhook", ["url": "https://example.com/hook"]).status == 200)
    #expect(bench.simulator.books.tokens == 3)
  }

  @Test func `lists are kept apart and have names`() async throws {
    _ = try await track("add", body: "[\(tracking("B0AAAAAAAA"))]")
    _ = try await track("add", ["list": "toys"], body: "[\(tracking("B0BBBBBBBB"))]")
    #expect(asins(try await track("list")) == ["B0AAAAAAAA"])
    #expect(asins(try await track("list", ["list": "toys"])) == ["B0BBBBBBBB"])
    #expect(try await track("listNames").members["trackingListNames"] as? [String] == ["toys"])
    _ = try await track("removeAll", ["list": "toys"])
    #expect(asins(try await track("list")) == ["B0AAAAAAAA"])
  }

  @Test func `watching lowers the refill until it ends`() async throws {
    let bench = Bench { $0.balance = 20 }
    func flow(_ answer: Decoded) -> Double? { answer.members["tokenFlowReduction"] as? Double }
    let cheap = try await bench.call(
      "/tracking", ["type": "add"], body: "[\(tracking("B0AAAAAAAA"))]")
    #expect(flow(cheap) == 0.015)
    let dear = try await bench.call(
      "/tracking", ["type": "add"], body: "[\(tracking("B0BBBBBBBB", type: 10))]")
    #expect(flow(dear) == 0.165)
    #expect(bench.simulator.bucket()?.balance == 18)
    bench.clock.advance(minutes: 2)
    #expect(bench.simulator.bucket()?.balance == 37)
    let gone = try await bench.call("/tracking", ["type": "removeAll"])
    #expect(flow(gone) == 0)
  }

  @Test func `a price that passed its threshold is told once`() async throws {
    let asin = KeepaCatalogue.asin(4, domain: 1)
    let price = ProductProfile(asin: asin, domain: 1).basePrice
    _ = try await track("add", body: "[\(tracking(asin, threshold: price))]")
    func told(_ parameters: [String: String]) async throws -> [[String: Any]] {
      try #require(
        try await track("notification", parameters).members["notifications"] as? [[String: Any]])
    }
    #expect(try await told(["since": "0"]).isEmpty)
    bench.clock.advance(minutes: 200 * 1440)
    let first = try await told(["since": "0"])
    #expect(!first.isEmpty)
    for notification in first {
      #expect(notification["asin"] as? String == asin)
      #expect(try #require((notification["currentPrices"] as? [Int])?[1]) <= price)
    }
    #expect(try await told(["since": "0"]).isEmpty)
    #expect(try await told(["since": "0", "revise": "1"]).count == first.count)
    #expect(try await told(["since": String(bench.minute), "revise": "1"]).isEmpty)
  }

  @Test(
    arguments: [
      "", "{}", "[]", #"[{"asin":"B0AAAAAAAA"}]"#, #"[{"asin":"B0","mainDomainId":1}]"#,
      #"[{"asin":"B0AAAAAAAA","mainDomainId":12}]"#,
      #"[{"asin":"B0AAAAAAAA","mainDomainId":1,"updateInterval":0}]"#,
      #"[{"asin":"B0AAAAAAAA","mainDomainId":1,"thresholdValues":[{"csvType":99}]}]"#,
    ])
  func `what cannot be tracked is rejected`(body: String) async throws {
    let answer = try await track("add", body: body)
    #expect(answer.status == 400 && answer.tokens == 0)
    #expect(asins(try await track("list")) == [])
  }

  @Test func `more than a thousand at once are rejected`() async throws {
    let many = Array(repeating: tracking("B0AAAAAAAA"), count: 1001).joined(separator: ",")
    #expect(try await track("add", body: "[\(many)]").status == 400)
  }

  @Test(
    arguments: [
      [:], ["type": "watch"], ["type": "get"], ["type": "remove"], ["type": "webhook"],
      ["type": "notification", "since": "-1"],
    ])
  func `a tracking call that says nothing is rejected`(
    parameters: [String: String]
  ) async throws {
    #expect(try await bench.call("/tracking", parameters).status == 400)
  }
}
