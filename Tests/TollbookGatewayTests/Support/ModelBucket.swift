/// Keepa's bucket as the fact sheet's section 4 describes it, written apart from the gateway's and the
/// simulator's code: one batch a tick, never above the cap, below zero if a call costs more than there is.
struct ModelBucket {
  static let tick: Int64 = 60_200

  let rate: Int64
  private(set) var balance: Int64
  private(set) var nextTick: Int64
  /// Charges of calls that are still being worked on though nobody waits for them.
  private var late: [(at: Int64, tokens: Int64)] = []

  var capacity: Int64 { 60 * rate }

  init(rate: Int64, balance: Int64, at now: Int64) {
    self.rate = rate
    self.balance = balance
    nextTick = now + 40_000
  }

  mutating func advance(to now: Int64) {
    while let next = nextEvent, next <= now {
      if let index = late.firstIndex(where: { $0.at == next }), next <= nextTick {
        balance -= late.remove(at: index).tokens
      } else {
        if balance < capacity { balance = min(capacity, balance + rate) }
        nextTick += Self.tick
      }
    }
  }

  private var nextEvent: Int64? { min(nextTick, late.map(\.at).min() ?? nextTick) }

  mutating func charge(_ tokens: Int64, at now: Int64) {
    advance(to: now)
    balance -= tokens
  }

  mutating func charge(_ tokens: Int64, later at: Int64) { late.append((at, tokens)) }

  mutating func set(balance: Int64) { self.balance = balance }
}
