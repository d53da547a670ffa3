import ArgumentParser
import TollbookLog

/// `tollbook verify`
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Look at every byte of the log and name what is damaged, also while Tollbook runs.",
    discussion: """
      Checks every record against its checksum, every commit against the root of \
      the tree over all records, and every body against the digest that names it. \
      Changes nothing. Ends with status 0 only if all is as it was written.
      """)

  @OptionGroup var place: PlaceFlags

  @Option(help: ArgumentHelp("Give up after so many damages.", valueName: "count"))
  var limit = 1_000

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
  }

  func run() async throws {
    let settings = try await place.settings()
    let log = try LogOnDisk(settings)
    let start = ContinuousClock.now
    let report = try LogVerifier(log.environment).verify(limit: limit) { progress in
      Console.progress(
        "\(progress.stage.rawValue): \(progress.done.grouped) of \(progress.total.grouped)")
    }
    Console.endProgress()
    Console.say(
      "Looked at \(Int(report.records).of("event")) in \(Int(report.commits).of("commit")) and"
        + " \(Int(report.bodies).of("body", "bodies")) in \(start.duration(to: .now).inSeconds).")
    guard !report.damages.isEmpty else {
      Console.say(Console.good("All is as it was written, up to position \(report.head)."))
      return
    }
    for damage in report.damages { Console.say("damaged: \(damage)") }
    if report.isCutShort { Console.say("… and perhaps more: gave up here.") }
    Console.complain(
      "\(report.damages.count.of("damage")) found. Keep a copy of \(settings.dataDirectory) before"
        + " anything else.")
    throw ExitCode.failure
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
