import ArgumentParser
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// `tollbook usage`
struct UsageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "usage",
    abstract: "Review the last day, week and month: hits, tokens, errors, savings.",
    discussion: """
      Each line has a mark: + as it should be, ! worth a look, - nothing to judge yet. \
      A stretch is compared with the one of the same length before it. Without a flag \
      it prints the reviews that the log reaches back for, the daily one always. Each \
      unit that was spent has lines of its own.

      With --account the reviews are of what that account asked for, in whole days of its \
      time zone up to yesterday. With --month too it is the statement that a company is \
      shown: what each operation and tag has cost, with the position and the root of the \
      tree that `tollbook audit --statement` proves.

        tollbook usage --account acme --weekly
        tollbook usage --account acme --month 2026-11 --format csv
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
  }

  @OptionGroup var place: PlaceFlags

  @Option(help: ArgumentHelp("Of what this account asked for.", valueName: "name"))
  var account: String?

  @Option(help: ArgumentHelp("The statement of a month, such as 2026-11.", valueName: "month"))
  var month: String?

  @Option(help: "Of a statement: a table for people, JSON or comma-separated values for programs.")
  var format: Format?

  @Flag(help: "The last 24 hours: hits, tokens, response times.") var daily = false
  @Flag(help: "The last 7 days: rows, expiry, retries, errors, anomalies.") var weekly = false
  @Flag(help: "The last 30 days: savings, hit rate, forecast.") var monthly = false

  func validate() throws {
    if let month {
      guard CalendarMonth(month) != nil else {
        throw ValidationError("“\(month)” is no month; write it as 2026-11.")
      }
      guard account != nil else { throw ValidationError("Say with --account whose month it is.") }
      guard !(daily || weekly || monthly) else {
        throw ValidationError("--month is a statement; leave --daily, --weekly and --monthly out.")
      }
    } else if format != nil {
      throw ValidationError("--format goes with --month.")
    }
  }

  func run() async throws {
    let settings = try await place.settings()
    let log = try LogOnDisk(settings)
    let part = try account.map { account in
      Usage.Part(account, try calendar(of: account, log.source, settings))
    }
    if let part, let month = month.flatMap({ CalendarMonth($0) }) {
      let found = try AccountMonth(of: part.account, month, part.calendar, in: log.source)
      return show(AccountMonthPage(found, price: settings.tokenPrice))
    }
    Interrupt.watch()
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    let usage = try Usage(of: log.source, until: TimeSource.system.now(), of: part) {
      done, end in
      meter.show(done: done, of: end)
      return Interrupt.isRequested ? .stop : .next
    }
    guard let usage else { throw Interrupt.status }
    meter.end()
    guard usage.first != nil else { return Console.say("Nothing has happened yet.") }
    for (index, review) in usage.reviews.filter({ isWanted($0, usage) }).enumerated() {
      if index > 0 { Console.say() }
      show(UsagePage(usage, review, price: settings.tokenPrice))
    }
  }

  /// The days of an account. That of the settings need not have been opened.
  private func calendar(
    of account: String, _ source: LogSource, _ settings: Settings
  ) throws -> AuditCalendar {
    let accounts = AccountsView(try ViewTables(of: AccountsFold.fold, in: source.environment))
    let row = try source.read { (reading) throws(LogError) in
      try accounts.account(account, in: reading)
    }
    guard row != nil || account == settings.gateway.account else {
      throw Refused("there is no account \(account.inOneLine(atMost: 100)).")
    }
    let zone = row?.timeZone ?? "UTC"
    guard let calendar = AuditCalendar(zone: zone) else {
      throw Refused("the time zone \(zone) of the account is not known on this machine.")
    }
    return calendar
  }

  private func show(_ page: AccountMonthPage) {
    switch format ?? .table {
    case .table: for line in page.lines { Console.say(line) }
    case .csv: for line in page.csv { Console.say(line) }
    case .json: Console.say(page.json)
    }
  }

  private func isWanted(_ review: Usage.Review, _ usage: Usage) -> Bool {
    switch (review.period, daily || weekly || monthly) {
    case (.daily, true): return daily
    case (.weekly, true): return weekly
    case (.monthly, true): return monthly
    case (.daily, false): return true
    case (_, false):
      let length = review.period.days * 86_400_000
      return usage.first.map { usage.end.milliseconds - $0.milliseconds >= length } ?? false
    }
  }

  private func show(_ page: UsagePage) {
    Console.say(Console.strong(page.title))
    var table = TextTable([.left, .left, .left])
    let lines = page.lines
    for line in lines { table.add([line.verdict.mark, line.name, line.finding]) }
    for (line, text) in zip(lines, table.lines(indent: 2)) {
      Console.say(line.verdict == .good ? Console.good(text) : text)
    }
    for note in page.notes { Console.say("  \(note)") }
  }
}

extension UsageLine.Verdict {
  fileprivate var mark: String {
    switch self {
    case .good: "+"
    case .bad: "!"
    case .open: "-"
    }
  }
}
