import ArgumentParser
import Foundation
import TollbookArchive
import TollbookEvents
import TollbookLog

/// `tollbook snapshot`
struct SnapshotCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Keep the state of all views as a file, and look at such files.",
    discussion: """
      A snapshot holds cache, ledger and metrics as they stood at one position of the \
      log. `tollbook restore` makes a data directory of it, and with an export of the \
      log one that has lost nothing. Tollbook takes them by itself as it runs, without \
      bodies; to move to another machine, take one with --bodies.
      """,
    subcommands: [
      SnapshotTakeCommand.self, SnapshotListCommand.self, SnapshotInspectCommand.self,
      SnapshotVerifyCommand.self, SnapshotDiffCommand.self, SnapshotPruneCommand.self,
    ])
}

/// Finds the file that a person means by a path, or by its name in the data directory.
enum SnapshotFile {
  static func path(_ text: String, _ place: PlaceFlags) async throws -> String {
    if text.contains("/") || FileManager.default.fileExists(atPath: text) { return text }
    let directory = try await place.settings().dataDirectory
    let kept = "\(SnapshotShelf(directory: directory).folder)/\(text)"
    return FileManager.default.fileExists(atPath: kept) ? kept : text
  }
}

/// `tollbook snapshot list`
struct SnapshotListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the snapshots that the data directory keeps.")

  @OptionGroup var place: PlaceFlags

  func run() async throws {
    let settings = try await place.settings()
    let shelf = SnapshotShelf(directory: try settings.existingDataDirectory)
    let entries = try shelf.list()
    guard !entries.isEmpty else {
      return Console.say("There is no snapshot in \(shelf.folder) yet: `tollbook snapshot take`.")
    }
    var table = TextTable(
      [.left, .right, .left, .right, .right, .right, .left],
      heading: ["FILE", "POSITION", "TAKEN", "ROWS", "BODIES", "BYTES", ""])
    for entry in entries {
      switch entry.manifest {
      case .success(let manifest):
        table.add([
          entry.file, "\(manifest.position)", "\(manifest.taken)", manifest.rows.grouped,
          manifest.bodies?.stored.grouped ?? "-", entry.bytes.grouped, entry.remark(manifest),
        ])
      case .failure: table.add([entry.file, "", "", "", "", entry.bytes.grouped, "damaged"])
      }
    }
    for line in table.lines() { Console.say(line) }
    for entry in entries {
      if case .failure(let problem) = entry.manifest { Console.complain("\(problem).") }
    }
  }
}

extension SnapshotShelf.Entry {
  fileprivate func remark(_ manifest: SnapshotManifest) -> String {
    var words: [String] = []
    if isBase { words.append("the log rests on it") }
    if manifest.isAutomatic { words.append("automatic") }
    if !manifest.note.isEmpty { words.append(manifest.note) }
    return words.joined(separator: "; ")
  }
}

/// `tollbook snapshot inspect`
struct SnapshotInspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Say what a snapshot holds, by its manifest alone.",
    discussion: """
      Looks also whether the file has its end; `snapshot verify` looks at every byte.
      """)

  @OptionGroup var place: PlaceFlags

  @Argument(help: "A snapshot: a path, or a name that `snapshot list` shows.")
  var file: String

  func run() async throws {
    let reader = try SnapshotReader.whole(await SnapshotFile.path(file, place))
    let manifest = reader.manifest
    Console.say("file   \(reader.path)")
    Console.say("mode   \(manifest.mode.rawValue)")
    Console.say("at     position \(manifest.position), \(manifest.commit.time)")
    Console.say("root   \(manifest.commit.root.hexadecimal)")
    Console.say(
      "taken  \(manifest.taken)\(manifest.isAutomatic ? ", automatically" : "")"
        + (manifest.note.isEmpty ? "" : ": \(manifest.note.inOneLine(atMost: 500))"))
    Console.say("bytes  \(reader.size.grouped)")
    Console.say("with   \(manifest.bodiesInWords)")
    Console.say("state  \(manifest.state)")
    Console.say()
    var table = TextTable([.left, .right, .left], heading: ["TABLE", "ROWS", "DIGEST"])
    for view in manifest.views {
      table.add([view.id, view.digest.rows.grouped, view.digest.digest.hexadecimal])
      for part in view.tables { table.add(["  \(part.name)", part.rows.grouped, ""]) }
      if view.parked > 0 { table.add(["  parked events", view.parked.grouped, ""]) }
    }
    for line in table.lines() { Console.say(line) }
  }
}

