import Keepa
import Testing

@Suite("referral fees") struct ReferralRuleTests {
  private static let table: [(String, Int64, Int64)] = [
    // The fact sheet's own examples.
    ("Jewelry", 40_000, 5_750), ("Accessories & Supplies", 15_000, 1_900),
    ("Clothing", 1_500, 75), ("Clothing", 1_501, 150), ("Toys & Games", 2_499, 375),
    ("Books", 1_999, 300),
    // Both sides of each step of whole prices.
    ("Clothing", 2_000, 200), ("Clothing", 2_001, 340),
    ("Baby Products", 1_000, 80), ("Baby Products", 1_001, 150),
    ("Beauty & Personal Care", 1_000, 80), ("Beauty & Personal Care", 1_001, 150),
    ("Health & Household", 1_000, 80), ("Health & Household", 1_001, 150),
    ("Grocery & Gourmet Food", 1_500, 120), ("Grocery & Gourmet Food", 1_501, 225),
    ("Lawn Mowers", 50_000, 7_500), ("Lawn Mowers", 50_001, 4_000),
    // Both sides of each step of parts of the price, and a dollar above, which has the lower rate.
    ("Accessories & Supplies", 10_000, 1_500), ("Accessories & Supplies", 10_001, 1_500),
    ("Accessories & Supplies", 10_100, 1_508),
    ("Appliances", 30_000, 4_500), ("Appliances", 30_001, 4_500), ("Appliances", 30_100, 4_508),
    ("Furniture", 20_000, 3_000), ("Furniture", 20_001, 3_000), ("Furniture", 20_100, 3_010),
    ("Jewelry", 25_000, 5_000), ("Jewelry", 25_001, 5_000), ("Jewelry", 25_100, 5_005),
    ("Watches", 150_000, 24_000), ("Watches", 150_001, 24_000), ("Watches", 150_100, 24_003),
    // Flat rates.
    ("Electronics", 10_000, 800), ("Computers & Tablets", 10_000, 800), ("Consoles", 10_000, 800),
    ("Automotive", 10_000, 1_200), ("Industrial & Scientific", 10_000, 1_200),
    ("Power Tools", 10_000, 1_200), ("Tires", 10_000, 1_000), ("Pet Supplies", 10_000, 1_500),
    ("Veterinary Diets", 10_000, 2_200), ("Amazon Device Accessories", 10_000, 4_500),
    ("Gift Cards", 10_000, 2_000), ("Something new", 10_000, 1_500),
    // The least fee, and the categories without one.
    ("Toys & Games", 200, 30), ("Toys & Games", 203, 30), ("Toys & Games", 204, 31),
    ("Books", 100, 15), ("Grocery & Gourmet Food", 100, 8), ("Video Games", 100, 15),
    ("Consoles", 100, 8), ("Gift Cards", 100, 20), ("Fine Art", 400, 100),
    // Half a cent is rounded up.
    ("Toys & Games", 1_010, 152), ("Toys & Games", 1_009, 151),
  ]

  @Test(arguments: table)
  func `each category takes what its table says, to the cent`(
    name: String, price: Int64, fee: Int64
  ) throws {
    #expect(try Scoring.rule(name).fee(on: price) == fee)
  }

  @Test func `the most particular category that a name finds is the one`() throws {
    #expect(try Scoring.rule("Wrist", "Watches", "Clothing, Shoes & Jewelry").category == "watches")
    #expect(try Scoring.rule("SHOES", "Clothing, Shoes & Jewelry").category == "everything_else")
    #expect(try Scoring.rule("Men", "Clothing, Shoes & Jewelry").category == "clothing")
    #expect(try Scoring.rule().category == "everything_else")
  }

  @Test func `no price has no fee, and an immense one a fee below it`() throws {
    for name in ["Jewelry", "Clothing", "Toys & Games"] {
      let rule = try Scoring.rule(name)
      #expect(rule.fee(on: 0) == 0)
      #expect(rule.fee(on: -2) == 0)
      #expect(rule.fee(on: .min) == 0)
      #expect((0..<Int64.max).contains(rule.fee(on: .max)))
    }
  }

  @Test func `a rate is from 0 to 100 percent`() {
    #expect(FeeRate(hundredths: -1) == nil)
    #expect(FeeRate(hundredths: 10_001) == nil)
    #expect(FeeRate(hundredths: 10_000)?.share(of: .max) == .max)
    #expect(FeeRate(hundredths: 10_000)?.share(of: .min) == .min)
  }
}
