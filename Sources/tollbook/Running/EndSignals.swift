import Foundation
import UnixSignals

/// The signals that ask this process to end in order: Ctrl-C, SIGTERM and the end of its terminal (SIGHUP).
///
/// A process that shall outlive its terminal has SIGHUP ignored from its beginning (`nohup`), and keeps it so.
enum EndSignals {
  static let numbers = isIgnored(SIGHUP) ? [SIGINT, SIGTERM] : [SIGINT, SIGTERM, SIGHUP]

  /// The same, for a service group.
  static let services: [UnixSignal] =
    numbers.contains(SIGHUP) ? [.sigint, .sigterm, .sighup] : [.sigint, .sigterm]

  private static func isIgnored(_ number: Int32) -> Bool {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
    let signals = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
    return signals & 1 << UInt64(number - 1) != 0
  }
}
