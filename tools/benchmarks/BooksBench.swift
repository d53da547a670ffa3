import ArgumentParser
import Foundation
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Conservation over a long history of many accounts: after each event the books of all that it moved add up.
struct BooksBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "books",
    abstract: "Makes up a long history of many budgets, and checks the books after each event.")

  @Option(help: "Where the dice begin.") var seed: UInt64 = 1
  @Option(help: "How many events.") var events: UInt64 = 1_000_000
  @Option(help: "How many accounts.") var accounts = 50
  @Option(help: "How many budgets each has.") var budgets = 5
  @Option(help: "Where the log is made.") var disk = NSTemporaryDirectory()

  func run() async throws {
    try await withFolder(in: disk) { path in
      var options = EventLog.Options()
      options.unsafeWithoutSync = true
      let time = ManualTime()
      let log = try EventLog(
        DataDirectory.own(path, mode: .simulated), folds: [LedgerFold.fold], time: time.source,
        options: options
      ) { error in print("failed: \(error)") }
      defer { log.close() }
      var generator = EventGenerator(
        seed: seed, formats: .second, furtherAccounts: accounts, budgetsEach: budgets)
      let ledger = LedgerView(log)
      var pages: Set<MeterKey> = []
      var moves = 0
      let took = try await seconds {
        while generator.head < events {
          time.advance(byMilliseconds: 1_000)
          for event in generator.next(at: time.now).events {
            let position = try await log.decide { (_, context) throws(LogError) in
              Decision(events: [event], answer: context.next)
            }.answer
            let moved = event.postings(at: position).map(\.page)
            moves += moved.count
            pages.formUnion(moved)
            try Self.expectBalance(of: moved, at: position, ledger, log)
          }
        }
      }
      try Self.expectBalance(of: Array(pages), at: log.head, ledger, log)
      printTable(
        "Conservation after each event (seed \(seed); \(accounts) accounts, \(budgets) budgets)",
        [
          Row("events", grouped(Double(generator.head))),
          Row("moves on pages of the books", grouped(Double(moves)), "0 with anything left over"),
          Row("pages", grouped(Double(pages.count))),
          Row("took", String(format: "%.0f s", took)),
        ])
    }
  }

  private static func expectBalance(
    of pages: [MeterKey], at position: Position, _ ledger: LedgerView, _ log: EventLog
  ) throws {
    try log.read { (reading) throws(LogError) in
      for page in pages {
        let left = try ledger.meter(page, in: reading).residual
        if left != 0 { return (page, left) as (MeterKey, Int64)? }
      }
      return nil
    }.map { page, left in
      print("\(page) has \(left) left over at position \(position)")
      throw ExitCode.failure
    }
  }
}
