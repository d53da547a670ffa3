import TollbookEvents
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

/// A balance that was told.
struct BalanceReading: Sendable {
  var meter: MeterKey
  var time: Int64
  var balance: Int64
  var rate: Int64
  var nextRefill: Int64
}

extension RecordedDemand {
  /// Follows the balance as it was recorded: what could be spent at each step, and the refills between the readings.
  ///
  /// - Parameter readings: in the order of time.
  mutating func addRefills(_ readings: [BalanceReading], of bucket: RefillBucket) {
    guard !readings.isEmpty else { return }
    var merged: [Probe] = []
    merged.reserveCapacity(probes.count + readings.count * 2)
    var track = BalanceTrack(bucket: bucket)
    var nextReading = 0
    var index = 0
    while index < probes.count {
      let time = probes[index].time
      while nextReading < readings.count, readings[nextReading].time <= time {
        let reading = readings[nextReading]
        track.refill(until: reading.time, &self, &merged)
        track.balance = reading.balance
        track.rate = reading.rate
        track.next = reading.nextRefill
        track.isKnown = true
        nextReading += 1
      }
      track.refill(until: time, &self, &merged)
      // All products of a call are decided upon together.
      var end = index + 1
      let probe = probes[index]
      let isPurchase = probe.kind == .bought || probe.kind == .refreshed
      if isPurchase {
        let call = calls[Int(purchases[Int(probe.link)].call)]
        end = min(probes.count, index + call.items.count)
      }
      for place in index..<end {
        probes[place].available = track.isKnown ? track.balance : .max
        merged.append(probes[place])
      }
      if isPurchase {
        let call = calls[Int(purchases[Int(probe.link)].call)]
        track.balance -= call.cost.low
      }
      index = end
    }
    probes = merged
  }
}
