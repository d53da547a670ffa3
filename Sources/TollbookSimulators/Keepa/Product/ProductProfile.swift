/// What does not change with time about an invented product, drawn from its ASIN and shop.
struct ProductProfile: Sendable {
  let asin: String
  let domain: Int
  /// The Keepa minute at which its histories begin.
  let trackingSince: Int
  /// The price around which its prices walk, in cents.
  let basePrice: Int
  /// The sales rank around which its rank walks.
  let baseRank: Int
  /// Minutes between two changes of the sales rank, on average.
  let rankGap: Int
  let soldByAmazon: Bool
  let hasUsed: Bool
  let hasCollectible: Bool
  let hasCoupon: Bool
  /// How many offers its page shows.
  let offerCount: Int
  let parentASIN: String?
  let family: ProductWords.Family
  let brand: String
  let manufacturer: String
  let noun: String
  let quality: String
  let material: String
  let color: String
  let pieces: Int
  let rootCategory: Int
  let branchCategory: Int
  /// Now and then beyond 32 bits, as Keepa's newer categories are.
  let leafCategory: Int

  init(asin: String, domain: Int) {
    var numbers = SeededNumbers(asin, salt: domain)
    self.asin = asin
    self.domain = domain
    // Between the middle and the end of 2024.
    trackingSince = 2 * numbers.within(3_549_600...3_681_360)
    basePrice = numbers.within(7...140) * 100 + numbers.pick([99, 95, 49, 0])
    // Evenly spread over the orders of magnitude, from about 500 to 250,000.
    baseRank = (500 << numbers.below(9)) + numbers.below(500)
    rankGap = numbers.within(900...1500)
    soldByAmazon = numbers.chance(55)
    hasUsed = numbers.chance(45)
    hasCollectible = numbers.chance(6)
    hasCoupon = numbers.chance(25)
    offerCount = 1 + numbers.below(1 + numbers.below(60))
    parentASIN = numbers.chance(25) ? "B0" + numbers.code(8) : nil
    let familyIndex = numbers.below(ProductWords.families.count)
    family = ProductWords.families[familyIndex]
    let name =
      numbers.pick(ProductWords.syllables) + numbers.pick(ProductWords.syllables)
      + numbers.pick(ProductWords.endings)
    brand = name.prefix(1).uppercased() + name.dropFirst()
    manufacturer = brand + numbers.pick([" Works", " Goods", " Supply", " Studio"])
    noun = numbers.pick(family.nouns)
    quality = numbers.pick(ProductWords.qualities)
    material = numbers.pick(ProductWords.materials)
    color = numbers.pick(ProductWords.colors)
    pieces = numbers.pick([1, 1, 2, 3, 4, 6, 8, 10, 12, 24])
    rootCategory = KeepaCategory.rootID(family: familyIndex)
    branchCategory = KeepaCategory.branchID(family: familyIndex)
    leafCategory = KeepaCategory.leafID(
      family: familyIndex, leaf: numbers.below(KeepaCategory.leavesPerBranch))
  }

  /// What it is called on its page.
  var title: String {
    let pack = pieces == 1 ? "" : " (\(pieces) Pack)"
    return "\(brand) \(quality) \(material) \(noun)\(pack), \(color)"
  }

  /// A sequence of numbers that belongs to one aspect of this product.
  func numbers(_ aspect: Int) -> SeededNumbers {
    SeededNumbers(asin, salt: aspect * 16 + domain)
  }

  /// How many sellers there are in all.
  static let sellerCount = 500

  /// The seller with a number; all products share the same few hundred sellers.
  static func seller(_ number: Int) -> String {
    var numbers = SeededNumbers("seller", salt: number)
    return "A" + numbers.code(13)
  }

  /// A seller that this product has had, the same for the same place.
  func seller(at place: Int) -> String {
    Self.seller(sellerNumber(at: place))
  }

  /// The number of that seller.
  func sellerNumber(at place: Int) -> Int {
    var numbers = numbers(400 + place)
    return numbers.below(Self.sellerCount)
  }
}