extension SnapshotManifest {
  /// Such as `12 bodies`.
  var bodiesInWords: String {
    guard let bodies else { return "no bodies" }
    let absent = bodies.absent > 0 ? "; \(bodies.absent.grouped) more were missing" : ""
    return Int(bodies.stored).of("body", "bodies") + absent
  }
}

/// `tollbook snapshot verify`
struct SnapshotVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Look at every byte of a snapshot and name what is damaged, and where.",
    discussion: """
      Checks every section, the order and number of rows, the digest of every view \
      and body, the tree's edge against its root, and the file as a whole. Ends with \
      status 0 only if all is as it was written.
      """)

  @OptionGroup var place: PlaceFlags

  @Argument(help: "A snapshot: a path, or a name that `snapshot list` shows.")
  var file: String

  func run() async throws {
    Interrupt.watch()
    let path = try await SnapshotFile.path(file, place)
    let start = ContinuousClock.now
    var meter = ProgressMeter(unit: "rows")
    defer { meter.end() }
    let manifest: SnapshotManifest
    do throws(SnapshotProblem) {
      manifest = try SnapshotReader.verify(path) { (progress) throws(SnapshotProblem) in
        meter.show(progress)
        if Interrupt.isRequested { throw .stopped }
      }
    } catch {
      meter.end()
      throw error == .stopped ? Interrupt.status : error
    }
    meter.end()
    Console.say(
      "Looked at \(Int(manifest.rows).of("row")) and \(manifest.bodiesInWords) in"
        + " \(start.duration(to: .now).inSeconds).")
    Console.say(Console.good("All is as it was written, up to position \(manifest.position)."))
    Console.say("state  \(manifest.state)")
  }
}

extension ProgressMeter {
  mutating func show(_ progress: SnapshotProgress) {
    begin(progress.stage.rawValue)
    show(done: progress.done, of: progress.total)
  }
}

/// `tollbook snapshot diff`
struct SnapshotDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Say what is different between two snapshots, table by table.")

  @OptionGroup var place: PlaceFlags

  @Argument(help: "The older snapshot: a path, or a name that `snapshot list` shows.")
  var old: String

  @Argument(help: "The newer one.")
  var new: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Rows of a table to show by their keys.", valueName: "count"))
  var examples = 3

  func validate() throws {
    guard examples >= 0 else { throw ValidationError("--examples must be 0 or more.") }
  }

  func run() async throws {
    let diff = try SnapshotDiff(
      from: await SnapshotFile.path(old, place), to: await SnapshotFile.path(new, place),
      examples: examples)
    Console.say("from   position \(diff.old.position), \(diff.old.commit.time)")
    Console.say("to     position \(diff.new.position), \(diff.new.commit.time)")
    guard !diff.isSame else { return Console.say("All views hold the same rows.") }
    Console.say()
    var table = TextTable(
      [.left, .right, .right, .right, .right],
      heading: ["TABLE", "ADDED", "REMOVED", "CHANGED", "SAME"])
    for change in diff.tables where !change.isSame || change.same > 0 {
      table.add(
        [change.name]
          + [change.added, change.removed, change.changed, change.same].map(\.grouped))
    }
    for line in table.lines() { Console.say(line) }
    for change in diff.tables where !change.examples.isEmpty {
      Console.say("\n\(change.name), for example:")
      for example in change.examples {
        Console.say("  \(example.change.rawValue)  \(example.key)")
      }
    }
  }
}

/// `tollbook snapshot prune`
struct SnapshotPruneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Remove old automatic snapshots.",
    discussion: """
      The newest stay, as many as TOLLBOOK_SNAPSHOTS_KEPT or --keep says. One that the \
      log rests on is never removed, nor one that you took yourself unless you say \
      --by-hand.
      """)

  @OptionGroup var place: PlaceFlags

  @Option(parsing: .unconditional, help: ArgumentHelp("How many to keep.", valueName: "count"))
  var keep: Int?

  @Flag(help: "Also those that were not taken automatically.")
  var byHand = false

  @Flag(help: "Say what would be removed, and remove nothing.")
  var dryRun = false

  func validate() throws {
    if let keep, keep < 0 { throw ValidationError("--keep must be 0 or more.") }
  }

  func run() async throws {
    let settings = try await place.settings()
    let shelf = SnapshotShelf(directory: try settings.existingDataDirectory)
    let keep = keep ?? settings.snapshots.kept
    let old =
      dryRun
      ? SnapshotShelf.old(try shelf.list(), keep: keep, takenByHand: byHand)
      : try shelf.prune(keep: keep, takenByHand: byHand)
    for entry in old {
      Console.say("\(dryRun ? "would remove" : "removed")  \(entry.file)")
    }
    if old.isEmpty { Console.say("There is nothing to remove.") }
  }
}
