import ArgumentParser
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

  /// Whether somebody pressed Ctrl-C, or asked the process to end in another way.
  static var isRequested: Bool { flag.load(ordering: .relaxed) }

  /// From now on Ctrl-C, SIGTERM and the end of the terminal only set the flag; a second one ends the process at once.
  static func watch() {
    // Made here, since nothing can be made inside a signal handler.
    _ = isRequested
    for number in EndSignals.numbers {
      // Only what is safe inside a signal handler: an atomic, and the end.
      signal(number) { _ in
        if Interrupt.flag.exchange(true, ordering: .relaxed) { _exit(130) }
      }
    }
  }

  /// Throws if the command is to end: with status 130 and without a word.
  static func check() throws {
    if isRequested { throw status }
  }
}
