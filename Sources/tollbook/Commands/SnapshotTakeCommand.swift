import ArgumentParser
import Files
import Foundation
import JSONText
import NIOCore
import TollbookArchive
import TollbookLog
import TollbookViews
import TollbookEvents

/// `tollbook snapshot take`
struct SnapshotTakeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "take",
    abstract: "Take a snapshot, also while Tollbook runs.",
    discussion: """
      Writes it to the folder `snapshots` of the data directory and notes that in the \
      log. The state that is printed is what `tollbook restore` prints after putting \
      it back.

        tollbook snapshot take --bodies --copy-to /backup
      """)

  @OptionGroup var place: PlaceFlags

  @Flag(help: "With the answers that entries of the cache need: portable, and larger.")
  var bodies = false

  @Option(help: ArgumentHelp("Why, for whoever finds it.", valueName: "text"))
  var note: String?

  @Option(
    help: ArgumentHelp("Put a copy there: a folder, or a new file.", valueName: "path"))
  var copyTo: String?

  func run() async throws {
    let settings = try await place.settings()
    let path = try settings.existingDataDirectory
    let copy = try copyTo.map { try Self.checkedCopy($0) }
    let file = try await take(in: path, settings)
    let reader = try SnapshotReader(path: file)
    if let copy { try Self.copy(file, to: copy) }
    let manifest = reader.manifest
    Console.say("file   \(file)")
    if let copy { Console.say("copy   \(copy.path(of: file))") }
    Console.say("at     position \(manifest.position), \(manifest.commit.time)")
    Console.say("rows   \(manifest.rows.grouped)")
    Console.say("with   \(manifest.bodiesInWords)")
    Console.say("bytes  \(reader.size.grouped)")
    Console.say("state  \(manifest.state)")
  }

  /// Has the owner take it, or takes it if there is none.
  private func take(in path: String, _ settings: Settings) async throws -> String {
    let answer = try await Owner.ask(directory: path, path: "/snapshots", timeout: .hours(24)) {
      json in
      json.field("bodies", bodies)
      json.fieldIfPresent("note", note)
    }
    if let answer {
      guard let file = answer.root["file"]?.string else {
        throw Refused("the owner of the directory did not name the snapshot.")
      }
      return "\(SnapshotShelf(directory: path).folder)/\(file)"
    }
    Interrupt.watch()
    let directory = try settings.ownExistingDataDirectory()
    let log = try EventLog(
      directory, folds: allFolds, time: .system, options: settings.log,
      baseRows: EventLog.baseRows(in: directory.path), fail: endProcess)
    defer { log.close() }
    do throws(SnapshotProblem) {
      let request = SnapshotRequest(isPortable: bodies, note: note ?? "")
      let taken = try await log.takeSnapshot(request) { (progress) throws(SnapshotProblem) in
        Console.progress("\(progress.stage.rawValue): \(progress.done) of \(progress.total)")
        if Interrupt.isRequested { throw .stopped }
      }
      Console.endProgress()
      return taken.path
    } catch {
      Console.endProgress()
      throw error == .stopped ? Interrupt.status : error
    }
  }
}

// MARK: The copy

extension SnapshotTakeCommand {
  /// Where a copy goes.
  struct Copy {
    let place: String
    let isFolder: Bool

    func path(of file: String) -> String {
      isFolder ? "\(place)/\((file as NSString).lastPathComponent)" : place
    }
  }

  /// Refused before anything is taken.
  private static func checkedCopy(_ place: String) throws -> Copy {
    let files = FileManager.default
    guard files.fileExists(atPath: place) else {
      let parent = URL(fileURLWithPath: place).deletingLastPathComponent().path
      guard files.fileExists(atPath: parent) else {
        throw Refused("\(parent), where the copy should go, does not exist.")
      }
      return Copy(place: place, isFolder: false)
    }
    let type = try files.attributesOfItem(atPath: place)[.type] as? FileAttributeType
    guard type == .typeDirectory else {
      throw Refused("\(place) is there already. Name a folder, or a file that is not there yet.")
    }
    return Copy(place: place, isFolder: true)
  }

  private static func copy(_ file: String, to copy: Copy) throws {
    let target = copy.path(of: file)
    let part = "\(target).part"
    do {
      guard !FileManager.default.fileExists(atPath: target) else {
        throw Refused("a file of that name is there already")
      }
      try? FileManager.default.removeItem(atPath: part)
      try FileManager.default.copyItem(atPath: file, toPath: part)
      // What came through is what was taken, or it does not get the name.
      _ = try SnapshotReader.whole(part)
      let problem = DurableNames.synchronize(part) ?? DurableNames.rename(part, to: target)
      if let problem { throw Refused(problem) }
    } catch {
      try? FileManager.default.removeItem(atPath: part)
      throw Refused(
        "the snapshot was taken as \(file), but not copied to \(target): \(Self.reason(error)).")
    }
  }

  private static func reason(_ error: any Error) -> String {
    guard !(error is Refused || error is SnapshotProblem) else { return "\(error)" }
    let cocoa = error as NSError
    let underlying = cocoa.userInfo[NSUnderlyingErrorKey] as? NSError
    return (underlying ?? cocoa).localizedDescription
  }
}
