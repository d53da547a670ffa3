import ArgumentParser
import Bytes
import Foundation
import LMDB
import TollbookEvents
import TollbookLog
import TollbookViews

/// Appending, rebuilding, and what they are measured against.
struct LogBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Appends to the log and rebuilds the views.")

  @Option(help: "Seconds for each measurement.") var seconds = 4.0
  @Option(help: "A folder on a RAM disk.") var ram = "/dev/shm"
  @Option(help: "A folder on the disk.") var disk = NSTemporaryDirectory()

  func run() async throws {
    let flush = try flushSeconds(in: disk)
    let bare = try await withFolder(in: ram) { try bareCommits(in: $0) }
    let ramBulk = try await withFolder(in: ram) {
      try await append(in: $0, callers: 1, perCall: 1_000)
    }
    let many = try await withFolder(in: ram) {
      try await append(in: $0, callers: 1_024, perCall: 1)
    }
    let manyWhole = try await withFolder(in: ram) {
      try await append(in: $0, callers: 1_024, perCall: EventMix.eventsPerFetch)
    }
    let one = try await withFolder(in: ram) { try await append(in: $0, callers: 1, perCall: 1) }
    let diskBulk = try await withFolder(in: disk) {
      try await append(in: $0, callers: 1, perCall: 1_000)
    }
    let cost = 1 / ramBulk.perSecond
    let n = 1_000.0
    let ideal = n / (n * cost + 2 * flush)
    printTable(
      "Appending events: fetches of \(EventMix.productsPerFetch) products, all views and indexes",
      [
        Row("RAM disk, 1 000 events a call", "\(grouped(ramBulk.perSecond)) events/s"),
        Row("RAM disk, 1 024 callers, 1 event each", "\(grouped(many.perSecond)) events/s"),
        Row(
          "RAM disk, 1 024 callers, a fetch each", "\(grouped(manyWhole.perSecond)) events/s"),
        Row(
          "RAM disk, one caller, 1 event", "\(grouped(one.perSecond)) events/s",
          "\(percent(one.perSecond, of: bare)) × bare LMDB (\(grouped(bare))/s)"),
        Row(
          "disk, 1 000 events a call", "\(grouped(diskBulk.perSecond)) events/s",
          "\(percent(diskBulk.perSecond, of: ideal)) × n/(n·c + 2f), f = "
            + String(format: "%.2f ms", flush * 1_000)),
      ])
    try await rebuild()
  }

  private func rebuild() async throws {
    try await withFolder(in: ram) { path in
      let events = try await append(in: path, callers: 1, perCall: 1_000).events
      let directory = try DataDirectory.own(path, mode: .simulated)
      let took = try tollbook_bench.seconds {
        _ = try Rebuild.allViews(of: directory, folds: allFolds) { _, _ in }
      }
      printTable(
        "Rebuilding all views, offline",
        [Row("\(grouped(Double(events))) events", "\(grouped(Double(events) / took)) events/s")])
    }
  }

  /// Appends for about `seconds`: each caller waits for its answer before it goes on.
  private func append(
    in path: String, callers: Int, perCall: Int
  ) async throws -> (perSecond: Double, events: UInt64) {
    let directory = try DataDirectory.own(path, mode: .simulated)
    let log = try EventLog(directory, folds: allFolds, time: .system) { error in
      print("failed: \(error)")
    }
    let mix = MixDispenser()
    let end = ContinuousClock.now + .seconds(self.seconds)
    let start = ContinuousClock.now
    await withTaskGroup { group in
      for _ in 0..<callers {
        group.addTask {
          while ContinuousClock.now < end {
            _ = try? await log.decide { (_, context) throws(LogError) in
              Decision(events: mix.take(perCall, context), answer: ())
            }
          }
        }
      }
    }
    let elapsed = start.duration(to: .now).inSeconds
    let events = log.head
    log.close()
    return (Double(events) / elapsed, events)
  }

  /// Commits of one 160-byte record each and nothing else: what a log of LMDB could do at the best.
  private func bareCommits(in path: String) throws -> Double {
    let environment = try Environment(directory: path)
    let table = try environment.openTables(["records"])[0]
    let record = [UInt8](repeating: 7, count: 160)
    let clock = ContinuousClock()
    let start = clock.now
    var count: UInt64 = 0
    while start.duration(to: clock.now).inSeconds < self.seconds / 2 {
      count += 1
      try environment.withWriteTransaction { (transaction) throws(LMDBError) in
        try transaction.append(record.span, forKey: count.bigEndianBytes.span, in: table)
      }
    }
    return Double(count) / start.duration(to: clock.now).inSeconds
  }

  /// The median of writing 32 KiB and flushing it.
  private func flushSeconds(in folder: String) throws -> Double {
    let path = "\(folder)/tollbook-flush-\(UUID().uuidString)"
    _ = FileManager.default.createFile(atPath: path, contents: Data(count: 1 << 20))
    defer { try? FileManager.default.removeItem(atPath: path) }
    guard let file = FileHandle(forUpdatingAtPath: path) else { return 0 }
    let page = Data(repeating: 9, count: 32 << 10)
    var times: [Double] = []
    for round in 0..<200 {
      try file.seek(toOffset: UInt64(round % 31) * 32 << 10)
      try file.write(contentsOf: page)
      times.append(try tollbook_bench.seconds { try file.synchronize() })
    }
    return times.sorted()[times.count / 2]
  }
}
