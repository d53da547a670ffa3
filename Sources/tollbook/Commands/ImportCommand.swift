import ArgumentParser
import Files
import Foundation
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

/// `tollbook log import`
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Let a data directory grow by what an export holds; Tollbook must not run there.",
    discussion: """
      Into a folder that is empty or does not exist yet, or into a data directory \
      whose log the export goes on with: what both hold is compared commit by commit. \
      Every record, body and root is checked before anything is written, so that a \
      damaged file changes nothing. An import that was broken off goes on when it is \
      started again.

      Example:
        tollbook log import monday.export --data-dir copy
      """)

  @Argument(help: ArgumentHelp("What `tollbook log export` has written.", valueName: "file"))
  var file: String

  @OptionGroup var place: PlaceFlags

  func validate() throws {
    guard place.dataDirectory != nil else {
      throw ValidationError("Name the folder to import into with --data-dir.")
    }
  }

  func run() async throws {
    let settings = try await place.settings()
    // Before any folder is made or opened: a file that is none shall leave no trace.
    let mode = try ExportReader(path: file).header.mode
    Interrupt.watch()
    if try DataDirectory.mode(of: settings.dataDirectory) != nil {
      try extend(settings, mode)
    } else {
      try make(settings, mode)
    }
  }

  /// Goes on with a data directory: the file is read twice, so that nothing of a damaged one is written.
  private func extend(_ settings: Settings, _ mode: LogMode) throws {
    let directory = try settings.ownExistingDataDirectory()
    if try directory.writtenFormat() < DataDirectory.format {
      // Its views are carried over while all its events are of the older format.
      try EventLog(
        directory, folds: allFolds, time: .system, options: settings.log,
        baseRows: EventLog.baseRows(in: directory.path), fail: endProcess
      ).close()
    }
    do {
      let importer = try LogImporter(directory, options: settings.log)
      var meter = ProgressMeter(unit: "bytes")
      defer { meter.end() }
      try LogImport.check(file, for: importer, mode: directory.mode) { progress in
        try Self.show(progress, &meter)
      }
      try append(to: importer, directory.mode, &meter)
    }
    try open(directory, settings)
  }

  /// Makes a data directory beside the one that was named, which it becomes when it is complete.
  private func make(_ settings: Settings, _ mode: LogMode) throws {
    let path = settings.dataDirectory
    let files = FileManager.default
    guard ((try? files.contentsOfDirectory(atPath: path)) ?? []).isEmpty else {
      throw DataDirectoryError.notOurs(path)
    }
    let beside = path.hasSuffix("/") ? "\(path.dropLast()).importing" : "\(path).importing"
    let isContinued = try DataDirectory.mode(of: beside) != nil
    do {
      let directory = try DataDirectory.own(beside, mode: mode)
      do {
        let importer = try LogImporter(directory, options: settings.log)
        var meter = ProgressMeter(unit: "bytes")
        defer { meter.end() }
        try append(to: importer, mode, &meter)
      }
      try open(directory, settings)
    } catch {
      // What was broken off is kept and gone on with; what is not as it was written leaves nothing.
      if !isContinued, !Interrupt.isRequested { try? files.removeItem(atPath: beside) }
      throw error
    }
    if let reason = DurableNames.rename(beside, to: path) {
      throw Refused("\(beside) holds the log, and cannot be given its name: \(reason).")
    }
  }

  private func append(
    to importer: LogImporter, _ mode: LogMode, _ meter: inout ProgressMeter
  ) throws {
    let clock = ContinuousClock.now
    let outcome = try LogImport.append(
      file, to: importer, mode: mode, now: TimeSource.system.now()
    ) { progress in
      try Self.show(progress, &meter)
    }
    meter.end()
    let seconds = clock.duration(to: .now)
    guard outcome.events > 0 else {
      return Console.say("Nothing is new: the log holds all of it already.")
    }
    let rate = Int(Double(outcome.events) / max(seconds.seconds, 0.001))
    Console.say(
      "Imported \(Int(outcome.events).of("event"))"
        + (outcome.header.hasBodies
          ? " with \(Int(outcome.bodies).of("body", "bodies"))" : ", without bodies,")
        + " in \(seconds.inSeconds) (\(rate.grouped) events/s).")
  }

  /// Opens the log, so that its views come up to the head, and says where it stands.
  private func open(_ directory: DataDirectory, _ settings: Settings) throws {
    let log = try EventLog(
      directory, folds: allFolds, time: .system, options: settings.log,
      baseRows: EventLog.baseRows(in: directory.path), fail: endProcess)
    defer { log.close() }
    Console.say("head   \(log.head)")
    Console.say("root   \(log.root.hexadecimal)")
    Console.say("state  \(try log.stateDigest())")
  }

  private static func show(
    _ progress: LogImport.Progress, _ meter: inout ProgressMeter
  ) throws {
    meter.begin(progress.stage.rawValue)
    meter.show(done: progress.bytes, of: progress.total)
    try Interrupt.check()
  }
}
