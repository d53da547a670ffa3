/// How many families, listings and deals a market has; item ids are made of it.
struct EbayExtent: Sendable, Hashable {
  let families: Int
  /// Places for ordinary listings in a family; most of them are taken at any time.
  let listings: Int
  /// Places for planted deals in a family; each is taken once a day.
  let deals: Int

  /// Places of a family.
  var slots: Int { listings + deals }

  static let mostFamilies = 10_000
  static let mostListings = 100_000
  static let mostDeals = 24

  /// Bounds whatever is given.
  init(families: Int, listings: Int, deals: Int) {
    self.families = min(Self.mostFamilies, max(1, families))
    self.listings = min(Self.mostListings, max(1, listings))
    self.deals = min(Self.mostDeals, max(0, deals))
  }
}

/// Which listing it is: a place of a family and which of its many lives, one after another. Its number tells all of it.
struct EbayNumber: Sendable, Hashable {
  let site: Int
  let family: Int
  let slot: Int
  /// From −1, which began before 1970.
  let cycle: Int64
  /// 0, or 1 if it was listed again.
  let part: Int

  /// Before the first number.
  private static let base: Int64 = 110_000_000_000
  /// No cycle comes near this.
  private static let mostCycles: Int64 = 1 << 24

  /// The number of the listing, as in the address of its page.
  func legacy(_ extent: EbayExtent) -> Int64 {
    let place =
      ((cycle + 1) * Int64(extent.slots) + Int64(slot)) * Int64(extent.families) + Int64(family)
    return Self.base + (place * Int64(EbaySite.mostSites) + Int64(site)) * 2 + Int64(part)
  }

  init(site: Int, family: Int, slot: Int, cycle: Int64, part: Int) {
    self.site = site
    self.family = family
    self.slot = slot
    self.cycle = cycle
    self.part = part
  }

  /// Reads a number; nil if there can be no such listing.
  init?(legacy: Int64, _ extent: EbayExtent) {
    guard legacy >= Self.base else { return nil }
    var rest = legacy - Self.base
    func take(_ count: Int64) -> Int64 {
      defer { rest /= count }
      return rest % count
    }
    part = Int(take(2))
    site = Int(take(Int64(EbaySite.mostSites)))
    family = Int(take(Int64(extent.families)))
    slot = Int(take(Int64(extent.slots)))
    guard rest < Self.mostCycles, site < EbaySite.all.count else { return nil }
    cycle = rest - 1
  }
}

/// A place of a family: from when to when each of its listings is there.
struct EbaySlot: Sendable {
  static let minute: Int64 = 60_000
  static let hour: Int64 = 3_600_000
  static let day: Int64 = 86_400_000
  /// Times beyond are taken for this one: the year 2100.
  static let latest: Int64 = 4_102_444_800_000

  let site: Int
  let family: Int
  let slot: Int
  let isDeal: Bool
  private let period: Int64
  private let phase: Int64
  private let chance: UInt64

  init(seed: UInt64, _ extent: EbayExtent, site: Int, family: Int, slot: Int) {
    self.site = site
    self.family = family
    self.slot = slot
    isDeal = slot >= extent.listings
    var numbers = SeededNumbers(
      seed: Self.mixed(Self.mixed(Self.mixed(seed, site), family), slot))
    period = isDeal ? Self.day : Int64(numbers.within(96...504)) * Self.hour
    phase = Int64(numbers.below(Int(period)))
    chance = numbers.next()
  }

  private static func mixed(_ seed: UInt64, _ value: Int) -> UInt64 {
    var numbers = SeededNumbers(
      seed: seed &+ UInt64(bitPattern: Int64(value) &+ 1) &* 0xd6e8_feb8_6659_fd93)
    return numbers.next()
  }

  /// The cycle that a time lies in.
  func cycle(at time: Int64) -> Int64 { (time - phase).floorDivided(by: period) }

  /// What happens in a cycle.
  func life(_ cycle: Int64) -> EbayLife {
    let start = phase + cycle * period
    let chance = Self.mixed(chance, Int(cycle))
    var numbers = SeededNumbers(seed: chance)
    return isDeal
      ? EbayLife(deal: start, &numbers, chance: chance)
      : EbayLife(start: start, period: period, &numbers, chance: chance)
  }
}

/// What happens in one cycle of a place: one listing, or one that ends and is listed again.
struct EbayLife: Sendable {
  /// How it is sold.
  enum Sale: Sendable {
    case fixed
    case auction
    case deal
  }

  /// From when on and up to when, without that instant, a listing is there. One or two, in order.
  let spans: [Range<Int64>]
  let sale: Sale
  /// What its other properties are drawn from.
  let chance: UInt64

  /// A planted deal is there for 4 to 12 hours within the day that begins with `start`.
  init(deal start: Int64, _ numbers: inout SeededNumbers, chance: UInt64) {
    let begin = start + Int64(numbers.below(720)) * EbaySlot.minute
    let length = Int64(numbers.within(240...719)) * EbaySlot.minute
    spans = [begin..<begin + length]
    sale = .deal
    self.chance = chance
  }

  /// An ordinary listing. A tenth are auctions of 3, 5, 7 or 10 days; others go on until they are sold, and a fifth of
  /// these end earlier and are listed again within six hours.
  init(
    start: Int64, period: Int64, _ numbers: inout SeededNumbers, chance: UInt64
  ) {
    self.chance = chance
    let created = start + Int64(numbers.below(Int(period / 32) / 1_000)) * 1_000
    if numbers.chance(10) {
      sale = .auction
      let room = start + period - created
      let lengths = [3, 5, 7, 10].map { $0 * EbaySlot.day }.filter { $0 <= room }
      let length = lengths.isEmpty ? 2 * EbaySlot.day : numbers.pick(lengths)
      spans = [created..<created + length]
      return
    }
    sale = .fixed
    let last = start + period * Int64(numbers.within(80...99)) / 100 / 1_000 * 1_000
    guard numbers.chance(20) else {
      spans = [created..<last]
      return
    }
    let length = last - created
    let firstEnd = created + length * Int64(numbers.within(30...60)) / 100 / 1_000 * 1_000
    let again = firstEnd + Int64(numbers.within(5...360)) * EbaySlot.minute
    spans = [created..<firstEnd, again..<last]
  }
}
