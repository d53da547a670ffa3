import TollbookEvents
import TollbookViews

extension Event {
  /// The first reading of a meter.
  static func reading(
    balance: Int64, at time: Timestamp, refillIn: Int64, rate: Int64, reduction: Int64 = 0
  ) -> Event {
    var event = BalanceObserved()
    event.meter = World.key.name
    event.reading.balance = balance
    event.reading.upstreamMs = time.milliseconds
    event.reading.nextRefillMs = time.milliseconds + refillIn
    event.reading.observedMs = time.milliseconds
    event.refillRate = rate
    event.flowReductionThousandths = reduction
    return .balanceObserved(event)
  }
}
