import Testing

@testable import TollbookSimulators

/// What all paths have in common: keys, refusals, faults, books.
@Suite struct KeepaEndpointTests {
  /// A call of every path that costs something.
  static let calls: [(path: String, parameters: [String: String], tokens: Int)] = [
    ("/product", ["asin": "B0AAAAAAAA"], 1), ("/bestsellers", ["category": "90000011"], 50),
    ("/query", ["selection": #"{"rootCategory":90000011}"#], 11),
    ("/category", ["category": "0"], 1), ("/search", ["type": "category", "term": "storage"], 1),
    ("/search", ["type": "product", "term": "bamboo set", "page": "0"], 10),
    ("/deal", ["selection": #"{"domainId":1,"priceTypes":[1],"includeCategories":[90000011]}"#], 5),
    ("/seller", ["seller": ProductProfile.seller(0)], 1), ("/topseller", [:], 50),
    ("/lightningdeal", ["asin": "B0AAAAAAAA"], 1), ("/graphimage", ["asin": "B0AAAAAAAA"], 1),
  ]

  @Test(arguments: calls)
  func `every path answers with and without a slash and is written down`(
    path: String, parameters: [String: String], tokens: Int
  ) async {
    let bench = Bench()
    let plain = await bench.rawCall(path, parameters)
    #expect(plain.status == 200)
    #expect(bench.simulator.books.tokensByPath == [path: tokens])
    let other = Bench()
    #expect(await other.rawCall(path + "/", parameters) == plain)
    #expect(other.simulator.books == bench.simulator.books)
  }

  @Test(arguments: calls)
  func `every path refuses at an empty bucket and knows its keys`(
    path: String, parameters: [String: String], tokens: Int
  ) async throws {
    let bench = Bench { $0.balance = 0 }
    #expect(try Decoded(await bench.rawCall(path, parameters)).status == 429)
    let wrong = parameters.merging(["key": "short"]) { $1 }
    let rejected = try Decoded(await bench.rawCall(path, wrong))
    #expect(rejected.status == 400 && rejected.int("refillRate") == 0)
    let unknown = parameters.merging(["key": String(repeating: "u", count: 64)]) { $1 }
    #expect(try Decoded(await bench.rawCall(path, unknown)).status == 402)
    #expect(bench.simulator.books.tokens == 0)
  }

  @Test(
    arguments: calls,
    [(.http500, 500), (.http503, 503), (.error200, 200), (.html200, 200), (.drop, 0)]
      as [(KeepaFault.Kind, Int)])
  func `faults strike every path`(
    call: (path: String, parameters: [String: String], tokens: Int),
    fault: (kind: KeepaFault.Kind, status: Int)
  ) async {
    let bench = Bench { $0.faults = KeepaFaults([KeepaFault(fault.kind, next: 1)]) }
    let answer = await bench.rawCall(call.path, call.parameters)
    #expect(answer.status == fault.status && answer.content != .png)
    #expect(bench.simulator.books.tokens == (fault.kind == .drop ? call.tokens : 0))
    let next = await bench.rawCall(call.path, call.parameters)
    #expect(next.status == 200)
  }

  @Test func `a fault of one path leaves the others alone`() async {
    let bench = Bench {
      $0.faults = KeepaFaults([KeepaFault(.http500, next: 1, of: "/query")])
    }
    #expect(await bench.rawCall("/product", ["asin": "B0AAAAAAAA"]).status == 200)
    #expect(await bench.rawCall("/query/", ["selection": "{}"]).status == 500)
    #expect(await bench.rawCall("/query", ["selection": "{}"]).status == 200)
  }

  @Test func `a graph may be no picture and is paid for`() async throws {
    let bench = Bench {
      $0.faults = KeepaFaults([KeepaFault(.notPNG, next: 1, of: "/graphimage")])
    }
    let answer = await bench.rawCall("/graphimage", ["asin": "B0AAAAAAAA"])
    #expect(answer.status == 200 && answer.content == .png)
    #expect(answer.body.first != 0x89)
    #expect(bench.simulator.books.tokens == 1)
  }

  @Test func `what failed uncharged has not been done`() async throws {
    let bench = Bench { $0.faults = KeepaFaults([KeepaFault(.http500, next: 2)]) }
    _ = await bench.rawCall("/graphimage", ["asin": "B0AAAAAAAA"])
    let body = #"[{"asin":"B0AAAAAAAA","mainDomainId":1}]"#
    _ = await bench.rawCall("/tracking", ["type": "add"], body: body)
    let list = try await bench.call("/tracking", ["type": "list", "asins-only": "1"])
    #expect(list.asins == [])
    _ = await bench.rawCall("/graphimage", ["asin": "B0AAAAAAAA"])
    #expect(bench.simulator.books.tokens == 1)
  }

  @Test func `a query is decoded as forms are`() {
    let values = QueryText.parameters("a=1&b=x%2Cy+z&c&d=%zz%4&a=2&&e=%C3%A9=")
    #expect(values == ["a": "2", "b": "x,y z", "c": "", "d": "%zz%4", "e": "é="])
  }
}
