import Foundation
import Keepa
import TollbookEvents
import TollbookLog

/// Whole paid fetches as the gateway writes them: a call for ten products begun, answered, written to the cache and
/// charged, with a reading of the balance. Fourteen events a fetch.
struct EventMix {
  static let productsPerFetch = 10
  static let eventsPerFetch = productsPerFetch + 4

  /// The events of one fetch.
  ///
  /// - Parameters:
  ///   - number: decides which products it buys: of `world` different ones, each in its turn.
  ///   - first: the position of its first event.
  ///   - furtherMeters: how many of `furtherMeters` it counts on too.
  static func fetch(
    _ number: Int, of world: Int, first: Position, at now: Timestamp, furtherMeters: Int = 0
  ) -> [Event] {
    let asins = (0..<productsPerFetch).map { product in
      resource((number &* productsPerFetch &+ product) &* 7_919 % world)
    }
    var demand = Demand()
    demand.account = account
    var move = Move()
    move.meter = MeterName(quotaGroup: credential, unit: Amount.firstUnit)
    move.amount = Int64(productsPerFetch)
    move.expected = move.amount
    var started = FetchStarted()
    started.operation = operation
    started.credential = credential
    started.resources = asins
    started.demands = [demand]
    let further = Self.furtherMeters.prefix(furtherMeters)
    started.moves = [move] + further
    let payer = Payer(account: account, kind: operation, weight: Int64(productsPerFetch))
    var succeeded = FetchSucceeded()
    succeeded.fetch = first
    succeeded.attempt = 1
    succeeded.found = UInt32(productsPerFetch)
    succeeded.durationMs = 240
    succeeded.receivedBytes = 520_000
    succeeded.operation = operation
    succeeded.payers = [payer]
    var charged = TokensCharged()
    charged.fetch = first
    charged.attempt = 1
    charged.credential = credential
    charged.operation = operation
    move.reserved = move.amount
    charged.moves =
      [move]
      + further.map { move in
        var move = move
        move.reserved = move.amount
        return move
      }
    charged.payers = [payer]
    charged.windows = ["day 2026-11-21"]
    charged.shares = asins.enumerated().map { index, asin in
      var share = Share()
      share.resource = asin
      share.amounts = [1] + further.map { $0.amount / Int64(productsPerFetch) }
      share.use = .served
      share.written = first + 2 + Position(index)
      return share
    }
    return [.fetchStarted(started), .fetchSucceeded(succeeded)]
      + asins.enumerated().map { .cacheWritten(written($1, number &+ $0, fetch: first, at: now)) }
      + [.tokensCharged(charged), .balanceObserved(reading(number, fetch: first, at: now))]
  }

  /// A quota of the day, and a budget in money.
  static let furtherMeters: [Move] = {
    var quota = Move()
    quota.meter = MeterName(quotaGroup: credential, unit: "calls")
    quota.window = "day 2026-11-21"
    quota.amount = Int64(productsPerFetch)
    quota.expected = quota.amount
    var budget = quota
    budget.meter = MeterName(quotaGroup: "spring", unit: "EUR")
    budget.meter.ownerKind = .budget
    budget.amount = 1_000_000 * Int64(productsPerFetch)
    budget.expected = budget.amount
    return [quota, budget]
  }()

  static let operation = "keepa.product"
  private static let credential = "keepa:0123abcd"
  private static let account = "default"

  static func tokens(_ count: Int64) -> Cost { Cost(Amount(count, Amount.firstUnit)) }

  static func resource(_ product: Int) -> String {
    "shared/keepa.product/1/" + asin(product)
  }

  static func asin(_ product: Int) -> String {
    let digits = String(product)
    return "B" + String(repeating: "0", count: 9 - digits.count) + digits
  }

  private static func written(
    _ resource: String, _ seed: Int, fetch: Position, at now: Timestamp
  ) -> CacheWritten {
    var event = CacheWritten()
    event.resource = resource
    event.presence = .present
    event.fetch = fetch
    event.body = Data((0..<32).map { UInt8(truncatingIfNeeded: seed >> ($0 % 8 * 8) &+ $0) })
    event.bodyBytes = 52_000
    event.fetchedMs = now.milliseconds
    event.freshUntilMs = now.milliseconds + 7 * 86_400_000
    event.graceUntilMs = event.freshUntilMs
    event.errorGraceUntilMs = now.milliseconds + 30 * 86_400_000
    event.keepUntilMs = now.milliseconds + 90 * 86_400_000
    event.upstreamUpdatedMs = now.milliseconds - 1_800_000
    event.costs = [tokens(1)]
    event.summary = Data(summary)
    return event
  }

  private static func reading(_ number: Int, fetch: Position, at now: Timestamp) -> BalanceObserved
  {
    var event = BalanceObserved()
    event.meter = MeterName(quotaGroup: credential, unit: Amount.firstUnit)
    event.reading.balance = 600
    event.reading.upstreamMs = now.milliseconds
    event.reading.nextRefillMs = now.milliseconds + 30_000
    event.reading.observedMs = now.milliseconds
    if number > 0 {
      event.previous = event.reading
      event.ticks = 1
      event.refillLow = Int64(productsPerFetch)
      event.refillHigh = event.refillLow
      event.refill = event.refillLow
      event.predictedLow = 600
      event.predictedHigh = 600
    }
    event.refillRate = Int64(productsPerFetch)
    event.fetch = fetch
    return event
  }

  /// A summary of the size that a real product has.
  private static let summary: [UInt8] = {
    var summary = ProductSummary()
    summary.title = "Borosilicate measuring cylinder with glass base, 250 ml, pack of two"
    summary.brand = "Northmark"
    summary.manufacturer = "Northmark Glass"
    summary.rootCategory = 16_310_091
    summary.rootCategoryName = "Industrial & Scientific"
    summary.image = "61kSt4W4P4L.jpg"
    for path in [\ProductSummary.new, \ProductSummary.salesRank, \ProductSummary.offersNew] {
      summary[keyPath: path].current = 2_599
      summary[keyPath: path].average30Days = 2_599
      summary[keyPath: path].average90Days = 2_599
      summary[keyPath: path].lowest = 2_199
      summary[keyPath: path].highest = 3_599
    }
    summary.monthlySold = 300
    summary.referralFeeHundredths = 1_200
    summary.fbaFee = 435
    summary.packageWeightG = 235
    return summary.bytes
  }()
}
