import TollbookEvents
import TollbookGateway
import TollbookLog
package import TollbookSimulators
import TollbookViews

/// What is bought ahead, beside a bucket from which all is bought but that.
///
/// Right after each refill both should hold the same: then what was bought ahead would have been lost. A difference is
/// counted, and the bucket beside set to what there is, so that each token is counted once. It is told apart whether that
/// was to be seen when it was spent, or whether a request came after that and before the refill.
package struct AheadBooks {
  /// Tokens that requests were charged.
  package private(set) var requested: Int64 = 0
  /// Tokens that were spent ahead.
  package private(set) var ahead: Int64 = 0
  /// Of those, the ones that would still have been there after the next refill, as was to be seen.
  package private(set) var wronglySpent: Int64 = 0
  /// Of those, the ones that a request could have used that came in the seconds before the refill.
  package private(set) var overtaken: Int64 = 0
  /// What refills brought and the bucket did not take.
  package private(set) var lost: Int64 = 0
  private var bucket: TokenBucket
  private var beside: TokenBucket
  /// Of what was wrongly spent, what was spent since the last refill.
  private var wrongSinceRefill: Int64 = 0

  /// - Parameter bucket: as it is before anything is bought.
  package init(_ bucket: TokenBucket) {
    self.bucket = bucket
    beside = bucket
  }

  /// Counts a call that has ended.
  ///
  /// - Parameter isAhead: whether nobody waited for it.
  package mutating func charge(_ tokens: Int64, isAhead: Bool, at now: Int64) {
    advance(to: now)
    // What is missing by now a request could have used: what is spent now answers only for what it adds to that.
    let missing = missingAfterRefill
    bucket.charge(Int(tokens), at: now)
    if isAhead {
      ahead += tokens
      let wrong = missingAfterRefill - missing
      wronglySpent += wrong
      wrongSinceRefill += wrong
    } else {
      requested += tokens
      beside.charge(Int(tokens), at: now)
    }
  }

  /// What the bucket will hold less than the one beside it after the next refill, if nobody spends anything before.
  private var missingAfterRefill: Int64 { afterRefill(beside) - afterRefill(bucket) }

  /// What a bucket holds after the next refill, if nobody spends anything before.
  private func afterRefill(_ bucket: TokenBucket) -> Int64 {
    Int64(min(bucket.capacity, bucket.balance + bucket.rate))
  }

  package mutating func refillIn(at now: Int64) -> Int64 { bucket.refillIn(at: now) }

  /// Lets the refills come, one after the other: two would hide what the first shows.
  package mutating func advance(to now: Int64) {
    while bucket.lastTick + TokenBucket.tick <= now {
      let tick = bucket.lastTick + TokenBucket.tick
      let before = bucket.balance
      bucket.advance(to: tick)
      beside.advance(to: tick)
      lost += Int64(bucket.rate - (bucket.balance - before))
      let missing = Int64(beside.balance - bucket.balance)
      overtaken += max(0, missing - wrongSinceRefill)
      wrongSinceRefill = 0
      beside.set(balance: bucket.balance, at: tick)
    }
  }
}

extension WhatIfWorld {
  /// Asks all of it as ``live(_:)`` does, and looks in between for what is about to be lost, as often as the service
  /// does. Looks so long before a refill that nothing is to be seen are left out.
  ///
  /// - Parameter looks: whether it looks at all.
  package func live(_ demand: [WhatIfDemand], looks: Bool) async throws -> AheadBooks {
    guard let bucket = keepa.simulator.bucket() else { fatalError("the simulator has no bucket") }
    var books = AheadBooks(bucket)
    var next = time.now.milliseconds + Gateway.aheadInterval
    for request in demand {
      let at = Timestamp.testStart.milliseconds + request.at
      // A look may buy, which takes its time: the request comes first then.
      while looks, next + Self.answerTime <= at {
        books.advance(to: next)
        let left = books.refillIn(at: next)
        if left <= Gateway.aheadLead {
          time.advance(byMilliseconds: max(0, next - time.now.milliseconds))
          let before = charged
          _ = await gateway.refreshAhead()
          books.charge(charged - before, isAhead: true, at: time.now.milliseconds)
        }
        let looks = max(1, (left - Gateway.aheadLead) / Gateway.aheadInterval)
        next = max(next, time.now.milliseconds) + looks * Gateway.aheadInterval
      }
      let before = charged
      try await ask(request)
      books.charge(charged - before, isAhead: false, at: time.now.milliseconds)
    }
    await gateway.writeTallies()
    return books
  }

  /// What the ledger has as settled on the only meter of tokens.
  package func settled() throws -> Int64 {
    try log.read { (reading) throws(LogError) in
      try LedgerView(log).meters(in: reading).reduce(0) { $0 + $1.meter[.settled] }
    }
  }
}
