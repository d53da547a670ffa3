import Foundation
import Testing

@testable import TollbookSimulators

/// Invented products have the shape of Keepa's.
@Suite struct ProductShapeTests {
  private let everything = [
    "stats": "90", "rating": "1", "buybox": "1", "offers": "40", "videos": "1", "aplus": "1",
    "stock": "1", "historical-variations": "1",
  ]

  /// The bytes of one product.
  private func bytes(_ asin: String, _ parameters: [String: String]) throws -> [UInt8] {
    let base = ["domain": "1", "asin": asin]
    let query = try ProductQuery(parameters: base.merging(parameters) { $1 })
    var json = JSONBytes()
    ProductDocument(asin: asin, query: query, lastUpdate: 8_352_666).write(to: &json)
    return json.bytes
  }

  private func product(_ asin: String, _ parameters: [String: String]) throws -> [String: Any] {
    let data = Data(try bytes(asin, parameters))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test func `fifty products average fifty kilobytes and none is far off`() throws {
    let sizes = try sampleASINs.map { try bytes($0, ["stats": "90"]).count }
    let mean = sizes.reduce(0, +) / sizes.count
    #expect((45_000...57_000).contains(mean), "mean \(mean)")
    #expect(sizes.allSatisfy { (30_000...80_000).contains($0) }, "\(sizes.sorted())")
  }

  @Test func `the same ASIN is the same bytes and another shop is another product`() throws {
    #expect(try bytes("B0AAAAAAAA", everything) == bytes("B0AAAAAAAA", everything))
    #expect(
      try bytes("B0AAAAAAAA", ["domain": "1"]) != bytes("B0AAAAAAAA", ["domain": "3"]))
  }

  @Test(arguments: sampleASINs.prefix(20))
  func `histories have 36 places, whole changes and rising times`(asin: String) throws {
    for parameters in [["stats": "90"], everything] {
      let product = try product(asin, parameters)
      let csv = try #require(product["csv"] as? [Any])
      #expect(csv.count == 36)
      var flats = zip(csv, HistoryType.allCases).map { ($0 as? [Int], $1.stride) }
      let ranks = try #require(product["salesRanks"] as? [String: [Int]])
      flats += ranks.values.map { ($0, 2) }
      flats.append((product["monthlySoldHistory"] as? [Int], 2))
      flats.append((product["salesRankReferenceHistory"] as? [Int], 2))
      flats.append((product["couponHistory"] as? [Int], 3))
      for (flat, step) in flats {
        guard let flat else { continue }
        #expect(!flat.isEmpty && flat.count % step == 0)
        let times = stride(from: 0, to: flat.count, by: step).map { flat[$0] }
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect(try #require(times.last) <= 8_352_666)
      }
      #expect(ranks[String(try #require(product["rootCategory"] as? Int))] == csv[3] as? [Int])
    }
  }

  @Test(arguments: sampleASINs.prefix(20))
  func `integers are written as integers`(asin: String) throws {
    let text = String(decoding: try bytes(asin, everything), as: UTF8.self)
    // Outside of strings, the only fractions are Keepa's two percentages.
    var rest = text.replacing(/"(?:[^"\\]|\\.)*"/, with: "")
    rest = rest.replacing(/:\d+\.0/, with: "")
    #expect(!rest.contains(/[\.eE]\d/))
    #expect(!rest.contains(/\d\.\d/))
  }

  @Test(arguments: sampleASINs.prefix(20))
  func `statistics agree with the histories`(asin: String) throws {
    let product = try product(asin, everything)
    let csv = try #require(product["csv"] as? [Any])
    let stats = try #require(product["stats"] as? [String: Any])
    let current = try #require(stats["current"] as? [Int])
    let lowest = try #require(stats["min"] as? [Any])
    let highest = try #require(stats["max"] as? [Any])
    for type in HistoryType.allCases {
      guard let flat = csv[type.rawValue] as? [Int] else {
        #expect(current[type.rawValue] == -1)
        continue
      }
      var values: [Int] = []
      for index in stride(from: 0, to: flat.count, by: type.stride) {
        let price = flat[index + 1]
        values.append(type.stride == 3 && price >= 0 ? price + flat[index + 2] : price)
      }
      #expect(current[type.rawValue] == values.last)
      #expect((lowest[type.rawValue] as? [Int])?[1] == values.filter { $0 >= 0 }.min())
      #expect((highest[type.rawValue] as? [Int])?[1] == values.filter { $0 >= 0 }.max())
    }
    for name in ["avg", "avg30", "avg90", "avg180", "avg365", "atIntervalStart"] {
      #expect((stats[name] as? [Int])?.count == 36)
    }
  }

  @Test func `an average weighs values by the time they held`() {
    // 100 for 10 minutes, nothing for 20, 400 for 30.
    let summary = ProductStats.summary(
      [0, 100, 10, -1, 30, 400], stride: 2, from: 0, to: 60)
    #expect(summary.average == (100 * 10 + 400 * 30) / 40)
    #expect(summary.gone == 33)
    #expect(summary.atStart == 100)
    #expect(summary.lowest?.value == 100)
    #expect(summary.highest?.minute == 30)
    let later = ProductStats.summary([0, 100, 10, -1, 30, 400], stride: 2, from: 20, to: 60)
    #expect(later.average == 400)
    #expect(later.atStart == -1)
    #expect(later.gone == 25)
  }

  @Test func `a later look shows the same history and then more`() throws {
    let profile = ProductProfile(asin: "B0AAAAAAAA", domain: 1)
    let early = ProductHistories(profile: profile, lastUpdate: 8_300_000).history(.new)
    let late = ProductHistories(profile: profile, lastUpdate: 8_352_666).history(.new)
    let first = try #require(early)
    let second = try #require(late)
    #expect(first.count < second.count)
    #expect(second.starts(with: first))
  }

  @Test func `cutting keeps the one older change that still holds`() {
    let flat = [10, 1, 20, 2, 30, 3]
    #expect(ProductHistories.cut(flat, stride: 2, since: 25) == [20, 2, 30, 3])
    #expect(ProductHistories.cut(flat, stride: 2, since: 20) == [20, 2, 30, 3])
    #expect(ProductHistories.cut(flat, stride: 2, since: 5) == flat)
    #expect(ProductHistories.cut(flat, stride: 2, since: 99) == [30, 3])
  }

  @Test func `some category numbers need more than 32 bits`() {
    let leaves = sampleASINs.map { ProductProfile(asin: $0, domain: 1).leafCategory }
    #expect(leaves.contains { $0 > Int(UInt32.max) })
    #expect(leaves.contains { $0 <= Int(UInt32.max) })
  }

  @Test func `members stand in Keepa's order and strings are escaped`() throws {
    var json = JSONBytes()
    json.array { json in
      json.string("12\" \\ \n\u{1f} é")
      json.int(Int.min)
      json.int(0)
      json.object { $0.member("a", [1, -2]) }
    }
    #expect(
      String(decoding: json.bytes, as: UTF8.self)
        == #"["12\" \\ \u000a\u001f é",-9223372036854775808,0,{"a":[1,-2]}]"#)
  }
}
