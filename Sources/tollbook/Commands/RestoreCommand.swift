import ArgumentParser
import TollbookArchive
import TollbookLog
import TollbookEvents

/// `tollbook restore`
struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Make a data directory of a snapshot, of an export of the log, or of both.",
    discussion: """
      A snapshot alone gives the state that it holds, and the log goes on from there. \
      With an export of the whole log nothing is lost; with one of the events after \
      the snapshot, the log rests on it. An export of the whole log is also enough by \
      itself: the views are made from it.

        tollbook restore --snapshot tollbook-000000001234.snapshot
        tollbook restore --snapshot FILE --log EXPORT --data-dir ./new

      Nothing that is there is overwritten, and a folder is there whole or not at all.
      """)

  @OptionGroup var place: PlaceFlags

  @Option(help: ArgumentHelp("A snapshot.", valueName: "file"))
  var snapshot: String?

  @Option(help: ArgumentHelp("An export, as `tollbook log export` writes it.", valueName: "file"))
  var log: String?

  func validate() throws {
    guard snapshot != nil || log != nil else {
      throw ValidationError("Name what to restore, by --snapshot, --log or both.")
    }
  }

  func run() async throws {
    let settings = try await place.settings()
    let export = try log.map { try ExportedCommits(path: $0) }
    if place.dataDirectory == nil { try checkMode(settings, export) }
    Interrupt.watch()
    var meter = ProgressMeter(unit: "rows")
    defer { meter.end() }
    let outcome: Restore.Outcome
    do throws(RestoreProblem) {
      outcome = try Self.restore(snapshot, export, settings, &meter)
    } catch {
      meter.end()
      if case .stopped = error { throw Interrupt.status }
      throw error
    }
    meter.end()
    say(outcome, settings.dataDirectory)
  }

  private static func restore(
    _ snapshot: String?, _ export: ExportedCommits?, _ settings: Settings,
    _ meter: inout ProgressMeter
  ) throws(RestoreProblem) -> Restore.Outcome {
    var shown = meter
    defer { meter = shown }
    return try withoutActuallyEscaping(
      { (progress: Restore.Progress) throws(RestoreProblem) in
        shown.begin(progress.stage.rawValue)
        shown.show(done: progress.done, of: progress.total)
        if Interrupt.isRequested { throw .stopped }
      },
      do: { (watch) throws(RestoreProblem) in
        try Restore(
          snapshot: snapshot, export: export, to: settings.dataDirectory, options: settings.log,
          watch: watch
        ).run()
      })
  }

  /// The folder that nobody named is that of real data, or with --simulate that of simulated data.
  private func checkMode(_ settings: Settings, _ export: ExportedCommits?) throws {
    let mode = try snapshot.map { try SnapshotReader(path: $0).manifest.mode } ?? export?.mode
    guard let mode, mode != settings.mode else { return }
    throw Refused(
      mode == .simulated
        ? "this is simulated data. Add --simulate, or name a folder with --data-dir."
        : "this is real data, and --simulate was given. Leave it out, or name a folder with"
          + " --data-dir.")
  }

  private func say(_ outcome: Restore.Outcome, _ directory: String) {
    Console.say("Restored \(directory), \(outcome.mode.rawValue) data.")
    Console.say("at     position \(outcome.head)")
    if let base = outcome.base {
      Console.say(
        "base   position \(base.position): what was before is known by \(base.snapshot) alone")
    }
    if log != nil { Console.say("log    \(Int(outcome.events).of("event"))") }
    if snapshot != nil {
      Console.say(
        "views  \(Int(outcome.rows).of("row")), \(Int(outcome.bodies).of("body", "bodies"))")
    }
    Console.say("state  \(outcome.state)")
    if outcome.isWithoutBodies {
      Console.say(
        "Answers of Keepa may be missing: entries without one are bought again when asked for.")
    }
    Console.say(
      "What was spent after that position, the next reading of the balance shows as restore gap.")
  }
}
