import Hummingbird
import JSONText
import LMDB
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport

@testable import TollbookHTTP

private let asins = ["B000000001", "B000000002", "B000000003"]

@Suite struct PurgeRouteTests {
  @Test func `K24: what a purge costs is told first; confirmed, it is done`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins)
      let head = stand.log.head

      let preview = try await caller.send(.post, "/cache/purge", body: #"{"all":true}"#)
      #expect(preview.status == 200)
      #expect(preview["purged"]?.bool == false)
      #expect(preview.int("entries") == 3)
      #expect(preview.string("costs.0.unit") == "tokens")
      #expect(preview.int("costs.0.amount") == 3)
      #expect((preview.int("bytes") ?? 0) > 3_000)
      #expect(preview.string("detail")?.contains("nothing is changed") == true)
      #expect(stand.log.head == head)

      let purged = try await caller.send(
        .post, "/cache/purge", body: #"{"all":true,"confirm":true,"note":"a new season"}"#)
      #expect(purged["purged"]?.bool == true)
      #expect(purged.int("entries") == 3)
      #expect(purged.headers[.position] == "\(head + 3)")
      let entry = try await caller.get("/cache/entries/shared/keepa.product/1/B000000001")
      #expect(entry.string("entries.0.state") == "stale")
      #expect(entry["entries.0.purged"]?.bool == true)
      let again = try await caller.batch(asins)
      #expect(again.int("stats.tokens_used") == 3)
      let fresh = try await caller.get("/cache/entries/shared/keepa.product/1/B000000001")
      #expect(fresh["entries.0.purged"]?.bool == false)
    }
  }

  @Test func `a key, a prefix, softly or hard`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins)
      let one = try await caller.send(
        .post, "/cache/purge",
        body: #"{"key":"shared/keepa.product/1/B000000001","hard":true,"confirm":true}"#)
      #expect(one.int("entries") == 1)
      #expect(one["hard"]?.bool == true)
      #expect(
        try await caller.get("/cache/entries/shared/keepa.product/1/B000000001").status == 404)
      #expect(try await caller.get("/keepa/products/1/B000000001").status == 404)
      let others = try await caller.send(
        .post, "/cache/purge", body: #"{"prefix":"shared/keepa.product/1/","dry_run":true}"#)
      #expect(others.int("entries") == 2)
      #expect(others["purged"]?.bool == false)
      let nobody = try await caller.send(
        .post, "/cache/purge", body: #"{"prefix":"shared/keepa.product/9/","confirm":true}"#)
      #expect(nobody.int("entries") == 0)
    }
  }

  @Test func `a label says which products, by what is known of them`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let batch = try await caller.batch(asins)
      _ = try await caller.send(
        .post, "/keepa/batch-analyze", body: #"{"asinList":["B000000001"],"domain":3}"#)
      let brand = try #require(batch.string("results.1.brand"))
      let category = try #require(batch.int("results.1.root_category"))
      let name = try #require(batch.string("results.1.root_category_name"))
      let bearing = { (member: String, value: String) in
        batch["results"]?.array?.count { $0[member]?.string == value } ?? 0
      }
      func count(_ label: String) async throws -> Int? {
        let body = "{\"label\":\"\(label)\",\"dry_run\":true}"
        return try await caller.send(.post, "/cache/purge", body: body).int("entries")
      }
      // In every marketplace.
      #expect(try await count("asin:b000000001") == 2)
      #expect(try await count("ASIN:B000000009") == 0)
      #expect(try await count("brand:\(brand.uppercased())") ?? 0 >= bearing("brand", brand))
      #expect(try await count("category:\(category)") ?? 0 >= 1)
      #expect(try await count("category:\(name)") == count("category:\(category)"))
      #expect(try await count("brand:nobody") == 0)
      let head = stand.log.head
      let purged = try await caller.send(
        .post, "/cache/purge", body: #"{"label":"asin:B000000001","confirm":true,"note":"why"}"#)
      #expect(purged.int("entries") == 2)
      #expect(purged.int("costs.0.amount") == 2)
      #expect(stand.log.head == head + 2)
      #expect(
        try await caller.batch(asins).strings("results", "source") == ["keepa", "cache", "cache"])
    }
  }

  @Test(arguments: [
    (#"{"label":""}"#, "label"),
    (#"{"label":"color:red"}"#, "label"),
    (#"{"label":"asin"}"#, "label"),
    (#"{"label":"brand:"}"#, "label"),
    (#"{"label":"asin:B000000001","all":true}"#, "key"),
    ("{}", "key"),
    (#"{"all":false}"#, "key"),
    (#"{"all":true,"key":"a"}"#, "key"),
    (#"{"key":"a","prefix":"a"}"#, "key"),
    (#"{"key":""}"#, "key"),
    (#"{"prefix":""}"#, "prefix"),
    (#"{"all":"yes"}"#, "all"),
    (#"{"all":true,"hard":1}"#, "hard"),
    (#"{"all":true,"confirm":true,"dry_run":true}"#, "confirm"),
    (#"{"key":7}"#, "key"),
    (#"{"all":true,"note":"\#(String(repeating: "n", count: 501))"}"#, "note"),
  ])
  func `what is no order is refused by its field, and nothing is purged`(
    body: String, field: String
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins)
      let head = stand.log.head
      let answer = try await caller.send(.post, "/cache/purge", body: body)
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
      #expect(stand.log.head == head)
    }
  }

  @Test func `it is guarded like every other post`() async throws {
    let stand = try await Stand { $0.accessKey = "sesame" }
    try await stand.serving { caller in
      let body = #"{"all":true,"confirm":true}"#
      #expect(try await caller.send(.post, "/cache/purge", body: body).status == 401)
      let foreign = try await caller.send(
        .post, "/cache/purge", [.authorization: "Bearer sesame", .origin: "https://evil.example"],
        body: body)
      #expect(foreign.status == 403)
      let plain = try await caller.send(
        .post, "/cache/purge", [.authorization: "Bearer sesame", .contentType: "text/plain"],
        body: body)
      #expect(plain.status == 415)
      #expect(
        try await caller.send(.get, "/cache/purge", [.authorization: "Bearer sesame"]).status == 405
      )
    }
  }

  @Test func `an entry that was restored without its body answers, and its body is gone`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins)
      try stand.dropBodies()
      let batch = try await caller.batch(asins)
      #expect(batch.status == 200)
      #expect(batch.strings("results", "source") == ["cache", "cache", "cache"])
      let answer = try await caller.get("/keepa/products/1/B000000001")
      #expect(answer.status == 410)
      #expect(answer.string("type") == "/problems/gone")
      #expect(answer.string("detail")?.contains("is not kept any more") == true)
      #expect(
        try await caller.get("/cache/entries/shared/keepa.product/1/B000000001").status == 200)
    }
  }
}

extension Stand {
  fileprivate func dropBodies() throws {
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try transaction.clear(log.tables.bodies)
    }
  }
}
