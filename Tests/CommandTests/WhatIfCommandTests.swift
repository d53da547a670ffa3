import Foundation
import JSONText
import Testing
import TollbookTestSupport

@Suite struct WhatIfCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func run(_ arguments: [String]) async throws -> Ended {
    try await Binary.run(["what-if"] + arguments + place, in: folder)
  }

  @Test func `other windows are played on what was asked for, beside the owner and without one`()
    async throws
  {
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0"] + place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB"])
    #expect(await serving.end().status == 0)
    let again = try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
    _ = try await again.batch(["B09T2ZLMHB"])
    #expect(try await run(["--policy", "keepa.product.fresh=3d"]).status == 0)
    #expect(await again.end().status == 0)

    let policies = ["--policy", "keepa.product.fresh=3d", "--policy", "keepa.product.fresh=0s"]
    let table = try await run(policies)
    #expect(table.status == 0)
    #expect(table.errors.isEmpty, "no progress where no terminal is")
    #expect(table.output.contains("as recorded"))
    #expect(table.output.contains("keepa.product.fresh=7d"))
    #expect(table.lines.contains { $0.hasPrefix("keepa.product.fresh=0s") && $0.contains("+1") })

    let json = try JSONDocument(
      Array(try await run(policies + ["--format", "json"]).output.utf8)
    ).root
    #expect(json["requests"]?.int64 == 2)
    let tables = try #require(json["outcomes"]?.array)
    #expect(tables.map { $0["unit"]?.string } == ["tokens"])
    let rows = try #require(tables.first { _ in true }?["policies"]?.array)
    #expect(rows.map { $0["policy"]?.string } == ["as recorded"] + [policies[1], policies[3]])
    #expect(rows.map { $0["cost"]?["low"]?.int64 } == [1, 1, 2])
    #expect(rows.map { $0["cost"]?["high"]?.int64 } == [1, 1, 2])
    #expect(rows.map { $0["hits"]?["low"]?.int64 } == [1, 1, 0])

    let csv = try await run(policies + ["--format", "csv"])
    #expect(csv.lines.count == 4)
    #expect(csv.lines.first?.hasPrefix("policy,requests,calls_low,calls_high") == true)
    let cells = csv.lines.last?.split(separator: ",", omittingEmptySubsequences: false)
    #expect(cells?.count == csv.lines.first?.split(separator: ",").count)
    #expect(cells?.first == "\"keepa.product.fresh=0s\"")
    #expect(cells?[4...5] == ["2", "2"])
    #expect(cells?.last == "tokens")
  }

  @Test(arguments: [
    (["--policy", "keepa.deals.fresh=3d"], "keepa.deals"),
    (["--policy", "keepa.product.fresh=-3d"], "negative"),
    (["--policy", "keepa.product.newness=3d"], "newness"),
    (["--policy", "keepa.product.fresh=soon"], "soon"),
    ([], "--policy"),
    (["--policy", "binance.exchangeInfo.fresh=2h"], "binance.ticker"),
    (
      ["--policy", "keepa.product.fresh=3d", "--policy", "binance.ticker.fresh=5s"],
      "keepa.product and binance.ticker"
    ),
    (["--policy", "keepa.product.fresh=3d", "--from", "9", "--to", "4"], "before the beginning"),
    (["--policy", "keepa.product.fresh=3d", "--format", "xml"], "xml"),
  ])
  func `what is no proper use is told by name and ends with 2`(
    arguments: [String], named: String
  ) async throws {
    let ended = try await run(arguments)
    #expect(ended.status == 2)
    #expect(ended.errors.contains(named), "\(ended.errors)")
    #expect(ended.output.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/data"))
  }

  @Test func `what Binance sells is tried in weight, and tokens are told apart`() async throws {
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0"] + place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB"])
    for _ in 0..<2 { _ = try await serving.get("/binance/api/v3/depth?symbol=BTCUSDT") }
    #expect(await serving.end().status == 0)

    let table = try await run(["--policy", "binance.depth.fresh=1h"])
    #expect(table.status == 0, "\(table.errors)")
    #expect(table.output.contains("binance.depth was asked for 2 times"))
    #expect(table.lines.contains { $0.hasPrefix("policy") && $0.contains(" weight ") })
    #expect(table.output.contains("Not played: 1 call of keepa.product, for 1 token."))
    let json = try JSONDocument(
      Array(try await run(["--policy", "binance.depth.fresh=1h", "--format", "json"]).output.utf8)
    ).root
    #expect(json["kind"]?.string == "binance.depth")
    let tables = try #require(json["outcomes"]?.array)
    #expect(tables.map { $0["unit"]?.string } == ["weight", "tokens"])
    let rows = try #require(tables.first { _ in true }?["policies"]?.array)
    // One of the two calls is enough for an hour; how many there were, the clock decided.
    #expect(rows.map { $0["cost"]?["high"]?.int64 }.last == 5)
  }

  @Test func `without a data directory it says so`() async throws {
    let ended = try await run(["--policy", "keepa.product.fresh=3d"])
    #expect(ended.status == 1)
    #expect(ended.errors.contains("data"))
  }
}
