import Foundation
import TollbookEvents
import TollbookViews

extension EventGenerator {
  /// A charge as far as who corrects it needs to know.
  struct Booked: Sendable {
    var position: Position
    var event: TokensCharged
    var payers: [LogModel.Payer]
    /// The page that tells its first cost, and what the charge comes to there.
    var told: LogModel.Page
    var amount: Int64
    /// Pages that limit that cost, with what they count of it.
    var limits: [(page: LogModel.Page, amount: Int64)]
  }

  /// Remembers a charge for a while.
  mutating func note(
    _ event: TokensCharged, at position: Position, _ open: OpenFetch, _ cost: End?
  ) {
    guard let cost, !open.isFirst, event.moves.count > 0 else { return }
    let limits = event.moves.filter {
      $0.limitOnly && bytes($0.meter.unit) == cost.use.unit
    }
    charges.append(
      Booked(
        position: position, event: event, payers: open.payers, told: cost.use.page,
        amount: cost.charged,
        limits: limits.map {
          (LogModel.Page(MeterKey($0.meter, window: $0.window)), $0.amount)
        }))
    if charges.count > 20 { charges.removeFirst() }
  }

  /// Somebody finds that a charge was wrong: mostly that it was too high.
  mutating func correct() {
    guard !charges.isEmpty else { return }
    let index = random.int(0...charges.count - 1)
    let charge = charges[index]
    let most = min(9, charge.amount)
    let difference = random.int64(-most...4)
    guard difference != 0 else { return }
    var event = ChargeCorrected()
    event.charge = charge.position
    event.fetch = charge.event.fetch
    event.attempt = charge.event.attempt
    event.credential = charge.event.credential
    event.operation = charge.event.operation
    event.payers = payers(charge.payers)
    event.windows = spendWindows()
    event.reason = random.pick(["booked twice", Self.composed])
    event.actor = "somebody"
    let pages = [charge.told] + charge.limits.map(\.page)
    event.moves = pages.enumerated().map { number, page in
      var move = Move()
      move.meter = name(page.meter)
      move.window = text(page.window)
      move.amount = difference
      move.limitOnly = number > 0
      return move
    }
    emit(.chargeCorrected(event))
    charges[index].amount &+= difference
    let sizes = allot(abs(difference), over: charge.payers.map(\.weight))
    let parts = difference < 0 ? sizes.map { -$0 } : sizes
    model.ledger.open(pages, at: head)
    for (number, page) in pages.enumerated() {
      model.ledger.charge(
        LogModel.Charge(
          amount: difference, isLimitOnly: number > 0, operation: bytes(event.operation),
          parts: byAccount(charge.payers, parts), windows: event.windows, isCorrection: true),
        on: page)
    }
    model.ledger.closeOld(like: pages)
    model.charge(charge.payers, parts, of: charge.told.meter.unit)
    model.count(.amountsCorrected, difference, of: charge.told.meter.unit, at: time)
  }

  /// An upstream's bill says something else than the books.
  mutating func postInvoice() {
    guard formats != .first else { return }
    let page = random.pick(Self.plans.filter(\.isReadable)).page(at: time)
    var event = InvoicePosted()
    event.meter = name(page.meter)
    event.window = text(page.window)
    event.day = time.day
    event.operation = random.pick(Self.operations + [""])
    event.booked = random.int64(0...900)
    event.invoiced = random.int64(0...900)
    event.unexplained = event.invoiced - event.booked
    event.invoice = Data(random.bytes(32))
    event.note = random.pick(["", Self.decomposed])
    event.actor = "somebody"
    emit(.invoicePosted(event))
    model.ledger.open([page], at: head)
    model.ledger.post(unexplained: event.unexplained, on: page)
    model.ledger.closeOld(like: [page])
    model.count(.amountsUnexplained, event.unexplained, of: page.meter.unit, at: time)
  }
}
