import TollbookEvents

extension Posting {
  /// What it says about what a call cost: a reservation may be spent until it ends, and so may a doubt. Nil: nothing.
  var spending: Bounds? {
    switch change {
    case .reserved(let amount): Bounds(low: 0, high: amount)
    case .charged(let amount, let reserved): Bounds(low: amount, high: amount - reserved)
    case .released(let amount): Bounds(low: 0, high: -amount)
    case .closed(let doubt):
      Bounds(low: doubt.settled, high: doubt.settled + doubt.unprovable - doubt.amount)
    case .corrected(let difference): Bounds(difference)
    case .doubted, .observed: nil
    }
  }
}
