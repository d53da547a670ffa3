/// Keepa's token bucket: one batch of tokens per tick, never a drip.
///
/// A call is admitted while the balance is above zero, whatever it will cost, and is charged after
/// the work; so the balance may go far below zero. Times are milliseconds.
package struct TokenBucket: Sendable, Equatable {
  /// Time between two refills. Measured on real answers; it is not a round minute.
  package static let tick: Int64 = 60_200

  /// Tokens that one tick brings.
  package let rate: Int
  /// What can be spent now; may be negative.
  package private(set) var balance: Int
  /// The latest tick that was paid out.
  package private(set) var lastTick: Int64
  /// Thousandths of a token that every tick brings less, because of trackings; below the rate.
  package private(set) var flowReduction = 0
  /// Thousandths of a token that ticks brought beyond whole tokens.
  private var fraction = 0

  /// A bucket whose tick grid passes through `now`.
  package init(rate: Int, balance: Int, at now: Int64) {
    precondition(rate > 0, "a refill rate of 0 means that there is no bucket")
    self.rate = rate
    self.balance = balance
    self.lastTick = now
  }

  /// The most that refills can fill: an hour of them.
  package var capacity: Int { 60 * rate }

  /// Pays out every tick up to `now`. A clock that runs backwards pays nothing and takes nothing.
  package mutating func advance(to now: Int64) {
    guard now - lastTick >= Self.tick else { return }
    let ticks = (now - lastTick) / Self.tick
    lastTick += ticks * Self.tick
    guard balance < capacity else { return }
    guard flowReduction == 0 else {
      let brought = min(Int(ticks), 1_000_000) * (rate * 1000 - flowReduction) + fraction
      balance = min(capacity, balance + brought / 1000)
      fraction = balance < capacity ? brought % 1000 : 0
      return
    }
    let wanted = (capacity - balance + rate - 1) / rate
    balance = ticks >= Int64(wanted) ? capacity : balance + Int(ticks) * rate
  }

  /// Whether a call that arrives now may start.
  package mutating func admits(at now: Int64) -> Bool {
    advance(to: now)
    return balance > 0
  }

  /// Takes the cost of finished work, below zero if need be.
  package mutating func charge(_ tokens: Int, at now: Int64) {
    advance(to: now)
    balance -= tokens
  }

  /// Lets every later tick bring so many thousandths of a token less, but never takes any away.
  package mutating func set(flowReduction: Int, at now: Int64) {
    advance(to: now)
    self.flowReduction = min(max(0, flowReduction), rate * 1000)
  }

  /// Puts the balance where a test wants it; the grid stays.
  package mutating func set(balance: Int, at now: Int64) {
    advance(to: now)
    self.balance = balance
  }

  /// Milliseconds until the next tick: from 1 to `tick`.
  package mutating func refillIn(at now: Int64) -> Int64 {
    advance(to: now)
    return min(Self.tick, lastTick + Self.tick - now)
  }
}
