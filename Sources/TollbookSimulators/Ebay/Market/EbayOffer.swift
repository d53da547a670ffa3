/// A listing: what does not change while it is there.
struct EbayOffer: Sendable {
  /// What is for sale.
  enum Shape: Sendable, Equatable {
    /// One item as it should be.
    case plain
    /// One variation of several; the price is that of the cheapest.
    case group
    /// So many of them at once.
    case lot(Int64)
    /// One with something beside it.
    case bundle
    /// One that does not work.
    case parts
    /// One for an implausibly low price.
    case cheap
    /// The empty box of one.
    case box
  }

  /// What is said about the shipping.
  enum Shipping: Sendable, Equatable {
    case free
    /// A cost in hundredths.
    case fixed(Int64)
    /// A cost in hundredths that only a place of delivery would tell.
    case calculated(Int64)
    /// Nothing at all.
    case untold
  }

  let number: EbayNumber
  /// The number in the address of its page.
  let legacy: Int64
  let created: Int64
  /// When it was listed for the first time.
  let origin: Int64
  /// When it is sold or over; at this instant it is gone.
  let ends: Int64
  /// Whether `itemEndDate` is told.
  let tellsEnd: Bool
  let sale: EbayLife.Sale
  let shape: Shape
  let grade: EbayGrade
  /// The first price of a fixed one, the last bid of an auction; hundredths of the site's currency, without shipping.
  let asking: Int64
  /// What an auction begins with.
  let opening: Int64
  /// How many bids an auction has at its end.
  let bids: Int64
  /// How often the price drops.
  let drops: Int64
  let shipping: Shipping
  /// Where it is, two capitals.
  let country: String
  /// The currency of a seller abroad.
  let foreign: EbayCoin?
  /// Whether prices of a seller abroad are told in the site's currency too.
  let isConverted: Bool
  let seller: EbaySeller
  let takesOffers: Bool
  let takesReturns: Bool
  /// Whether it is sent abroad.
  let shipsAbroad: Bool
  /// Whether it can be picked up.
  let hasPickup: Bool
  /// How many there were at first.
  let quantity: Int64
  /// What its title, its picture and its rank are drawn from.
  let chance: UInt64

  var coin: EbayCoin { EbaySite.all[number.site].currency }

  /// Such as `v1|110000000001|0`. A variation has a number of its own.
  var itemId: String { "v1|\(legacy)|\(variation)" }

  /// The number of the variation; 0: it has none.
  var variation: Int64 { shape == .group ? 400_000_000_000 + legacy % 1_000_000_000 : 0 }

  private static let abroad = [
    ("JP", "JPY"), ("GB", "GBP"), ("DE", "EUR"), ("US", "USD"), ("CA", "CAD"),
  ]

  /// Draws a listing of a family.
  init(
    _ family: EbayFamily, _ extent: EbayExtent, _ slot: EbaySlot, _ life: EbayLife, cycle: Int64,
    part: Int
  ) {
    let site = EbaySite.all[slot.site]
    var numbers = SeededNumbers(seed: life.chance ^ 0x5bd1_e995_97f4_a7c1)
    number = EbayNumber(
      site: slot.site, family: slot.family, slot: slot.slot, cycle: cycle, part: part)
    legacy = number.legacy(extent)
    created = life.spans[part].lowerBound
    origin = life.spans[0].lowerBound
    ends = life.spans[part].upperBound
    sale = life.sale
    let isFixed = life.sale == .fixed
    let shape = isFixed ? Self.shape(&numbers) : .plain
    self.shape = shape
    let drawnGrade = EbayGrade.drawn(numbers.below(100))
    grade =
      switch (life.sale, shape) {
      case (.deal, _): numbers.chance(50) ? .new : .used
      case (_, .parts): .forParts
      default: drawnGrade
      }
    tellsEnd = life.sale == .auction || (isFixed && numbers.chance(6))
    let fair = family.fair(grade, in: site.currency)
    let target = max(200, fair * Self.share(life.sale, shape, &numbers) / 1_000)
    shipping = Self.shipping(life.sale, target, &numbers)
    let cost: Int64 =
      switch shipping {
      case .fixed(let cost), .calculated(let cost): cost
      case .free, .untold: 0
      }
    // A listing that comes again asks for less.
    asking = max(100, target - cost) * (part == 0 ? 1_000 : 950) / 1_000
    bids = numbers.chance(12) ? 0 : Int64(numbers.within(1...24))
    opening =
      bids == 0 ? max(asking, fair * 4 / 5) : asking * Int64(numbers.within(5...60)) / 100 + 1
    drops = isFixed && numbers.chance(40) ? Int64(numbers.within(1...3)) : 0
    let place = numbers.pick(Self.abroad)
    let isAbroad = numbers.chance(6) && isFixed && place.1 != site.currency.code
    country = isAbroad ? place.0 : site.country
    foreign = isAbroad ? EbayCoin.known[place.1] : nil
    isConverted = numbers.chance(80)
    seller = EbaySeller(number: numbers.below(2_000), isGood: life.sale == .deal)
    takesOffers = numbers.chance(35)
    takesReturns = numbers.chance(60)
    shipsAbroad = numbers.chance(50)
    hasPickup = numbers.chance(8)
    quantity = isFixed && shape == .plain && numbers.chance(20) ? Int64(numbers.within(5...50)) : 1
    chance = numbers.next()
  }

