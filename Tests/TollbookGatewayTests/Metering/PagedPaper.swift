import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway
@testable import TollbookViews

/// Books kept on paper for any number of meters: a page for each window, without a log.
struct PagedPaper {
  private(set) var pages: [MeterKey: Meter] = [:]
  private(set) var holds: [Hold] = []
  /// The worst residual that any prefix showed.
  private(set) var worstResidual: Int64 = 0
  private var position: Position = 0

  func page(_ key: MeterKey) -> Meter { pages[key] ?? Meter() }

  func standing(_ use: MeterUse, at now: Timestamp) -> MeterStanding {
    let windows = use.rule.windows(at: now)
    return MeterStanding(
      use, at: now, windows.last ?? .none,
      windows.map { page(use.meter.inWindow($0.name)) })
  }

  @discardableResult
  mutating func append(_ event: Event) -> Position {
    position += 1
    let postings = event.postings(at: position)
    for key in Set(postings.map(\.page)) {
      pages[key, default: Meter()].apply(event, to: key)
      worstResidual = max(worstResidual, abs(page(key).residual))
    }
    for posting in postings { hold(posting) }
    return position
  }

  private mutating func hold(_ posting: Posting) {
    let place = holds.firstIndex {
      $0.fetch == posting.fetch && $0.attempt == posting.attempt && $0.meter == posting.page
    }
    switch posting.change {
    case .reserved(let amount):
      holds.append(
        Hold(
          fetch: posting.fetch, attempt: posting.attempt, state: .reserved, amount: amount,
          meter: posting.page, isLimitOnly: posting.isLimitOnly, payers: posting.payers,
          operation: "o", since: .testStart))
    case .charged, .released:
      if let place { holds.remove(at: place) }
    case .doubted:
      if let place { holds[place].state = .inDoubt }
    case .closed(let doubt):
      guard let place else { return }
      if doubt.unprovable > 0 {
        holds[place].state = .unprovable
        holds[place].amount = doubt.unprovable
      } else {
        holds.remove(at: place)
      }
    case .observed, .corrected: break
    }
  }

  func doubts(on page: MeterKey) -> [Hold] {
    holds.filter { $0.state == .inDoubt && $0.meter == page }
  }

  // MARK: A call

  /// Reserves without asking whether it fits.
  mutating func reserve(_ meters: [MeterStanding]) -> (fetch: Position, moves: [Move]) {
    var event = FetchStarted()
    event.moves = meters.map { $0.reservation(of: 0..<$0.use.bounds.count, isFirst: true) }
    return (append(.fetchStarted(event)), event.moves)
  }

  mutating func charge(_ fetch: Position, _ moves: [Move], _ amounts: [Int64]) {
    var event = TokensCharged()
    event.fetch = fetch
    event.attempt = 1
    event.moves = zip(moves, amounts).map { move, amount in
      Move(ending: move, amount: amount, reserved: move.amount)
    }
    append(.tokensCharged(event))
  }

  mutating func release(_ fetch: Position, _ moves: [Move]) {
    var event = ReservationReleased()
    event.fetch = fetch
    event.attempt = 1
    event.moves = moves.map { Move(ending: $0, amount: $0.amount) }
    append(.reservationReleased(event))
  }

  mutating func doubt(_ fetch: Position, _ moves: [Move], sent: Timestamp) {
    var event = ChargeInDoubt()
    event.fetch = fetch
    event.attempt = 1
    event.moves = moves.map { Move(ending: $0, amount: $0.amount) }
    event.sentMs = sent.milliseconds
    append(.chargeInDoubt(event))
  }
}

extension MeterUse {
  /// A purchase of items that each cost something of their own.
  static func of(_ rule: MeterRule, _ bounds: Int64..., unit: String = "weight") -> MeterUse {
    MeterUse(MeterKey(owner: "group", unit: unit), rule, bounds: PrefixCosts(each: bounds))
  }
}

/// An instant from its text.
func instant(_ text: String) -> Timestamp {
  guard let instant = Timestamp(rfc3339: text) else { fatalError("\(text) is no instant") }
  return instant
}
