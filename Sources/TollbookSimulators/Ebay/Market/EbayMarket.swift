private import Synchronization

/// The simulated market. What is listed at an instant follows from the seed and the instant alone.
///
/// Nothing is stored but the listings of families that were asked for of late, for as long as none comes or goes.
final class EbayMarket: Sendable {
  let extent: EbayExtent
  let families: [EbayFamily]
  private let seed: UInt64

  /// The listings of a family that are there from `from` up to, not including, `until`.
  private struct Roster: Sendable {
    let from: Int64
    let until: Int64
    let offers: [EbayOffer]
  }

  private let rosters: Mutex<RecentValues<Roster>>

  /// About so many listings are remembered, and at most twice as many.
  private static let mostRemembered = 250_000

  init(seed: UInt64, _ extent: EbayExtent) {
    self.seed = seed
    self.extent = extent
    families = (0..<extent.families).map { EbayFamily(index: $0, seed: seed) }
    rosters = Mutex(RecentValues(capacity: max(1, Self.mostRemembered / extent.slots)))
  }

  private func slot(_ site: Int, _ family: Int, _ slot: Int) -> EbaySlot {
    EbaySlot(seed: seed, extent, site: site, family: family, slot: slot)
  }

  private func offer(_ slot: EbaySlot, _ life: EbayLife, _ cycle: Int64, _ part: Int) -> EbayOffer {
    EbayOffer(families[slot.family], extent, slot, life, cycle: cycle, part: part)
  }

  /// The instants that the market knows: from 1970 to 2100.
  static func bounded(_ time: Int64) -> Int64 { min(EbaySlot.latest, max(0, time)) }

  /// The listings of a family that are there at an instant, in no order that matters.
  func offers(_ site: EbaySite, _ family: Int, at now: Int64) -> [EbayOffer] {
    let now = Self.bounded(now)
    let key = UInt64(truncatingIfNeeded: family) << 8 | UInt64(truncatingIfNeeded: site.index)
    if let known = rosters.withLock({ $0.value(key) }), known.from <= now, now < known.until {
      return known.offers
    }
    var from = Int64.min
    var until = Int64.max
    var offers: [EbayOffer] = []
    for index in 0..<extent.slots {
      let slot = slot(site.index, family, index)
      let cycle = slot.cycle(at: now)
      // A life ends within its cycle, so that the next one is the only one that can come.
      let life = slot.life(cycle)
      for (part, span) in life.spans.enumerated() {
        for edge in [span.lowerBound, span.upperBound] {
          if edge <= now { from = max(from, edge) } else { until = min(until, edge) }
        }
        if span.contains(now) { offers.append(offer(slot, life, cycle, part)) }
      }
      until = min(until, slot.life(cycle + 1).spans[0].lowerBound)
    }
    let roster = Roster(from: from, until: until, offers: offers)
    rosters.withLock { $0.insert(roster, key) }
    return offers
  }

  /// The listing with a number; nil if there never is one. Whether it is there at an instant is not looked at.
  func offer(legacy: Int64) -> EbayOffer? {
    guard let number = EbayNumber(legacy: legacy, extent) else { return nil }
    let slot = slot(number.site, number.family, number.slot)
    let life = slot.life(number.cycle)
    guard number.part < life.spans.count else { return nil }
    return offer(slot, life, number.cycle, number.part)
  }

  /// The listings of a family that ended within a time, oldest first.
  func ended(_ site: EbaySite, _ family: Int, within times: Range<Int64>) -> [EbayOffer] {
    let start = Self.bounded(times.lowerBound)
    let times = start..<max(start, Self.bounded(times.upperBound))
    var offers: [EbayOffer] = []
    for index in 0..<extent.slots {
      let slot = slot(site.index, family, index)
      for cycle in slot.cycle(at: times.lowerBound)...slot.cycle(at: times.upperBound) {
        let life = slot.life(cycle)
        for (part, span) in life.spans.enumerated() where times.contains(span.upperBound) {
          offers.append(offer(slot, life, cycle, part))
        }
      }
    }
    return offers.sorted { ($0.ends, $0.legacy) < ($1.ends, $1.legacy) }
  }

  /// The planted deals of a site that are there at some instant of a time, in the order in which they come.
  ///
  /// - Parameters:
  ///   - times: of a longer one, its last 400 days
  ///   - limit: earlier ones are left out
  func deals(_ site: EbaySite, within times: Range<Int64>, limit: Int) -> [EbayPlantedDeal] {
    let end = Self.bounded(times.upperBound)
    let start = max(Self.bounded(times.lowerBound), end - 400 * EbaySlot.day)
    guard start < end else { return [] }
    var deals: [EbayPlantedDeal] = []
    for family in families {
      for index in extent.listings..<extent.slots {
        let slot = slot(site.index, family.index, index)
        for cycle in slot.cycle(at: start)...slot.cycle(at: end) {
          let life = slot.life(cycle)
          guard life.spans[0].overlaps(start..<end) else { continue }
          deals.append(deal(offer(slot, life, cycle, 0), family, site))
        }
      }
    }
    deals.sort { ($0.from, $0.itemId) < ($1.from, $1.itemId) }
    return Array(deals.suffix(limit))
  }

  private func deal(
    _ offer: EbayOffer, _ family: EbayFamily, _ site: EbaySite
  ) -> EbayPlantedDeal {
    EbayPlantedDeal(
      itemId: offer.itemId, marketplace: site.id, family: family.words,
      categoryId: family.category.id, conditionId: offer.grade.rawValue, from: offer.created,
      until: offer.ends, total: offer.asking + (offer.shippingCost(toPlace: false) ?? 0),
      fair: family.fair(offer.grade, in: site.currency), currency: site.currency.code)
  }
}
