import ArgumentParser
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookLog

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
      """)

  @OptionGroup var place: PlaceFlags
  @Flag(help: "The last 24 hours: hits, tokens, response times.") var daily = false
  @Flag(help: "The last 7 days: rows, expiry, retries, errors, anomalies.") var weekly = false
  @Flag(help: "The last 30 days: savings, hit rate, forecast.") var monthly = false

  func run() async throws {
    let settings = try await place.settings()
    let log = try LogOnDisk(settings)
    Interrupt.watch()
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    let usage = try Usage(of: log.source, until: TimeSource.system.now()) {
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
