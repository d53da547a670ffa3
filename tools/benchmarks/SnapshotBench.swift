import ArgumentParser
import Foundation
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

/// Snapshots and restores of views and of bodies, beside a plain copy of the same bytes.
struct SnapshotBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshots", abstract: "Measures snapshots and restores.")

  @Option(help: "Where to work.") var folder = NSTemporaryDirectory()
  @Option(help: "How many events.") var events: UInt64 = 500_000
  @Option(help: "How many different products.") var products = 200_000
  @Option(help: "How many bodies of 52 KB.") var bodies = 3_000

  func run() async throws {
    try await withFolder(in: folder) { folder in
      try await measureViews(folder)
      try await measureBodies(folder)
    }
  }

  private func measureViews(_ folder: String) async throws {
    let log = try open("\(folder)/views")
    let mix = MixDispenser(world: products)
    while log.head < events {
      _ = try await log.decide { (_, context) throws(LogError) in
        Decision(events: mix.take(5_000, context), answer: ())
      }
    }
    var taken: TakenSnapshot?
    let taking = try await seconds { taken = try await log.takeSnapshot() }
    log.close()
    guard let taken else { return }
    let verifying = try seconds { _ = try SnapshotReader.verify(taken.path) }
    let copying = try seconds { try Self.copy(taken.path, to: "\(folder)/copy") }
    let restoring = try seconds {
      _ = try Restore(snapshot: taken.path, export: nil, to: "\(folder)/restored").run()
    }
    let rows = Double(taken.manifest.rows)
    printTable(
      "Views: \(grouped(rows)) rows, \(grouped(Double(taken.bytes) / 1e6)) MB",
      [
        Row("take", "\(grouped(rows / taking)) rows/s"),
        Row("verify", "\(grouped(rows / verifying)) rows/s"),
        Row("restore", "\(grouped(rows / restoring)) rows/s"),
        Row("copy and sync the file", "\(grouped(rows / copying)) rows/s"),
      ])
  }

  private func measureBodies(_ folder: String) async throws {
    let log = try open("\(folder)/bodies")
    var raw = 0
    for start in stride(from: 0, to: bodies, by: 100) {
      let contents = (start..<min(start + 100, bodies)).map(Self.content)
      raw += contents.reduce(0) { $0 + $1.count }
      let made = contents.map { Body($0) }
      let written = made.enumerated().map { index, body in
        var event = CacheWritten()
        event.resource = EventMix.resource(start + index)
        event.presence = .present
        event.body = Data(body.digest)
        return Event.cacheWritten(event)
      }
      _ = try await log.decide { _, _ in Decision(events: written, bodies: made, answer: ()) }
    }
    var taken: TakenSnapshot?
    let taking = try await seconds {
      taken = try await log.takeSnapshot(SnapshotRequest(isPortable: true))
    }
    log.close()
    guard let taken else { return }
    let copying = try seconds { try Self.copy(taken.path, to: "\(folder)/copy") }
    let verifying = try seconds { _ = try SnapshotReader.verify(taken.path) }
    let restoring = try seconds {
      _ = try Restore(snapshot: taken.path, export: nil, to: "\(folder)/restored-bodies").run()
    }
    let stored = Double(taken.bytes) / 1e6
    let content = Double(raw) / 1e6
    printTable(
      "Bodies: \(bodies) of \(grouped(content)) MB, stored in \(grouped(stored)) MB",
      [
        Row(
          "take", "\(grouped(stored / taking)) MB/s stored",
          "\(percent(copying, of: taking)) of copy and sync"),
        Row("copy and sync the file", "\(grouped(stored / copying)) MB/s stored"),
        Row("verify", "\(grouped(content / verifying)) MB/s raw"),
        Row("restore", "\(grouped(content / restoring)) MB/s raw"),
      ])
  }

  private func open(_ path: String) throws -> EventLog {
    let directory = try DataDirectory.own(path, mode: .simulated)
    var options = EventLog.Options()
    options.unsafeWithoutSync = true
    return try EventLog(directory, folds: allFolds, time: .system, options: options) { error in
      print("failed: \(error)")
    }
  }

  /// JSON that deflates to about a seventh, as products do: histories of prices that move now and then.
  private static func content(_ number: Int) -> [UInt8] {
    var state = UInt64(number) &* 0x9e37_79b9_7f4a_7c15 | 1
    func next(_ bound: UInt64) -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state % bound
    }
    var text = "{\"asin\":\"B\(number)\",\"csv\":["
    var time: UInt64 = 5_000_000
    var price: UInt64 = 1_999
    while text.utf8.count < 52_000 {
      time += 60 * (1 + next(3))
      if next(12) == 0 { price = 999 + next(40) * 50 }
      text += "\(time),\(price),"
    }
    return Array((text + "0]}").utf8)
  }

  private static func copy(_ path: String, to target: String) throws {
    try? FileManager.default.removeItem(atPath: target)
    _ = FileManager.default.createFile(atPath: target, contents: nil)
    let source = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    let copy = try FileHandle(forWritingTo: URL(fileURLWithPath: target))
    while let data = try source.read(upToCount: 1 << 20), !data.isEmpty {
      try copy.write(contentsOf: data)
    }
    try copy.synchronize()
  }
}
