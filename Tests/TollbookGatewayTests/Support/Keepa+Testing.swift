import Keepa
import TollbookEvents
import TollbookViews

@testable import TollbookGateway

extension Gateway {
  /// What buys from the only upstream.
  var keepaPurchaser: Purchaser? { purchasers.first }
  var keepaStatus: UpstreamStatus { statuses[0] }
}

extension Admission {
  /// Decides over items on Keepa's bucket alone.
  ///
  /// - Parameter bounds: the most that each item may cost.
  init(
    of bounds: [Int64], on meter: Meter, at now: Timestamp,
    overdraft: GatewaySettings.Overdraft, callSize: Int = .max
  ) {
    let use = MeterUse(
      World.key, .refillBucket(KeepaUpstream.bucket(overdraft)),
      bounds: PrefixCosts(each: bounds))
    self.init(
      on: [MeterStanding(use, at: now, .none, [meter])], callSize: callSize)
  }

  /// What can be spent of Keepa's bucket now.
  static func available(on meter: Meter, at now: Timestamp) -> Int64 {
    KeepaUpstream.bucket().available(on: meter, at: now)
  }
}
