import TollbookEvents

/// A charge in one unit as it stands now: what was charged, and what corrections have added since.
struct ChargeStanding {
  /// Of one page of the books so much is this charge's.
  struct Part: Hashable {
    var page: MeterKey
    var amount: Int64
    /// Whether it only limits the cost, as the page of a budget does.
    var isLimitOnly: Bool
  }

  /// The page that tells the cost.
  let told: MeterKey
  private(set) var parts: [Part]
  /// Who pays, with the weights of the charge.
  let payers: [Payer]
  /// What each of them has of the cost now.
  private(set) var shares: [Int64]

  /// Nil: the charge tells no cost in that unit, or several.
  ///
  /// - Parameter postings: those of the charge.
  init?(_ postings: [Posting], in unit: String) {
    let own = postings.filter { $0.page.unit.utf8.elementsEqual(unit.utf8) }
    let leaders = own.filter { !$0.isLimitOnly }
    guard leaders.count == 1, let leader = leaders.first else { return nil }
    told = leader.page
    payers = leader.payers
    shares = leader.shares
    parts = own.compactMap { posting in
      guard case .charged(let amount, _) = posting.change else { return nil }
      return Part(page: posting.page, amount: amount, isLimitOnly: posting.isLimitOnly)
    }
  }

  /// What the charge comes to now.
  var amount: Int64 { parts.first { $0.page == told }?.amount ?? 0 }

  /// Adds what an earlier correction of the same charge has moved.
  mutating func add(_ correction: ChargeCorrected, at position: Position) {
    for posting in Event.chargeCorrected(correction).postings(at: position) {
      guard case .corrected(let difference) = posting.change,
        let index = parts.firstIndex(where: { $0.page == posting.page })
      else { continue }
      parts[index].amount &+= difference
      guard posting.page == told else { continue }
      for (place, share) in posting.shares.enumerated() where shares.indices.contains(place) {
        shares[place] &+= share
      }
    }
  }

  /// The payers with what each has of the cost as his weight, so that a difference is divided as the cost is. Of a cost
  /// of nothing the weights are those of the charge.
  private var weighted: [Payer] {
    guard shares.count == payers.count, shares.contains(where: { $0 > 0 }) else { return payers }
    return zip(payers, shares).map { payer, share in
      var payer = payer
      payer.weight = max(0, share)
      return payer
    }
  }

  /// The event that adds a difference, without its reason: on the page that tells the cost all of it, on each that limits
  /// the cost what it counts of it.
  ///
  /// - Parameter counts: of a page that limits, which payers it counts; nil: that is not known any more.
  func correction(
    by difference: Int64, counting counts: (MeterKey) -> ((Payer) -> Bool)?
  ) -> ChargeCorrected {
    let payers = weighted
    let shares = payers.dividing(difference)
    var event = ChargeCorrected()
    event.payers = payers
    event.moves = parts.compactMap { page in
      guard page.page != told else { return Move(page.page, difference) }
      let amount = part(of: difference, shares, on: page, counts(page.page))
      // What it does not count is no move.
      guard amount != 0 else { return nil }
      var move = Move(page.page, amount)
      move.limitOnly = page.isLimitOnly
      return move
    }
    return event
  }

  /// What a page that limits counts of a difference: what those payers have of it whose parts are what it counted of the
  /// charge. Where that is not known any more, as much in proportion.
  private func part(
    of difference: Int64, _ parts: [Int64], on page: Part, _ isCounted: ((Payer) -> Bool)?
  ) -> Int64 {
    if let isCounted, shares.count == payers.count {
      let counted = payers.indices.filter { isCounted(payers[$0]) }
      if counted.reduce(0, { $0 &+ shares[$1] }) == page.amount {
        return counted.reduce(0) { $0 &+ parts[$1] }
      }
    }
    guard page.amount < amount, page.amount >= 0 else { return difference }
    let weights = [page.amount, amount - page.amount]
    return weights.map { Payer(account: "", weight: $0) }.dividing(difference)[0]
  }
}
