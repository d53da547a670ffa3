import ArgumentParser
import TollbookArchive
import TollbookEvents
import TollbookLog

/// `tollbook verify`
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract:
      "Look at every byte that is stored and name what is damaged, also while Tollbook runs.",
    discussion: """
      Checks every record against its checksum, every commit against the root of \
      the tree over all records, every body against the digest that names it, the \
      index against the events, and every view against a replay of the log. \
      Changes nothing. Ends with status 0 only if all is as it was written.

      At the end it prints what log and views say as one digest, the state; that of \
      a snapshot of the same position is the same.
      """)

  @OptionGroup var place: PlaceFlags

  @Flag(help: "Only checksums and roots: no bodies, no index, no views.")
  var fast = false

  @Flag(help: "Leave the bodies out.")
  var noBodies = false

  @Option(
    help: ArgumentHelp("Look at an export of a log instead of a data directory.", valueName: "file")
  )
  var export: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Give up after so many damages.", valueName: "count"))
  var limit = 1_000

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
    if export != nil, fast || noBodies || place.dataDirectory != nil || place.simulate {
      throw ValidationError("--export looks at all of a file; leave the other flags out.")
    }
  }

  func run() async throws {
    Interrupt.watch()
    if let export { return try verifyExport(export) }
    let settings = try await place.settings()
    let path = try settings.existingDataDirectory
    var arguments = [
      "verify-worker", path, "--limit", "\(limit)", "--map-size", "\(settings.log.mapSize)",
    ]
    if fast { arguments.append("--fast") }
    if noBodies { arguments.append("--no-bodies") }
    var meter = ProgressMeter(unit: "rows")
    defer { meter.end() }
    let start = ContinuousClock.now
    let outcome = try VerifyChild(arguments: arguments).run { stage, done, total in
      meter.begin(stage)
      meter.show(done: done, of: total)
    }
    meter.end()
    if let failure = outcome.failure { throw Refused(failure) }
    if let summary = outcome.summary { say(summary, seconds: start.duration(to: .now).inSeconds) }
    try judge(outcome, place: settings.dataDirectory)
  }

  private func say(_ summary: VerifySummary, seconds: String) {
    Console.say(summary.sentence(withBodies: !fast && !noBodies, seconds: seconds))
    if summary.views > 0 {
      Console.say(
        "\(Int(summary.views).of("view")) of \(Int(summary.viewRows).of("row")) as a replay gives"
          + " \(summary.views == 1 ? "it" : "them").")
    }
    if summary.absentViews > 0 {
      Console.say(
        "\(Int(summary.absentViews).of("view")) not there yet, or kept by another version of"
          + " Tollbook: the next `tollbook serve`, or `tollbook rebuild`, makes them.")
    }
    if summary.viewsBehind > 0 {
      let (lags, so) = summary.viewsBehind == 1 ? ("lags", "it is") : ("lag", "they are")
      Console.say(
        "\(Int(summary.viewsBehind).of("view")) \(lags) behind the log, from position"
          + " \(summary.behindAt) on, and \(so) right so far: the next `tollbook serve`, or"
          + " `tollbook rebuild`, catches up.")
    }
    if summary.absentBodies > 0 {
      Console.say(
        "\(Int(summary.absentBodies).of("entry", "entries")) written without a body here: the log"
          + " was restored from something that had none.")
    }
  }

  private func judge(_ outcome: VerifyChild.Outcome, place: String) throws {
    guard !outcome.damages.isEmpty else {
      guard let summary = outcome.summary else { throw ExitCode.failure }
      Console.say(Console.good("All is as it was written, up to position \(summary.head)."))
      if let state = summary.state { Console.say("state  \(state)") }
      return
    }
    for damage in outcome.damages { Self.say(damage) }
    if outcome.summary?.isCutShort ?? true { Console.say("… and perhaps more: gave up here.") }
    Console.complain(
      "\(outcome.damages.count.of("damage")) found. Keep a copy of \(place) before anything else.")
    throw ExitCode.failure
  }

  private static func say(_ damage: some CustomStringConvertible) {
    // What is damaged may hold anything.
    Console.say("damaged: \(damage.description.inOneLine(atMost: 500))")
  }

  private func verifyExport(_ path: String) throws {
    var meter = ProgressMeter(unit: "bytes")
    defer { meter.end() }
    let report = try ExportVerifier.verify(path: path) { progress in
      meter.show(done: progress.bytes, of: progress.total)
      try Interrupt.check()
    }
    meter.end()
    guard report.damages.isEmpty else {
      for damage in report.damages { Self.say(damage) }
      Console.complain("\(path) is not as it was written.")
      throw ExitCode.failure
    }
    let last = report.totals?.last ?? 0
    Console.say(Console.good("All is as it was written, up to position \(last)."))
  }
}

extension VerifySummary {
  /// What was looked at, and how fast where it took long enough to tell.
  func sentence(withBodies: Bool, seconds: String) -> String {
    var seen = "Looked at \(Int(records).of("event")) in \(Int(commits).of("commit"))"
    if withBodies { seen += " and \(Int(bodies).of("body", "bodies"))" }
    seen += " in \(seconds)"
    var rates: [String] = []
    if recordSeconds >= 0.01, records > 0 {
      rates.append("\(Int(Double(records) / recordSeconds).grouped) events/s")
    }
    if bodySeconds >= 0.01, bodyBytes > 0 {
      let rate = Double(bodyBytes) / 1e6 / bodySeconds
      rates.append("\(Int(rate.rounded(.up)).grouped) MB/s of bodies")
    }
    return seen + (rates.isEmpty ? "" : " (\(rates.joined(separator: ", ")))") + "."
  }
}

extension Duration {
  /// Such as `1.25 s`.
  var inSeconds: String {
    let milliseconds = components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
    let hundredths = rest / 10
    return "\(whole.grouped).\(hundredths < 10 ? "0" : "")\(hundredths) s"
  }

  /// Seconds as a number, for rates.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
