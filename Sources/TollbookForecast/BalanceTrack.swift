import TollbookGateway

/// The balance as recorded, while time goes by.
struct BalanceTrack {
  let bucket: RefillBucket
  var isKnown = false
  var balance: Int64 = 0
  var rate: Int64 = 0
  var next: Int64 = .max

  /// Adds the refills up to an instant. So many fill any bucket that is not far below zero; further ones say nothing.
  mutating func refill(until time: Int64, _ demand: inout RecordedDemand, _ merged: inout [Probe]) {
    guard isKnown, rate > 0 else { return }
    var count = 0
    while next <= time {
      if count < 200 {
        merged.append(
          Probe(
            time: next, earliest: next, available: balance, resource: -1, weight: 0,
            link: Int32(demand.refills.count), kind: .refill))
        let refill = RecordedRefill(rate: rate, capacity: rate * bucket.ticksToFill)
        demand.refills.append(refill)
        balance = refill.applied(to: balance)
        count += 1
        next += bucket.tick
      } else {
        next += ((time - next) / bucket.tick + 1) * bucket.tick
      }
    }
  }
}

extension RecordedRefill {
  /// A bucket that is full takes nothing, and none is filled above its capacity.
  func applied(to balance: Int64) -> Int64 {
    balance >= capacity ? balance : min(capacity, balance + rate)
  }
}
