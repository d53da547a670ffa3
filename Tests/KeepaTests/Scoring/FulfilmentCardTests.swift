import Keepa
import Testing
import TollbookUpstreams

@Suite("fulfilment fees") struct FulfilmentCardTests {
  /// A parcel in inches and ounces: millimetres and grams rounded down, so that it keeps to a limit given so.
  private func parcel(
    _ length: Double, _ width: Double, _ height: Double, ounces: Double
  ) throws -> PackageSize {
    try #require(
      PackageSize(
        Int64(length * 25.4), Int64(width * 25.4), Int64(height * 25.4),
        grams: Int64(ounces * 28.349523125)))
  }

  private func fee(_ parcel: PackageSize, _ price: Int64, _ day: String) throws -> Int64? {
    try Scoring.card(day).fees(for: parcel)?.fee(at: price)
  }

  private static let small: [(Double, [Int64], [Int64])] = [
    (2, [243, 332, 358], [262, 351, 377]), (4, [249, 342, 368], [268, 361, 387]),
    (6, [256, 345, 371], [276, 365, 391]), (8, [266, 354, 380], [286, 374, 400]),
    (10, [277, 368, 394], [298, 389, 415]), (12, [282, 378, 404], [303, 399, 425]),
    (14, [292, 391, 417], [314, 413, 439]), (16, [295, 396, 422], [317, 418, 444]),
  ]

  private static let large: [(Double, [Int64], [Int64])] = [
    (4, [291, 373, 399], [315, 397, 423]), (8, [313, 395, 421], [339, 421, 447]),
    (12, [338, 420, 446], [366, 448, 474]), (16, [378, 460, 486], [407, 489, 515]),
    (20, [422, 504, 530], [452, 534, 560]), (24, [460, 542, 568], [491, 573, 599]),
    (28, [475, 557, 583], [507, 589, 615]), (32, [500, 582, 608], [533, 615, 641]),
    (36, [510, 592, 618], [547, 629, 655]), (40, [528, 610, 636], [567, 649, 675]),
    (44, [544, 626, 652], [584, 666, 692]), (48, [585, 667, 693], [626, 708, 734]),
    // Above 3 lb, 8 cents for each 4 oz that are begun.
    (49, [623, 705, 731], [677, 759, 785]), (52, [623, 705, 731], [677, 759, 785]),
    (53, [631, 713, 739], [685, 767, 793]),
    (320, [1_159, 1_241, 1_267], [1_213, 1_295, 1_321]),
  ]

  @Test(arguments: small)
  func `a small standard parcel costs what both cards say`(
    ounces: Double, nonPeak: [Int64], peak: [Int64]
  ) throws {
    let parcel = try parcel(8, 6, 0.7, ounces: ounces)
    for (index, price) in [Int64(999), 5_000, 5_001].enumerated() {
      #expect(try fee(parcel, price, Scoring.nonPeak) == nonPeak[index])
      #expect(try fee(parcel, price, Scoring.peak) == peak[index])
    }
  }

  @Test(arguments: large)
  func `a large standard parcel costs what both cards say`(
    ounces: Double, nonPeak: [Int64], peak: [Int64]
  ) throws {
    let parcel = try parcel(5, 4, 1, ounces: ounces)
    for (index, price) in [Int64(999), 1_000, 5_001].enumerated() {
      #expect(try fee(parcel, price, Scoring.nonPeak) == nonPeak[index])
      #expect(try fee(parcel, price, Scoring.peak) == peak[index])
    }
  }

  @Test func `the price bands begin at 10 dollars and above 50`() throws {
    let small = try parcel(8, 6, 0.7, ounces: 2)
    let expected: [(Int64, Int64)] = [
      (999, 243), (1_000, 332), (1_001, 332), (5_000, 332), (5_001, 358),
    ]
    for (price, fee) in expected { #expect(try self.fee(small, price, Scoring.nonPeak) == fee) }
    let bulky = try parcel(30, 20, 10, ounces: 16)
    #expect(try Scoring.card().tier(of: bulky)?.name == "small_bulky")
  }

  @Test(arguments: [
    (15.0, 12.0, 0.75, 16.0, "small_standard"),
    (15.1, 12.0, 0.75, 16.0, "large_standard"),
    (15.0, 12.1, 0.75, 16.0, "large_standard"),
    (15.0, 12.0, 0.8, 16.0, "large_standard"),
    (15.0, 12.0, 0.75, 16.1, "large_standard"),
    (18.0, 14.0, 8.0, 320.0, "large_standard"),
    (18.1, 14.0, 8.0, 320.0, "small_bulky"),
    (18.0, 14.0, 8.0, 320.1, "small_bulky"),
    (37.0, 18.0, 10.0, 800.0, "small_bulky"),
    (37.1, 18.0, 10.0, 800.0, "large_bulky"),
    (59.0, 16.0, 7.0, 100.0, "large_bulky"),
    // Length and girth: 59 + 2 x (20 + 16) is 131.
    (59.0, 20.0, 16.0, 100.0, "extra_large_70_to_150_lb"),
    (59.1, 10.0, 10.0, 100.0, "extra_large_up_to_50_lb"),
    (60.0, 10.0, 10.0, 801.0, "extra_large_50_to_70_lb"),
    (60.0, 10.0, 10.0, 1_121.0, "extra_large_70_to_150_lb"),
    (60.0, 10.0, 10.0, 2_400.0, "extra_large_70_to_150_lb"),
    (60.0, 10.0, 10.0, 2_401.0, "extra_large_over_150_lb"),
    // Light and vast: only what the scale says counts for the largest tier.
    (100.0, 100.0, 100.0, 100.0, "extra_large_70_to_150_lb"),
  ])
  func `a parcel belongs to the first tier whose limits it keeps`(
    length: Double, width: Double, height: Double, ounces: Double, tier: String
  ) throws {
    let parcel = try parcel(length, width, height, ounces: ounces)
    #expect(try Scoring.card().tier(of: parcel)?.name == tier)
  }

  @Test func `larger parcels pay for each pound that is begun`() throws {
    // By the scale: the volumes weigh less.
    let bulky = try parcel(20, 10, 3, ounces: 160)
    #expect(try fee(bulky, 999, Scoring.nonPeak) == 678 + 9 * 38)
    #expect(try fee(bulky, 1_000, Scoring.nonPeak) == 755 + 9 * 38)
    #expect(try fee(bulky, 1_000, Scoring.peak) == 859 + 9 * 38)
    let bit = try parcel(20, 10, 3, ounces: 161)
    #expect(try fee(bit, 1_000, Scoring.nonPeak) == 755 + 10 * 38)
    let pound = try parcel(20, 3, 2.5, ounces: 16)
    #expect(try fee(pound, 1_000, Scoring.nonPeak) == 793)  // 20 x 3 x 2.5 / 139 is above a pound
    let sixty = try parcel(60, 5, 5, ounces: 960)
    #expect(try fee(sixty, 1_000, Scoring.nonPeak) == 3_732 + 9 * 75)
    let fifty = try parcel(60, 5, 5, ounces: 815)
    #expect(try fee(fifty, 1_000, Scoring.peak) == 4_013)
    let hundred = try parcel(60, 5, 5, ounces: 1_600)
    #expect(try fee(hundred, 1_000, Scoring.nonPeak) == 5_132 + 29 * 75)
    let heavy = try parcel(60, 5, 5, ounces: 3_200)
    #expect(try fee(heavy, 1_000, Scoring.nonPeak) == 19_495 + 49 * 19)
    #expect(try fee(heavy, 999, Scoring.peak) == 20_269 + 49 * 19)
  }

  @Test func `the volume counts where it weighs more, but not for small standard`() throws {
    // 10 x 10 x 5 in / 139 is 3.6 lb: 48 oz and three steps of 4 oz begun.
    let airy = try parcel(10, 10, 5, ounces: 8)
    #expect(try fee(airy, 1_000, Scoring.nonPeak) == 697 + 3 * 8)
    // 15 x 12 x 0.75 / 139 is 15.5 oz.
    let flat = try parcel(15, 12, 0.75, ounces: 2)
    #expect(try fee(flat, 1_000, Scoring.nonPeak) == 332)
    // A pole of 40 x 1 x 1 in counts as 40 x 2 x 2, 1.15 lb.
    let pole = try parcel(40, 1, 1, ounces: 8)
    #expect(try Scoring.card().tier(of: pole)?.name == "large_bulky")
    #expect(try fee(pole, 1_000, Scoring.nonPeak) == 935 + 38)
  }

  @Test(arguments: [
    ("2026-01-15", Int64(332)), ("2026-10-14", 332), ("2026-10-15", 351), ("2027-01-14", 351),
  ])
  func `the peak begins on 15 October and ends with 14 January`(day: String, fee: Int64) throws {
    let parcel = try parcel(8, 6, 0.7, ounces: 2)
    let found = try #require(try Scoring.tables(day).fulfilment)
    #expect(found.value.fees(for: parcel)?.fee(at: 2_000) == fee)
    #expect(!found.isOutdated)
  }

  @Test func `after the last card it stands, marked outdated; before the first there is none`()
    throws
  {
    let after = try #require(try Scoring.tables("2027-01-15").fulfilment)
    #expect(after.isOutdated)
    #expect(after.value.name == "2026 peak")
    #expect(try Scoring.tables("2026-01-14").fulfilment == nil)
    #expect(try Scoring.tables("2026-01-14").referral == nil)
  }

  @Test(arguments: [("2026-04-16", Int64(0)), ("2026-04-17", 350), ("2028-01-01", 350)])
  func `the surcharge begins on 17 April 2026`(day: String, rate: Int64) throws {
    #expect(try Scoring.tables(day).surcharge?.value.rate.hundredths == rate)
  }

  @Test func `a side or a weight that is unknown or beyond belief is no parcel`() {
    #expect(PackageSize(0, 10, 10, grams: 10) == nil)
    #expect(PackageSize(10, -1, 10, grams: 10) == nil)
    #expect(PackageSize(10, 10, 10, grams: 0) == nil)
    #expect(PackageSize(10, 10, .max, grams: 10) == nil)
    #expect(PackageSize(10, 10, 10, grams: .max) == nil)
  }

  @Test func `the largest parcel that is believed has a fee`() throws {
    let parcel = try #require(PackageSize(100_000, 100_000, 100_000, grams: 100_000_000))
    let fee = try #require(try fee(parcel, 1_000, Scoring.nonPeak))
    #expect(fee > 1_000_000)
    #expect(fee <= MoneyBounds.maximum)
  }
}
