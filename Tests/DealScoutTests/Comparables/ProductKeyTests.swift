import DealScout
import Testing
import TollbookTestSupport

@Suite struct ProductKeyTests {
  @Test func `a valid GTIN goes before the catalogue's number, that before the title`() {
    let title = "Sonora WH-1000"
    #expect(ProductKey(gtin: "4006381333931", epid: "77", title: title) == .gtin("04006381333931"))
    #expect(ProductKey(gtin: "4006381333930", epid: "77", title: title) == .epid("77"))
    #expect(ProductKey(gtin: "Does not apply", title: title)?.rule == .title)
    #expect(ProductKey(epid: "12a", title: title)?.rule == .title)
    #expect(ProductKey(epid: "000", title: title)?.rule == .title)
    #expect(ProductKey(title: "the new ! and for") == nil)
    #expect(ProductKey(title: "") == nil)
  }

  @Test(arguments: [
    ("036000291452", "00036000291452"), ("0036000291452", "00036000291452"),
    ("4-006381-333931", "04006381333931"), ("96385074", "00000096385074"),
  ])
  func `GTINs of every length are one with their zeros`(text: String, expected: String) {
    #expect(ProductKey(gtin: text, title: "") == .gtin(expected))
  }

  @Test(arguments: ["", "0000000000000", "2012345678900", "40063813339310", "123", "٤٠٠٦٣٨١٣٣٣٩٣١"])
  func `what is no GTIN of a product is passed over`(text: String) {
    #expect(ProductKey(gtin: text, title: "") == nil)
  }

  @Test(arguments: [
    "Sonora WH-1000XM4 Headphones", "headphones sonora wh1000xm4",
    "SONORA wh 1000 xm 4 HEADPHONES!!",
    "NEW Sönora WH‐1000XM4 — Headphones, free shipping", "Ｓｏｎｏｒａ WH-1000XM4 headphones",
  ])
  func `the same product in other writing has the same key`(title: String) {
    let key = TitleKey(title)
    #expect(key?.identity == ["1000", "4"])
    #expect(key?.words == ["headphones", "sonora", "wh", "xm"])
  }

  @Test func `letters with strokes and of two letters are folded`() {
    #expect(TitleKey("Straße Ærø Łódź")?.words == ["aero", "lodz", "strasse"])
    #expect(TitleKey("won't O’Neill")?.words == ["oneill", "wont"])
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `the order of words and saying them twice change nothing`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let vocabulary = ["Sonora", "wh-1000", "pro", "128GB", "blue", "NEW", "été", "mk2", "x", "007"]
    let words = (0..<random.int(1...12)).map { _ in random.pick(vocabulary) }
    let other = (words + [random.pick(words)]).shuffled(using: &random)
    let key = TitleKey(words.joined(separator: " "))
    #expect(key == TitleKey(other.joined(separator: "  ")), "seed \(seed)")
  }

  @Test func `long titles and words are bounded`() {
    let long = TitleWords(String(repeating: "abc ", count: 1_000_000))
    #expect(long.all.count == TitleWords.mostWords)
    #expect(TitleWords(String(repeating: "é", count: 500)).all.allSatisfy { $0.utf8.count <= 32 })
    let many = (0..<60).map { "w\(Character(Unicode.Scalar(UInt8(97 + $0 % 26))))\($0 / 26)" }
    #expect((TitleKey(many.joined(separator: " "))?.words.count ?? 0) <= TitleKey.mostWords)
  }
}

@Suite struct ProductGroupsTests {
  private static let titles = [
    "Sonora WH-1000XM4 wireless headphones black", "Sonora WH1000XM4 headphones",
    "Sonora WH1000XM4 headphones", "Sonora wireless headphones WH-1000XM4 blue noise cancelling",
    "Sonora WH-1000XM5 headphones", "Sonora WH-1000XM4 headphones case",
    "Kamera Optik R6 body", "Kamera Optik R6 lens", "vintage leather jacket brown",
    "vintage leather jacket", "Trident 75192 falcon", "Other brand 75192 cable tie",
  ]