  /// Of a hundred fixed listings about sixteen are not one plain item.
  private static func shape(_ numbers: inout SeededNumbers) -> Shape {
    switch numbers.below(1_000) {
    case ..<840: .plain
    case ..<885: .group
    case ..<910: .lot(Int64(numbers.within(2...6)))
    case ..<925: .bundle
    case ..<965: .parts
    case ..<980: .cheap
    default: .box
    }
  }

  /// What is asked for, shipping included, in thousandths of the fair price. Ordinary listings stay above 778, planted
  /// deals below 661.
  private static func share(
    _ sale: EbayLife.Sale, _ shape: Shape, _ numbers: inout SeededNumbers
  ) -> Int64 {
    let usual = Int64(900 + numbers.below(111) + numbers.below(111))
    switch (sale, shape) {
    case (.deal, _): return Int64(numbers.within(520...660))
    case (.auction, _): return Int64(numbers.within(800...1_050))
    case (.fixed, .plain), (.fixed, .group), (.fixed, .parts): return usual
    case (.fixed, .lot(let count)): return usual * count * 4 / 5
    case (.fixed, .bundle): return usual * 13 / 10
    case (.fixed, .cheap): return Int64(numbers.within(100...300))
    case (.fixed, .box): return Int64(numbers.within(40...100))
    }
  }

  /// A cost is at most a third of the whole. Of a planted deal it is always told.
  private static func shipping(
    _ sale: EbayLife.Sale, _ target: Int64, _ numbers: inout SeededNumbers
  ) -> Shipping {
    let cost = min(target / 3, 50 * Int64(numbers.within(7...30)))
    let draw = numbers.below(100)
    if sale == .deal { return draw < 50 ? .free : .fixed(cost) }
    switch draw {
    case ..<45: return .free
    case ..<80: return .fixed(cost)
    case ..<92: return .calculated(cost)
    default: return .untold
    }
  }
}

/// An invented seller.
struct EbaySeller: Sendable, Hashable {
  let number: Int

  /// - Parameter isGood: takes another seller for one with a poor record.
  init(number: Int, isGood: Bool) {
    self.number = isGood && number % 10 == 0 ? number + 1 : number
  }

  var name: String {
    var numbers = SeededNumbers("seller", salt: number)
    return numbers.pick(EbayWords.sellerStarts) + numbers.pick(EbayWords.sellerEnds)
      + String(number)
  }

  var isBusiness: Bool { number % 3 == 0 }

  /// Positive ratings in tenths of a percent, and how many more good than bad ones there were.
  var feedback: (tenths: Int, score: Int) {
    var numbers = SeededNumbers("feedback", salt: number)
    return number % 10 == 0
      ? (numbers.within(850...975), numbers.within(0...19))
      : (numbers.within(990...1_000), numbers.within(60...40_000))
  }
}
