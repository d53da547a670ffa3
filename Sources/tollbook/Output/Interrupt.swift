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
    // A process that shall outlive its terminal has SIGHUP ignored from its beginning, and keeps it so.
    for number in isIgnored(SIGHUP) ? [SIGINT, SIGTERM] : [SIGINT, SIGTERM, SIGHUP] {
      // Only what is safe inside a signal handler: an atomic, and the end.
      signal(number) { _ in
        if Interrupt.flag.exchange(true, ordering: .relaxed) { _exit(130) }
      }
    }
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
    let signals = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
    return signals & 1 << UInt64(number - 1) != 0
  }

  /// Throws if the command is to end: with status 130 and without a word.
  static func check() throws {
    if isRequested { throw status }
  }
}