  private static func group(_ title: String, _ titles: [String] = titles) throws -> ProductKey {
    let groups = ProductGroups(titles.compactMap { ProductKey(title: $0) })
    return groups.group(of: try #require(ProductKey(title: title)))
  }

  @Test func `titles that share their rarer words are one product`() throws {
    let first = try Self.group(Self.titles[0])
    #expect(try Self.group(Self.titles[1]) == first)
    #expect(try Self.group(Self.titles[3]) == first)
    #expect(try Self.group("wh-1000xm4 by Sonora, as new, silver") == first)
    // The most frequent wording leads.
    #expect(first == ProductKey(title: Self.titles[1]))
  }

  @Test func `another number, a model word or an accessory is another product`() throws {
    let first = try Self.group(Self.titles[0])
    #expect(try Self.group(Self.titles[4]) != first)
    #expect(try Self.group(Self.titles[5]) != first)
    #expect(try Self.group(Self.titles[6]) != Self.group(Self.titles[7]))
    #expect(try Self.group("Pommel 13 phone") != Self.group("Pommel 13 pro phone"))
  }

  @Test func `without a number all words must be the same`() throws {
    #expect(try Self.group(Self.titles[8]) != Self.group(Self.titles[9]))
    #expect(try Self.group("leather JACKET, vintage") == Self.group(Self.titles[9]))
  }

  @Test func `a number alone is not enough`() throws {
    #expect(try Self.group(Self.titles[10]) != Self.group(Self.titles[11]))
  }

  @Test func `a shared rare word counts more than a shared common one`() throws {
    let common = Array(repeating: "speaker model 9", count: 60)
    let groups = ProductGroups(common.compactMap { ProductKey(title: $0) })
    func same(_ left: String, _ right: String) throws -> Bool {
      groups.isSame(try #require(TitleKey(left)), try #require(TitleKey(right)))
    }
    // Two shared words of three each time.
    #expect(try same("zephyr speaker model 9", "zephyr speaker loud 9"))
    #expect(try !same("zephyr speaker model 9", "boreas speaker model 9"))
    // One is not enough, however rare.
    #expect(try !same("zephyr 9", "zephyr speaker model 9"))
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `the order of the titles changes nothing`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let words = ["sonora", "headphones", "black", "wireless", "stereo", "bass", "deluxe"]
    let titles = (0..<60).map { _ in
      "\(random.int(1...3)) "
        + (0..<random.int(1...4)).map { _ in random.pick(words) }.joined(separator: " ")
    }
    let keys = titles.compactMap { ProductKey(title: $0) }
    let (groups, others) = (ProductGroups(keys), ProductGroups(keys.shuffled(using: &random)))
    for key in keys {
      #expect(groups.group(of: key) == others.group(of: key), "seed \(seed)")
      // A group's key is in its own group.
      let group = groups.group(of: key)
      #expect(groups.group(of: group) == group, "seed \(seed)")
    }
  }
}

@Suite struct ListingExclusionTests {
  @Test(arguments: [
    ("Lot of 5 Sonora headphones", ListingExclusion.lot), ("Sonora JOB LOT", .lot),
    ("Konvolut Sonora", .lot), ("Sonora 1000 bundle with case", .bundle),
    ("2x Sonora 1000", .multipack), ("2 x Sonora 1000", .multipack),
    ("Sonora 1000 (x2)", .multipack),
    ("Sonora 1000 (3x)", .multipack), ("Sonora 1000 2-pack", .multipack),
    ("pack of 3 Sonora", .multipack), ("6er Set Sonora 6er Pack", .multipack),
    ("Sonora 1000 twin pack", .multipack), ("Sonora 1000 FOR PARTS", .parts),
    ("Sonora 1000 for parts/repair", .parts), ("Sonora 1000 as-is", .parts),
    ("Sonora 1000 broken", .parts), ("Sonora doesn't work", .parts), ("Sonora DEFEKT", .parts),
    ("Empty box for Sonora 1000", .emptyBox), ("Sonora 1000 (BOX ONLY)", .emptyBox),
    ("Nur OVP Sonora", .emptyBox),
  ])
  func `it is told by the title`(title: String, expected: ListingExclusion) {
    #expect(ListingExclusion(TitleWords(title)) == expected, "\(title)")
  }

  @Test(arguments: [
    "Sonora WH-1000 headphones", "Pommel X 256GB", "Lens 10x zoom", "Binoculars 10x42", "Poco X3",
    "Xbox Series X 1TB", "1-pack Sonora", "Monitor 2560 x 1440", "Timber 2x4", "Pilot watch",
    "Sonora in box", "Basic set", "Apart from it", "1000 piece puzzle",
  ])
  func `other titles are left alone`(title: String) {
    #expect(ListingExclusion(TitleWords(title)) == nil, "\(title)")
  }

  @Test func `condition ids make groups, unknown ones none`() {
    #expect(ConditionGroup(id: 1000) == .new)
    #expect([1500, 1750].allSatisfy { ConditionGroup(id: $0) == .openBox })
    #expect([2000, 2010, 2020, 2030, 2500].allSatisfy { ConditionGroup(id: $0) == .refurbished })
    #expect([2750, 3000, 4000, 5000, 6000].allSatisfy { ConditionGroup(id: $0) == .used })
    #expect(ConditionGroup(id: 7000) == .parts)
    #expect([0, -1, 1001, 3001, .max].allSatisfy { ConditionGroup(id: $0) == nil })
    #expect(Samples.offer("x", 1, condition: 7000).exclusion == .parts)
  }
}
