import Foundation
import Synchronization
import Testing

/// The seeds of the property tests: all, or the one that `TOLLBOOK_SEED` names.
enum Seeds {
  static let chosen = ProcessInfo.processInfo.environment["TOLLBOOK_SEED"].flatMap { UInt64($0) }
  static let all: [UInt64] = chosen.map { [$0] } ?? Array(1...200)
}

/// How often the runs of a suite reached what they have to reach.
final class Reached: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func count(_ name: String, _ times: Int = 1) {
    counts.withLock { $0[name, default: 0] += times }
  }

  var all: [String: Int] { counts.withLock { $0 } }
}

/// Prints after a suite how often each name was reached, and fails if one never was.
struct Reaching: SuiteTrait, TestScoping {
  let title: String
  let names: [String]
  let reached: Reached

  @concurrent
  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await function()
    guard Seeds.chosen == nil else { return }
    let all = reached.all
    let lines = Set(names).union(all.keys).sorted().map { "  \($0): \(all[$0] ?? 0)" }
    print("\(title) reached\n\(lines.joined(separator: "\n"))")
    for name in names where (all[name] ?? 0) == 0 {
      Issue.record("\(title): \(name) was never reached")
    }
  }
}
