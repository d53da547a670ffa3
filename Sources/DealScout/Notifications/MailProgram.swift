import Files
import Foundation
import Glibc
import Synchronization

/// A program that takes mail as `sendmail` does: the recipient as an argument, the message on its standard input.
///
/// It gets no variable of Tollbook's environment but the search path, since others may hold secrets, and nothing of what
/// it writes is read.
package struct MailProgram: Sendable {
  /// What came of handing over a message.
  package enum Ending: Hashable, Sendable {
    case taken
    /// It may be taken later.
    case failed(String)
    /// It will not be taken.
    case refused(String)
  }

  /// A message that the program does not understand, or a recipient that nobody knows: EX_USAGE to EX_NOHOST. All
  /// other ends may be others later, EX_TEMPFAIL before all. Source: sysexits.h.
  private static let lasting: ClosedRange<Int32> = 64...68

  private let path: String
  private let timeout: Duration
  private let sleep: @Sendable (Duration) async throws -> Void

  /// - Parameters:
  ///   - path: of the program, from the root on.
  ///   - timeout: after which it is killed.
  ///   - sleep: waits for that long.
  package init(
    _ path: String, timeout: Duration = .seconds(60),
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.path = path
    self.timeout = timeout
    self.sleep = sleep
  }

  /// Hands over a message, once.
  ///
  /// - Parameter folder: for a file that is gone before the program runs.
  package func send(
    _ message: [UInt8], id: String, to recipient: EmailAddress, folder: String
  ) async -> Ending {
    guard let input = Self.file("\(folder)/mail-\(id).tmp", holding: message) else {
      return .failed("the message cannot be written down for the program that sends it")
    }
    let run = MailRun(path, arguments: ["-i", "\(recipient)"], input: input)
    let isInTime = await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await run.finish()
        return true
      }
      group.addTask { [timeout, sleep] in
        let isOver = (try? await sleep(timeout)) != nil
        // Also where nobody waits for it any more.
        run.kill()
        return !isOver
      }
      let first = await group.next() ?? false
      group.cancelAll()
      return first
    }
    guard isInTime else { return .failed("the program did not end within \(timeout)") }
    return Self.ending(run.status)
  }

  private static func ending(_ status: MailRun.Status) -> Ending {
    switch status {
    case .notStarted: .failed("the program cannot be started")
    case .killed: .failed("the program was ended by a signal")
    case .ended(0): .taken
    case .ended(let code):
      lasting.contains(code)
        ? .refused("the program ended with status \(code)")
        : .failed("the program ended with status \(code)")
    }
  }

  /// A file whose name is gone: a pipe would hold too little, and break where the program does not read it.
  private static func file(_ path: String, holding bytes: [UInt8]) -> FileHandle? {
    do throws(SystemError) {
      try SystemCalls.writeNewFile(bytes, to: path, mode: 0o600)
    } catch { return nil }
    defer { try? FileManager.default.removeItem(atPath: path) }
    return FileHandle(forReadingAtPath: path)
  }
}

/// One run of the program.
private final class MailRun: Sendable {
  enum Status: Hashable, Sendable {
    case notStarted
    case killed
    case ended(Int32)
  }

  private struct State: ~Copyable {
    let process: Process
    var isStarted = false
    var isEnded = false
    var isKilled = false
  }

  private let state: Mutex<State>

  init(_ path: String, arguments: [String], input: FileHandle) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    process.environment = ["PATH": search]
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    state = Mutex(State(process: process))
  }

  /// Runs it to its end.
  func finish() async {
    await withCheckedContinuation { continuation in
      let isStarted = state.withLock { state in
        guard !state.isKilled else { return false }
        state.process.terminationHandler = { [self] _ in
          noteEnd()
          continuation.resume()
        }
        state.isStarted = (try? state.process.run()) != nil
        return state.isStarted
      }
      if !isStarted { continuation.resume() }
    }
  }

  /// The process itself says for a moment longer that it runs.
  private func noteEnd() {
    state.withLock { state in
      state.isEnded = true
      // It holds this.
      state.process.terminationHandler = nil
    }
  }

  /// Ends it, or keeps it from being begun.
  func kill() {
    state.withLock { state in
      state.isKilled = true
      guard state.isStarted, !state.isEnded else { return }
      _ = Glibc.kill(state.process.processIdentifier, SIGKILL)
    }
  }

  /// How it ended.
  var status: Status {
    state.withLock { state in
      guard state.isEnded else { return .notStarted }
      return state.process.terminationReason == .exit
        ? .ended(state.process.terminationStatus) : .killed
    }
  }
}
