import ArgumentParser
import Foundation
import TollbookArchive
import TollbookLog

/// `tollbook verify-worker`: what `tollbook verify` starts to read the log.
///
/// A damaged page can make LMDB touch memory that is not there, and then the process is gone. So this one reads, says
/// before each table which one it is about to read, and the other one lives to tell.
struct VerifyWorker: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-worker", abstract: "Started by `tollbook verify`.",
    shouldDisplay: false)

  @Argument var directory: String
  @Option var limit = 1_000
  @Option var mapSize = 1 << 38
  @Flag var fast = false
  @Flag var noBodies = false

  func run() throws {
    Interrupt.watch()
    let notes = NoteWriter()
    do {
      let outcome = try verify(notes)
      for damage in outcome.damages { notes.write(.damage(damage)) }
      notes.write(.summary(VerifySummary(outcome)))
    } catch let error as LogError {
      guard let damage = notes.damage(behind: error) else {
        notes.write(.failure("\(error)"))
        return
      }
      notes.write(.damage(damage))
    } catch { notes.write(.failure("\(error)")) }
  }

  private func verify(_ notes: NoteWriter) throws -> Verification.Outcome {
    notes.reading("(tables)")
    let place = try DataDirectory.read(directory)
    guard let environment = try place.openToRead(mapSize: mapSize) else {
      throw NothingWritten(path: directory)
    }
    var options = fast ? Verification.Options.fast : Verification.Options()
    if noBodies { options.scope.bodies = false }
    options.limit = limit
    var watch = Verification.Watch()
    watch.reading = { notes.reading($0) }
    watch.progress = { notes.progress($0, $1, $2) }
    watch.isCancelled = { Interrupt.isRequested }
    return try Verification(environment, options: options, watch: watch)
      .run(loadBase: ScratchReplay.loadBase(from: directory))
  }
}

/// Writes notes to standard output: tables when they change, and progress a few times in a second.
private final class NoteWriter {
  private var table = ""
  private var lastProgress: ContinuousClock.Instant?
  private var stage = ""

  func reading(_ name: String) {
    guard name != table else { return }
    table = name
    write(.reading(name))
  }

  func progress(_ stage: String, _ done: UInt64, _ total: UInt64) {
    let now = ContinuousClock.now
    if stage == self.stage, let lastProgress, now - lastProgress < .milliseconds(100) { return }
    lastProgress = now
    self.stage = stage
    write(.progress(stage: stage, done: done, total: total))
  }

  func write(_ note: VerifyNote) {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(note.line + [UInt8(ascii: "\n")]))
    } catch {
      // Nobody listens any more.
      _exit(1)
    }
  }

  /// The damage that a failure tells of.
  func damage(behind error: LogError) -> Damage? { error.damage(reading: table) }
}
