import ArgumentParser
import Dispatch
import Foundation
import Synchronization

/// Ctrl-C in a long command: it ends the portion that it is at, tidies up and then ends, instead of dying on the spot.
///
/// ```swift
/// Interrupt.watch()
/// … try Interrupt.check() between portions …
/// ```
enum Interrupt {
  /// What shells expect of a process that ended on Ctrl-C.
  static let status = ExitCode(130)

  private static let flag = Atomic(false)
  private static let sources = Mutex<[any DispatchSourceSignal]>([])

  /// Whether somebody pressed Ctrl-C, or asked the process to end in another way.
  static var isRequested: Bool { flag.load(ordering: .relaxed) }

  /// From now on Ctrl-C and SIGTERM only set the flag; a second one ends the process at once.
  static func watch() {
    sources.withLock { sources in
      guard sources.isEmpty else { return }
      for number in [SIGINT, SIGTERM] {
        // Without this the signal would end the process before the source sees it.
        _ = signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
          if flag.exchange(true, ordering: .relaxed) { _exit(status.rawValue) }
        }
        source.activate()
        sources.append(source)
      }
    }
  }

  /// Throws if the command is to end: with status 130 and without a word.
  static func check() throws {
    if isRequested { throw status }
  }
}
