import Foundation
import Testing
import TollbookEvents
import TollbookLog
import TollbookViews

struct ImpossibleEvent: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var event: Event

  init(_ name: String, _ event: Event) {
    testDescription = name
    self.event = event
  }

  /// A credential; a fetch (2) with 10 tokens reserved; one (3) of another meter; a doubt (5) of a fetch (4); an entry
  /// (6), and one with a body (7); a fetch (8) that reserves on three pages; a doubt (10) of such a one (9).
  static let before: [Event] =
    [
      .credentialAdded(make { $0.credential = "main" }),
      .fetchStarted(fetchStarted("main")),
      .fetchStarted(fetchStarted("other")),
      .fetchStarted(fetchStarted("main")),
      .chargeInDoubt(doubt { $0.fetch = 4 }),
      .cacheWritten(written { _ in }),
      .cacheWritten(
        written { ($0.resource, $0.presence, $0.body) = ("shared/a/7", .present, named) }),
      .fetchStarted(reserving { _ in }),
      .fetchStarted(reserving { _ in }),
      .chargeInDoubt(doubting { $0.fetch = 9 }),
    ] + accountsBefore + credentialsBefore + requestsBefore

  /// Tokens of a credential; money of a budget's day; a limit on an account's tokens.
  static let pages = [
    MeterKey(owner: "main", unit: "tokens"),
    MeterKey(.budget, owner: "spring", unit: "EUR", window: "day 2026-11-21"),
    MeterKey(.account, owner: "acme", unit: "tokens", window: "day 2026-11-21"),
  ]

  /// A digest that an entry names.
  private static let named = Data(repeating: 7, count: 32)

  /// Ends the reservation of the first fetch.
  static let charge = charged { _ in }

  static let all: [ImpossibleEvent] =
    ledger + moves + names + cache + sweeps + accounts
    + credentials + requests

  private static let ledger = [
    ImpossibleEvent("a charge of an unknown fetch", .tokensCharged(charged { $0.fetch = 99 })),
    .init("a charge of an unknown attempt", .tokensCharged(charged { $0.attempt = 2 })),
    .init("a charge that ends another amount", .tokensCharged(charged { $0.reserved = 9 })),
    .init("a charge to another meter", .tokensCharged(charged { $0.fetch = 3 })),
    .init("a charge of a doubt", .tokensCharged(charged { $0.fetch = 4 })),
    .init(
      "a charge whose account cannot be a key",
      .tokensCharged(charged { $0.account = String(repeating: "a", count: 600) })),
    .init(
      "a charge whose window hides another name",
      .tokensCharged(charged { $0.windows = ["day\u{0}acme"] })),
    .init(
      "a release of an unknown fetch",
      .reservationReleased(
        make {
          ($0.fetch, $0.attempt, $0.credential, $0.unit, $0.tokens) = (99, 1, "main", "tokens", 10)
        })),
    .init(
      "a release of another amount",
      .reservationReleased(
        make {
          ($0.fetch, $0.attempt, $0.credential, $0.unit, $0.tokens) = (2, 1, "main", "tokens", 11)
        })),
    .init("a doubt of an unknown fetch", .chargeInDoubt(doubt { $0.fetch = 99 })),
    .init("a doubt that is one already", .chargeInDoubt(doubt { $0.fetch = 4 })),
    .init("a doubt of another amount", .chargeInDoubt(doubt { ($0.fetch, $0.tokens) = (2, 3) })),
    .init("a doubt of another meter", .chargeInDoubt(doubt { $0.fetch = 3 })),
    .init(
      "a second reservation for an attempt",
      .fetchAttemptFailed(attemptFailed { ($0.fetch, $0.nextAttempt) = (2, 1) })),
    .init(
      "a reservation of less than nothing",
      .fetchAttemptFailed(attemptFailed { $0.nextBound = -1 })),
    .init(
      "a reservation whose account cannot be a key",
      .fetchAttemptFailed(attemptFailed { $0.account = String(repeating: "a", count: 600) })),
    .init(
      "a reservation whose meter cannot be a key",
      .fetchStarted(fetchStarted(String(repeating: "c", count: 600)))),
    .init("a meter whose name hides another", .fetchStarted(fetchStarted("main\u{0}tokens"))),
    .init("a resolution of a reservation", .chargeResolved(resolved([closing { $0.fetch = 2 }]))),
    .init("a resolution of nothing", .chargeResolved(resolved([closing { $0.fetch = 99 }]))),
    .init(
      "a resolution that closes a doubt twice",
      .chargeResolved(resolved([closing { _ in }, closing { _ in }]))),
    .init(
      "a resolution of another amount", .chargeResolved(resolved([closing { $0.tokens = 11 }]))),
    .init(
      "a resolution whose parts are not the whole",
      .chargeResolved(resolved([closing { $0.released = 5 }]))),
    .init(
      "a resolution with a negative part",
      .chargeResolved(resolved([closing { ($0.settled, $0.released) = (-1, 11) }]))),
    .init(
      "a resolution of what is not unprovable",
      .chargeResolved(resolved([closing { $0.wasUnprovable = true }]))),
    .init(
      "a resolution by another meter",
      .chargeResolved(resolved([closing { _ in }], credential: "other"))),
    .init("a credential without a name", .credentialAdded(CredentialAdded())),
    .init(
      "a credential whose name cannot be a key",
      .credentialAdded(make { $0.credential = String(repeating: "c", count: 512) })),
    .init(
      "the status of an unknown credential",
      .credentialStatusChanged(make { $0.credential = "nobody" })),
    .init(
      "the status of a credential without a name",
      .credentialStatusChanged(CredentialStatusChanged())),
  ]

  private static let cache = [
    ImpossibleEvent(
      "an entry without a name", .cacheWritten(written { $0.resource = "" })),
    .init(
      "an entry whose name cannot be a key",
      .cacheWritten(written { $0.resource = String(repeating: "r", count: 481) })),
    .init(
      "an entry whose name hides another",
      .cacheWritten(written { $0.resource = "shared/a/1\u{0}\u{1}" })),
    .init(
      "an entry whose name is much longer than a key",
      .cacheWritten(written { $0.resource = String(repeating: "r", count: 600) })),
    .init(
      "the expiry of an unknown entry",
      .cacheExpired(make { ($0.resource, $0.written) = ("shared/a/2", 6) })),
    .init(
      "the expiry of an older entry",
      .cacheExpired(make { ($0.resource, $0.contentSet, $0.written) = ("shared/a/1", 1, 5) })),
    .init(
      "the removal of an entry of other parts",
      .cacheEvicted(make { ($0.resource, $0.contentSet, $0.written) = ("shared/a/1", 257, 6) })),
    .init(
      "the removal of an older entry",
      .cacheEvicted(make { ($0.resource, $0.contentSet, $0.written) = ("shared/a/1", 1, 5) })),
    .init(
      "the purge of an unknown entry",
      .cachePurged(make { ($0.resource, $0.written) = ("shared/a/2", 6) })),
    .init(
      "the purge of an older entry",
      .cachePurged(
        make {
          ($0.resource, $0.contentSet, $0.written, $0.hard) = ("shared/a/1", 1, 5, true)
        })),
    .init("the removal of a body that an entry names", .bodiesPruned(make { $0.bodies = [named] })),
    .init(
      "the removal of a body that nobody named",
      .bodiesPruned(make { $0.bodies = [Data(repeating: 8, count: 32)] })),
  ]

  private static let sweeps = [
    ImpossibleEvent(
      "a sweep whose second row is of an unknown entry",
      .entriesSwept(
        swept([("shared/a/1", 1, 6, false), ("shared/a/2", 1, 6, true), ("shared/a/7", 1, 7, true)])
      )),
    .init(
      "a sweep whose second row is of an older entry",
      .entriesSwept(swept([("shared/a/7", 1, 7, true), ("shared/a/1", 1, 5, false)]))),
    .init(
      "a sweep whose second row is of an entry of other parts",
      .entriesSwept(swept([("shared/a/7", 1, 7, true), ("shared/a/1", 1 << 32 | 1, 6, false)]))),
    .init(
      "a sweep that finds an entry twice",
      .entriesSwept(swept([("shared/a/1", 1, 6, false), ("shared/a/1", 1, 6, true)]))),
    .init(
      "a sweep whose second row has no name",
      .entriesSwept(swept([("shared/a/1", 1, 6, true), ("", 1, 7, true)]))),
    .init(
      "a sweep whose second row has a name that cannot be a key",
      .entriesSwept(
        swept([("shared/a/1", 1, 6, true), (String(repeating: "r", count: 600), 1, 7, true)]))),
    .init(
      "a sweep whose second row hides another name",
      .entriesSwept(swept([("shared/a/1", 1, 6, true), ("shared/a/7\u{0}", 1, 7, true)]))),
  ]

  /// Nothing is booked of an event if one of its moves cannot be.
  private static let moves = [
    ImpossibleEvent(
      "a reservation whose second move is less than nothing",
      .fetchStarted(reserving { $0[1].amount = -1 })),
    .init(
      "a reservation on the same page twice",
      .fetchStarted(reserving { $0[2] = $0[0] })),
    .init(
      "a reservation for the next attempt whose second move is less than nothing",
      .fetchAttemptFailed(
        make {
          ($0.fetch, $0.attempt, $0.nextAttempt, $0.payers) = (8, 1, 2, payers)
          $0.moves = three { $0[1].amount = -1 }
        })),
    .init(
      "a second reservation for an attempt, on other pages",
      .fetchAttemptFailed(
        make {
          ($0.fetch, $0.attempt, $0.nextAttempt, $0.payers) = (8, 1, 1, payers)
          $0.moves = three { for index in $0.indices { $0[index].window = "day 2026-11-22" } }
        })),
    .init(
      "a charge whose second move ends more than is held",
      .tokensCharged(charging { $0[1].reserved = 501 })),
    .init(
      "a charge whose second move ends less than nothing",
      .tokensCharged(charging { $0[1].reserved = -1 })),
    .init(
      "a charge whose second move is in another window",
      .tokensCharged(charging { $0[1].window = "day 2026-11-22" })),
    .init(
      "a charge whose second move is in no window",
      .tokensCharged(charging { $0[1].window = "" })),
    .init(
      "a charge whose second move is of another unit",
      .tokensCharged(charging { $0[1].meter.unit = "USD" })),
    .init(
      "a charge whose second move is of another kind of owner",
      .tokensCharged(charging { $0[1].meter.ownerKind = .account })),
    .init(
      "a charge whose moves together end more than is held",
      .tokensCharged(
        charging {
          $0[1].reserved = 300
          $0[2] = $0[1]
        })),
    .init(
      "a charge of an attempt that is in doubt",
      .tokensCharged(charging(fetch: 9) { _ in })),
    .init(
      "a release whose second move is of a part",
      .reservationReleased(
        make { ($0.fetch, $0.attempt, $0.moves) = (8, 1, three { $0[1].amount = 499 }) })),
    .init(
      "a release whose second move is in another window",
      .reservationReleased(
        make { ($0.fetch, $0.attempt, $0.moves) = (8, 1, three { $0[1].window = "" }) })),
    .init(
      "a doubt whose second move is of a part",
      .chargeInDoubt(doubting { ($0.fetch, $0.moves[1].amount) = (8, 499) })),
    .init(
      "a doubt that names a page twice",
      .chargeInDoubt(doubting { ($0.fetch, $0.moves[1]) = (8, $0.moves[0]) })),
    .init(
      "a resolution whose second doubt is in another window",
      .chargeResolved(
        resolving([
          closing(9, 500) { _ in }, closing(9, 500) { $0.window = "day 2026-11-22" },
        ]))),
    .init(
      "a resolution that closes what is in doubt on a page twice",
      .chargeResolved(resolving([closing(9, 500) { _ in }, closing(9, 500) { _ in }]))),
    .init(
      "a resolution of a part of what is in doubt on a page",
      .chargeResolved(resolving([closing(9, 499) { _ in }]))),
    .init(
      "a resolution in no window",
      .chargeResolved(resolving([closing(9, 500) { $0.window = "" }]))),
    .init(
      "a resolution of a unit that is not in doubt",
      .chargeResolved(
        make {
          $0 = resolving([closing(9, 500) { _ in }])
          $0.meter.unit = "USD"
        })),
    .init(
      "a resolution of what is reserved on the page",
      .chargeResolved(resolving([closing(8, 500) { _ in }]))),
  ]

  private static let names = [
    ImpossibleEvent(
      "a reservation whose second meter cannot be a key",
      .fetchStarted(reserving { $0[1].meter.owner = String(repeating: "o", count: 600) })),
    .init(
      "a reservation whose second window cannot be a key",
      .fetchStarted(reserving { $0[1].window = String(repeating: "w", count: 600) })),
    .init(
      "a reservation whose second window hides another",
      .fetchStarted(reserving { $0[1].window = "day\u{0}" })),
    .init(
      "a reservation whose second unit hides a window",
      .fetchStarted(reserving { $0[1].meter.unit = "EUR\u{0}day" })),
    .init(
      "a reservation whose second meter hides a dimension",
      .fetchStarted(
        reserving {
          var dimension = TollbookEvents.Dimension()
          (dimension.name, dimension.value) = ("model", "flash\u{1}tier")
          $0[1].meter.dimensions = [dimension]
        })),
    .init(
      "a reservation whose second account cannot be a key",
      .fetchStarted(
        make {
          $0 = reserving { _ in }
          $0.demands[1].account = String(repeating: "a", count: 600)
        })),
    .init(
      "a reservation whose second account hides another name",
      .fetchStarted(
        make {
          $0 = reserving { _ in }
          $0.demands[1].account = "ze\u{0}ta"
        })),
    .init(
      "a charge whose second account cannot be a key",
      .tokensCharged(
        make {
          $0 = charging { _ in }
          $0.payers[1].account = String(repeating: "a", count: 600)
        })),
    .init(
      "a reading of a meter that cannot be a key",
      .balanceObserved(make { $0.meter.owner = String(repeating: "o", count: 600) })),
    .init(
      "a reading of a window that hides another name",
      .windowObserved(
        make { ($0.meter, $0.window, $0.used) = (pages[1].name, "day\u{0}", 5) })),
  ]

  /// Events whose sums exceed the range.
  static func extreme(_ amount: Int64, fetch: Position) -> [Event] {
    [
      .fetchStarted(
        make {
          ($0.credential, $0.unit, $0.operation) = ("main", "tokens", "keepa.product")
          ($0.bound, $0.expected) = (amount, amount)
        }),
      .tokensCharged(
        make {
          ($0.fetch, $0.attempt, $0.credential, $0.unit) = (fetch, 1, "main", "tokens")
          ($0.tokens, $0.reserved, $0.expected) = (amount, amount, amount)
        }),
      .balanceObserved(
        make {
          ($0.credential, $0.unit, $0.unexplained) = ("main", "tokens", amount)
          ($0.reading.balance, $0.reading.upstreamMs) = (amount, amount)
        }),
      .fetchSucceeded(make { ($0.fetch, $0.receivedBytes) = (fetch, .max) }),
      .cacheWritten(
        written {
          ($0.freshUntilMs, $0.graceUntilMs, $0.keepUntilMs) = (amount, amount, amount)
        }),
      .readsTallied(
        make {
          var row = ReadTally()
          (row.resource, row.contentSet, row.lastReadMs) = ("shared/a/1", 1, amount)
          (row.fresh, row.stale, row.joined) = (.max, .max, .max)
          $0.rows = [row, row]
        }),
    ]
  }

  /// The same on three pages. A reservation of less than nothing is parked, and the charge that would end it.
  static func extremeMoves(_ amount: Int64, fetch: Position) -> [Event] {
    let all = { (change: (inout Move) -> Void) in
      three { for index in $0.indices { change(&$0[index]) } }
    }
    return [
      .fetchStarted(
        make {
          $0 = reserving { _ in }
          $0.moves = all { ($0.amount, $0.granted, $0.expected) = (amount, amount, amount) }
          $0.weights = [max(0, amount), max(0, amount)]
        }),
      .tokensCharged(
        make {
          $0 = charging(fetch: fetch) { _ in }
          $0.moves = all {
            ($0.amount, $0.reserved, $0.granted, $0.expected) = (amount, amount, amount, amount)
          }
          $0.payers[1].weight = amount
          $0.shares = [make { $0.amounts = [amount, amount] }, make { $0.amounts = [amount, 1] }]
        }),
      .windowObserved(
        make {
          ($0.meter, $0.window) = (pages[1].name, pages[1].window)
          ($0.used, $0.limit, $0.granted, $0.unexplained) = (amount, amount, amount, amount)
          $0.windowEndsMs = amount
        }),
      .cacheWritten(
        written { entry in
          entry.contentSet = .max
          entry.costs = [make { ($0.unit, $0.amount) = ("EUR", amount) }]
          entry.replaced = [.max]
        }),
      .readsTallied(
        make {
          var row = ReadTally()
          (row.resource, row.contentSet, row.lastReadMs) = ("shared/a/1", .max, amount)
          (row.fresh, row.stale, row.joined, row.written) = (.max, .max, .max, .max)
          $0.rows = [row, row]
          $0.unmet = [row]
        }),
    ]
  }

  /// A call for one resource, a sweep (2) that names it, and the charge.
  static func call(for resource: String) -> [Event] {
    [
      .fetchStarted(
        make {
          $0 = reserving { _ in }
          $0.resources = [resource]
          ($0.demandOf, $0.weights) = ([0], [1])
        }),
      .entriesSwept(swept([(resource, 1, 1, true)])),
      .tokensCharged(
        make {
          $0 = charging(fetch: 1) { _ in }
          $0.shares = [make { ($0.resource, $0.amounts) = (resource, [7, 300]) }]
        }),
    ]
  }

  static func make<Message: EmptyMessage>(_ fill: (inout Message) -> Void) -> Message {
    var message = Message()
    fill(&message)
    return message
  }

  private static func fetchStarted(_ credential: String) -> FetchStarted {
    make {
      ($0.credential, $0.unit, $0.account) = (credential, "tokens", "acme")
      ($0.operation, $0.bound) = ("keepa.product", 10)
    }
  }

  private static func charged(_ change: (inout TokensCharged) -> Void) -> TokensCharged {
    make {
      ($0.fetch, $0.attempt, $0.credential, $0.unit) = (2, 1, "main", "tokens")
      ($0.account, $0.operation) = ("acme", "keepa.product")
      ($0.tokens, $0.reserved, $0.windows) = (7, 10, ["day 2026-11-21"])
      change(&$0)
    }
  }

  private static func doubt(_ change: (inout ChargeInDoubt) -> Void) -> ChargeInDoubt {
    make {
      ($0.attempt, $0.credential, $0.unit, $0.tokens) = (1, "main", "tokens", 10)
      change(&$0)
    }
  }

  private static func attemptFailed(
    _ change: (inout FetchAttemptFailed) -> Void
  ) -> FetchAttemptFailed {
    make {
      ($0.fetch, $0.attempt, $0.nextAttempt, $0.nextBound) = (4, 1, 2, 10)
      ($0.credential, $0.unit, $0.account) = ("main", "tokens", "acme")
      $0.operation = "keepa.product"
      change(&$0)
    }
  }

  private static func closing(_ change: (inout ResolvedDoubt) -> Void) -> ResolvedDoubt {
    make {
      ($0.fetch, $0.attempt, $0.account, $0.operation) = (4, 1, "acme", "keepa.product")
      ($0.tokens, $0.released) = (10, 10)
      change(&$0)
    }
  }

  private static func resolved(
    _ doubts: [ResolvedDoubt], credential: String = "main"
  ) -> ChargeResolved {
    make { ($0.credential, $0.unit, $0.doubts) = (credential, "tokens", doubts) }
  }

  // MARK: On three pages

  private static let payers = [
    Payer(account: "acme", kind: "a"), Payer(account: "zeta", kind: "a", weight: 2),
  ]

  /// A move on each page: 10 tokens, 500 of money, and the limit on the tokens.
  private static func three(_ change: (inout [Move]) -> Void = { _ in }) -> [Move] {
    var moves: [Move] = zip(pages, [10, 500, 10] as [Int64]).map { page, amount in
      make { ($0.meter, $0.window, $0.amount) = (page.name, page.window, amount) }
    }
    moves[2].limitOnly = true
    change(&moves)
    return moves
  }

  private static func reserving(_ change: (inout [Move]) -> Void) -> FetchStarted {
    make {
      ($0.operation, $0.credential) = ("keepa.product", "main")
      $0.resources = ["shared/a/1", "shared/a/2"]
      $0.demands = payers.map { payer in make { $0.account = payer.account } }
      ($0.demandOf, $0.weights) = ([0, 1], [1, 2])
      $0.moves = three(change)
    }
  }

  private static func charging(
    fetch: Position = 8, _ change: (inout [Move]) -> Void
  ) -> TokensCharged {
    make {
      ($0.fetch, $0.attempt, $0.operation, $0.credential) = (fetch, 1, "keepa.product", "main")
      ($0.payers, $0.windows) = (payers, ["day 2026-11-21"])
      $0.moves = three {
        for index in $0.indices { $0[index].reserved = $0[index].amount }
        for (index, amount) in ([7, 300, 7] as [Int64]).enumerated() { $0[index].amount = amount }
        change(&$0)
      }
    }
  }

  private static func doubting(_ change: (inout ChargeInDoubt) -> Void) -> ChargeInDoubt {
    make {
      ($0.attempt, $0.operation, $0.payers) = (1, "keepa.product", payers)
      ($0.moves, $0.sentMs) = (three(), 77)
      change(&$0)
    }
  }

  /// Closes what is in doubt of a fetch on the second page.
  private static func closing(
    _ fetch: Position, _ amount: Int64, _ change: (inout ResolvedDoubt) -> Void
  ) -> ResolvedDoubt {
    make {
      ($0.fetch, $0.attempt, $0.operation, $0.payers) = (fetch, 1, "keepa.product", payers)
      ($0.tokens, $0.settled, $0.window) = (amount, amount, pages[1].window)
      change(&$0)
    }
  }

  private static func resolving(_ doubts: [ResolvedDoubt]) -> ChargeResolved {
    make { ($0.meter, $0.doubts, $0.windows) = (pages[1].name, doubts, ["day 2026-11-21"]) }
  }

  private static func swept(
    _ rows: [(resource: String, contentSet: UInt64, written: Position, evicted: Bool)]
  ) -> EntriesSwept {
    make {
      $0.entries = rows.map { row in
        make {
          ($0.resource, $0.contentSet) = (row.resource, row.contentSet)
          ($0.written, $0.evicted) = (row.written, row.evicted)
        }
      }
    }
  }

  private static func written(_ change: (inout CacheWritten) -> Void) -> CacheWritten {
    make {
      ($0.resource, $0.contentSet, $0.presence) = ("shared/a/1", 1, .absent)
      change(&$0)
    }
  }
}

protocol EmptyMessage { init() }

extension CredentialAdded: EmptyMessage {}
extension CredentialStatusChanged: EmptyMessage {}
extension FetchStarted: EmptyMessage {}
extension FetchSucceeded: EmptyMessage {}
extension FetchAttemptFailed: EmptyMessage {}
extension TokensCharged: EmptyMessage {}
extension ReservationReleased: EmptyMessage {}
extension ChargeInDoubt: EmptyMessage {}
extension Cost: EmptyMessage {}
extension Demand: EmptyMessage {}
extension EntriesSwept: EmptyMessage {}
extension Move: EmptyMessage {}
extension Share: EmptyMessage {}
extension SweptEntry: EmptyMessage {}
extension WindowObserved: EmptyMessage {}
extension ChargeResolved: EmptyMessage {}
extension ResolvedDoubt: EmptyMessage {}
extension BalanceObserved: EmptyMessage {}
extension CacheWritten: EmptyMessage {}
extension CacheExpired: EmptyMessage {}
extension CacheEvicted: EmptyMessage {}
extension CachePurged: EmptyMessage {}
extension BodiesPruned: EmptyMessage {}
extension ReadsTallied: EmptyMessage {}
