import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookUpstreams

@Suite("what a list shows of a product") struct KeepaSummaryTests {
  private func summary(_ text: String) throws -> ProductSummary {
    KeepaSummary.read(try JSONDocument(Array(text.utf8)).root)
  }

  /// An array of 36 with a few values in it.
  private func slots(_ values: [Int: String], empty: String = "-1") -> String {
    "[" + (0..<36).map { values[$0] ?? empty }.joined(separator: ",") + "]"
  }

  @Test func `a full product is read field by field`() throws {
    let current = slots([
      0: "2599", 1: "2499", 2: "1999", 3: "11053", 10: "2699", 11: "7", 12: "3", 16: "45",
      17: "812", 18: "2549",
    ])
    let summary = try summary(
      """
      {"title":"T","brand":"B","manufacturer":"M","rootCategory":9000000000,
      "categoryTree":[{"catId":1,"name":"no"},{"catId":9000000000,"name":"Root & all"}],
      "images":[{"m":"m.jpg","l":"l.jpg"},{"l":"other.jpg"}],"monthlySold":300,
      "fbaFees":{"pickAndPackFee":435},"referralFeePercentage":15.01,"referralFeePercent":15,
      "packageLength":156,"packageWidth":102,"packageHeight":52,"packageWeight":235,
      "stats":{"current":\(current),"avg30":\(slots([0: "2600", 3: "11000"])),
      "avg90":\(slots([0: "2700"])),
      "min":\(slots([0: "[7554276,1999]"], empty: "null")),
      "max":\(slots([0: "[7554277,2999]"], empty: "null"))}}
      """)
    #expect(summary.title == "T")
    #expect(summary.brand == "B")
    #expect(summary.manufacturer == "M")
    #expect(summary.rootCategory == 9_000_000_000)
    #expect(summary.rootCategoryName == "Root & all")
    #expect(summary.image == "l.jpg")
    #expect(summary.amazon.current == 2599)
    #expect(summary.amazon.average30Days == 2600)
    #expect(summary.amazon.average90Days == 2700)
    #expect(summary.amazon.lowest == 1999)
    #expect(summary.amazon.highest == 2999)
    #expect(summary.new.current == 2499)
    #expect(!summary.new.hasAverage30Days && !summary.new.hasLowest)
    #expect(summary.used.current == 1999)
    #expect(summary.salesRank.current == 11053)
    #expect(summary.salesRank.average30Days == 11000)
    #expect(summary.fba.current == 2699)
    #expect(summary.offersNew.current == 7)
    #expect(summary.offersUsed.current == 3)
    #expect(summary.buyBox.current == 2549)
    #expect(summary.ratingTenths == 45)
    #expect(summary.reviewCount == 812)
    #expect(summary.monthlySold == 300)
    #expect(summary.fbaFee == 435)
    #expect(summary.referralFeeHundredths == 1501)
    #expect(summary.packageLengthMm == 156)
    #expect(summary.packageWidthMm == 102)
    #expect(summary.packageHeightMm == 52)
    #expect(summary.packageWeightG == 235)
  }

  @Test(
    arguments: [
      "{}",
      """
      {"title":null,"brand":"","rootCategory":0,"categoryTree":null,"images":[],"monthlySold":-1,
      "fbaFees":null,"referralFeePercentage":-1,"packageLength":0,"packageWeight":-1,"csv":null,
      "stats":null}
      """,
      """
      {"monthlySold":0,"fbaFees":{"pickAndPackFee":0},"rootCategory":9223372036854775807,
      "stats":{"current":[-1,-2],"avg30":null,"min":[null],"buyBoxPrice":-2,"buyBoxShipping":-2}}
      """,
      #"{"stats":7,"csv":{"a":1},"images":"x","monthlySold":"12","title":5,"fbaFees":[]}"#,
      #"{"csv":[[7554276,-1],[],[7],null,"x"]}"#,
    ]
  )
  func `a sentinel, a gap or a surprise sets nothing`(text: String) throws {
    #expect(try summary(text) == ProductSummary())
  }

  @Test func `without statistics the histories tell`() throws {
    let csv = slots(
      [
        0: "[1,3000,2,2500,3,-1]", 1: "[1,900,2,1100,3,1000]", 3: "[1,5]", 16: "[1,40,2,43]",
        17: "[1,10]", 18: "[1,2000,499,2,-1,-1,3,1500,0,4,1600,-1,9]", 15: "[1,-20]",
      ], empty: "null")
    let summary = try summary("{\"csv\":\(csv)}")
    #expect(!summary.amazon.hasCurrent)
    #expect(summary.amazon.lowest == 2500 && summary.amazon.highest == 3000)
    #expect(summary.new.current == 1000)
    #expect(summary.new.lowest == 900 && summary.new.highest == 1100)
    #expect(summary.salesRank.current == 5)
    #expect(summary.ratingTenths == 43)
    #expect(summary.reviewCount == 10)
    // Price plus shipping; the odd number at the end is passed over.
    #expect(summary.buyBox.current == 1600)
    #expect(summary.buyBox.lowest == 1500 && summary.buyBox.highest == 2499)
  }

  @Test(
    arguments: [
      (#""buyBoxPrice":1999,"buyBoxShipping":499"#, 2498), (#""buyBoxPrice":1999"#, 1999),
      (#""buyBoxPrice":1999,"buyBoxShipping":-1"#, 1999), (#""buyBoxPrice":-1"#, nil),
    ] as [(String, Int64?)]
  )
  func `the buy box may stand in two scalars`(members: String, expected: Int64?) throws {
    let summary = try summary("{\"stats\":{\"current\":\(slots([:])),\(members)}}")
    #expect((summary.buyBox.hasCurrent ? summary.buyBox.current : nil) == expected)
  }

  @Test(
    arguments: [
      (#""images":[{"m":"m.jpg"}]"#, "m.jpg"), (#""imagesCSV":"a.jpg,b.jpg""#, "a.jpg"),
      (#""images":null,"imagesCSV":"a.jpg""#, "a.jpg"), (#""imagesCSV":"""#, nil),
    ] as [(String, String?)]
  )
  func `the image is the first`(members: String, expected: String?) throws {
    let summary = try summary("{\(members)}")
    #expect((summary.hasImage ? summary.image : nil) == expected)
  }

  @Test(
    arguments: [
      ("\"referralFeePercentage\":12.0", 1200), ("\"referralFeePercentage\":8", 800),
      ("\"referralFeePercent\":15", 1500), ("\"referralFeePercentage\":8.255", 826),
    ] as [(String, Int64)]
  )
  func `the referral fee is in hundredths of a percent`(member: String, expected: Int64) throws {
    #expect(try summary("{\(member)}").referralFeeHundredths == expected)
  }
}
