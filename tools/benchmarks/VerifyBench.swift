import ArgumentParser
import Foundation
import LMDB
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

/// Verifying a log: checksums and roots alone, everything but bodies, and bodies.
struct VerifyBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Verifies a log of the event mix.")

  @Option(help: "How many events.") var events: UInt64 = 1_000_000
  @Option(help: "How many bodies of 52 KB.") var bodies = 4_000
  @Option(help: "A folder on a RAM disk.") var ram = "/dev/shm"

  func run() async throws {
    try await withFolder(in: ram) { path in
      try await fill("\(path)/events", events: events, bodies: 0)
      try await fill("\(path)/bodies", events: 0, bodies: bodies)
      let log = "\(path)/events"
      let count = Double(events)
      let cursor = try seconds { try scan(log) }
      let fast = try seconds { try verify(log, .fast) }
      var lean = Verification.Options()
      lean.scope.bodies = false
      let withViews = try seconds { try verify(log, lean) }
      lean.views = false
      let withIndex = try seconds { try verify(log, lean) }
      let (bytes, bodySeconds) = try verifyBodies("\(path)/bodies")
      printTable(
        "Verifying \(grouped(count)) events",
        [
          Row("a bare cursor over the records", "\(grouped(count / cursor)) events/s"),
          Row(
            "--fast: checksums and roots", "\(grouped(count / fast)) events/s",
            "\(percent(cursor, of: fast)) × the cursor"),
          Row("positions, checksums, tree, index", "\(grouped(count / withIndex)) events/s"),
          Row("the same, and views against a replay", "\(grouped(count / withViews)) events/s"),
          Row("bodies", "\(grouped(bytes / 1e6 / bodySeconds)) MB/s"),
        ])
    }
  }

  /// Writes events of the mix, whose bodies are not there, or bodies that nobody names.
  private func fill(_ path: String, events: UInt64, bodies: Int) async throws {
    let directory = try DataDirectory.own(path, mode: .simulated)
    var options = EventLog.Options()
    options.unsafeWithoutSync = true
    let log = try EventLog(directory, folds: allFolds, time: .system, options: options) { error in
      print("failed: \(error)")
    }
    defer { log.close() }
    let mix = MixDispenser()
    while log.head < events {
      _ = try await log.decide { (_, context) throws(LogError) in
        Decision(events: mix.take(1_000, context), answer: ())
      }
    }
    for start in stride(from: 0, to: bodies, by: 100) {
      let some = (start..<min(start + 100, bodies)).map { Body(Self.content($0)) }
      _ = try await log.decide { (_, _) throws(LogError) in
        Decision(events: [.serviceStarted(ServiceStarted())], bodies: some, answer: ())
      }
    }
  }

  /// Text of the size and compressibility of a product.
  private static func content(_ number: Int) -> [UInt8] {
    var state = UInt64(number) &* 0x9e37_79b9_7f4a_7c15 | 1
    var text = "{\"asin\":\"B\(number)\",\"csv\":["
    while text.utf8.count < 52_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      text += "7\(540_000 + state >> 60),\(1_999 + state >> 62),"
    }
    return Array((text + "0]}").utf8)
  }

  private func environment(_ path: String) throws -> Environment {
    try Environment(directory: path, options: EnvironmentOptions(isReadOnly: true))
  }

  private func scan(_ path: String) throws {
    let environment = try environment(path)
    let table = try environment.openTables([LogTables.eventsName])[0]
    var bytes = 0
    try environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(table) { (_, value) throws(LMDBError) in
        bytes += value.byteCount
        return .next
      }
    }
    if bytes == 0 { print("nothing was there") }
  }

  private func verify(_ path: String, _ options: Verification.Options) throws {
    let outcome = try Verification(try environment(path), options: options).run()
    if let damage = outcome.damages.first { print("damaged: \(damage)") }
  }

  private func verifyBodies(_ path: String) throws -> (bytes: Double, seconds: Double) {
    let report = try LogVerifier(try environment(path)).verify()
    return (Double(report.bodyBytes), report.bodySeconds)
  }
}
