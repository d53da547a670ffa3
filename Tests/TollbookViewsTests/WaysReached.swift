import TollbookEvents
import TollbookLog

/// In how many ways the events of histories move amounts, by the events alone.
struct WaysReached {
  enum Way: String, CaseIterable {
    case manyMeters = "a call that reserves on three meters"
    case limitOnly = "a move that only limits a cost"
    case dimensions = "a meter that is one of its owner's"
    case account = "a meter of an account"
    case accessKey = "a meter of an access key"
    case budget = "a meter of a budget"
    case money = "money"
    case window = "a meter that counts in windows"
    case demands = "a call of two demands"
    case tags = "tags"
    case grant = "a limit that is granted"
    case lesserLimit = "a limit that becomes less"
    case noShares = "a charge without shares"
    case excess = "a charge above what was reserved"
    case partly = "a charge of a part, the rest in doubt"
    case differently = "an attempt that is charged, released and in doubt on one meter each"
    case windowTurned = "a charge after its window turned"
    case windows = "a resolution in several windows"
    case upgrade = "a call begun in format 1 and ended in the next"
    case huge = "an amount near the end of the range"
    case mixedSweep = "a sweep that marks and removes"
    case windowAgain = "a second reading of a window"
    case handedOn = "an answer that is handed on"
    case replaced = "an entry in the place of others"
  }

  private(set) var counts: [Way: Int] = [:]

  private struct Attempt: Hashable {
    var fetch: Position
    var attempt: UInt32
  }

  private struct Ends {
    var isOfFirstFormat = false
    var charged: Set<MeterKey> = []
    var released: Set<MeterKey> = []
    var doubted: Set<MeterKey> = []
  }

  private var position: Position = 0
  private var attempts: [Attempt: Ends] = [:]

  mutating func beginHistory() {
    position = 0
    attempts = [:]
  }

  mutating func note(_ event: Event, at time: Timestamp) {
    position += 1
    let postings = event.postings(at: position)
    for posting in postings { note(posting, event, at: time) }
    if let first = postings.first { noteEnds(of: first) }
    switch event {
    case .fetchStarted(let event):
      reach(.manyMeters, event.moves.count == 3)
      reach(.demands, event.demands.count == 2)
      reach(.tags, event.demands.contains { !$0.tags.isEmpty })
    case .tokensCharged(let event): reach(.noShares, event.shares.isEmpty)
    case .chargeResolved(let event):
      reach(.windows, Set(event.doubts.map(\.window)).count > 1)
    case .entriesSwept(let event):
      reach(.mixedSweep, Set(event.entries.map(\.evicted)).count == 2)
    case .windowObserved(let event): reach(.windowAgain, event.hasPreviousUsed)
    case .fetchSucceeded(let event): reach(.handedOn, !event.handedOn.isEmpty)
    case .cacheWritten(let event): reach(.replaced, event.replaced.count > 1)
    default: break
    }
  }

  private mutating func note(_ posting: Posting, _ event: Event, at time: Timestamp) {
    let page = posting.page
    reach(.limitOnly, posting.isLimitOnly)
    reach(.dimensions, !page.dimensions.isEmpty)
    reach(.account, page.ownerKind == .account)
    reach(.accessKey, page.ownerKind == .accessKey)
    reach(.budget, page.ownerKind == .budget)
    reach(.money, Amount.isMoney(page.unit))
    reach(.window, !page.window.isEmpty)
    reach(.grant, posting.granted > 0)
    reach(.lesserLimit, posting.granted < 0)
    let attempt = Attempt(fetch: posting.fetch, attempt: posting.attempt)
    switch posting.change {
    case .reserved(let amount):
      reach(.huge, amount > .max - 9)
      attempts[attempt, default: Ends()].isOfFirstFormat = event.isOfFirstFormat
    case .charged(let amount, let reservation):
      reach(.excess, amount > reservation)
      let hour = "hour \(time.description.prefix(13))Z"
      reach(.windowTurned, page.window.hasPrefix("hour ") && page.window != hour)
      reach(.upgrade, attempts[attempt]?.isOfFirstFormat == true && !event.isOfFirstFormat)
      attempts[attempt, default: Ends()].charged.insert(page)
    case .released: attempts[attempt, default: Ends()].released.insert(page)
    case .doubted:
      attempts[attempt, default: Ends()].doubted.insert(page)
      reach(.partly, attempts[attempt]?.charged.contains(page) == true)
    case .closed, .observed, .corrected: break
    }
  }

  private mutating func noteEnds(of posting: Posting) {
    let attempt = Attempt(fetch: posting.fetch, attempt: posting.attempt)
    guard let ends = attempts[attempt] else { return }
    reach(
      .differently, !ends.charged.isEmpty && !ends.released.isEmpty && !ends.doubted.isEmpty)
  }

  private mutating func reach(_ way: Way, _ isReached: Bool) {
    if isReached { counts[way, default: 0] += 1 }
  }
}

extension Event {
  /// Whether it books, and in the words of format 1.
  var isOfFirstFormat: Bool {
    switch self {
    case .fetchStarted(let event): event.moves.isEmpty
    case .fetchAttemptFailed(let event): event.nextAttempt > 0 && event.moves.isEmpty
    case .tokensCharged(let event): event.moves.isEmpty
    case .reservationReleased(let event): event.moves.isEmpty
    case .chargeInDoubt(let event): event.moves.isEmpty
    case .chargeResolved(let event): !event.hasMeter
    case .balanceObserved(let event): !event.hasMeter
    default: false
    }
  }
}
