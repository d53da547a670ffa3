import Foundation
import TollbookLog

/// The process that reads the log for `tollbook verify`, and what becomes of it.
struct VerifyChild {
  /// What it told, and how it ended.
  struct Outcome: Sendable {
    var damages: [Damage] = []
    /// Nil: it did not come to its end.
    var summary: VerifySummary?
    /// Why it could not go on, if that is no damage.
    var failure: String?
  }

  let arguments: [String]

  /// Runs it to its end.
  ///
  /// - Parameter progress: told the stage, what is done and what is to be done.
  func run(progress: (String, UInt64, UInt64) -> Void) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = arguments
    // A crash is expected here; nobody needs its backtrace, which can take minutes.
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["SWIFT_BACKTRACE": "enable=no"], uniquingKeysWith: { $1 })
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch {
      throw Refused("the process that reads the log cannot be started: \(error)")
    }
    // Ours would keep the pipe open.
    try? pipe.fileHandleForWriting.close()
    var outcome = Outcome()
    var table = "(tables)"
    var isAsked = false
    for line in LineReader(pipe.fileHandleForReading) {
      if Interrupt.isRequested, !isAsked {
        isAsked = true
        process.terminate()
      }
      switch VerifyNote(line: line) {
      case .reading(let name): table = name
      case .progress(let stage, let done, let total): progress(stage, done, total)
      case .damage(let damage): outcome.damages.append(damage)
      case .summary(let summary): outcome.summary = summary
      case .failure(let text): outcome.failure = text
      case nil: break
      }
    }
    process.waitUntilExit()
    try Interrupt.check()
    if outcome.summary == nil, outcome.failure == nil, outcome.damages.isEmpty {
      outcome.damages = [crash(of: process, while: table)]
    }
    return outcome
  }

  private func crash(of process: Process, while table: String) -> Damage {
    let how =
      process.terminationReason == .uncaughtSignal
      ? "ended by signal \(process.terminationStatus)"
      : "ended with status \(process.terminationStatus)"
    return Damage(
      table: table,
      problem: "the pages of the table lead nowhere: the process that read it \(how)")
  }
}

/// The lines that come out of a pipe, each when it is there; what stands behind the last line end is dropped.
private struct LineReader: Sequence, IteratorProtocol {
  private let handle: FileHandle
  private var pending: [UInt8] = []
  private var start = 0

  init(_ handle: FileHandle) { self.handle = handle }

  mutating func next() -> [UInt8]? {
    while true {
      if let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return Array(pending[start..<end])
      }
      pending.removeFirst(start)
      start = 0
      let data = handle.availableData
      if data.isEmpty { return nil }
      pending += data
    }
  }
}
