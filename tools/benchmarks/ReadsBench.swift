import ArgumentParser
import Foundation
import Keepa
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

/// What the process holds for itself while it answers many reads of many things.
struct ReadsBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reads", abstract: "Reads many things often, and watches the memory.")

  @Option(help: "How many different things.") var keys = 1_000_000
  @Option(help: "How many reads.") var reads = 10_000_000
  @Option(help: "How many are read at once.") var together = 100
  @Option(help: "Where the dice begin.") var seed: UInt64 = 1
  @Option(help: "What the process may hold, in MiB.") var limit = 400

  func run() async throws {
    let folder = try TemporaryFolder()
    let time = ManualTime()
    var options = EventLog.Options()
    options.unsafeWithoutSync = true
    let log = try EventLog(
      DataDirectory.own(folder.path, mode: .simulated), folds: allFolds, time: time.source,
      options: options
    ) { print("failed: \($0)") }
    defer { log.close() }
    let keepa = WhatIfKeepa(KeepaSimulator(KeepaSimulatorConfiguration()), time)
    let gateway = Gateway(
      log: log, keepa: (keepa, "main"), settings: GatewaySettings(), random: { 0 })
    try await gateway.start(version: "bench")
    let filling = try await seconds { try await fill(gateway, at: time.now) }
    var peak = privateMebibytes
    let filled = peak
    var random = SeededGenerator(seed: seed)
    var hits = 0
    let reading = await seconds {
      for request in 0..<max(1, reads / max(1, together)) {
        let asins = (0..<together).compactMap { _ in
          KeepaASIN(Self.asin(Int.random(in: 0..<keys, using: &random)))
        }
        let answer = await gateway.products(ProductsRequest(asins: asins))
        hits += answer.outcomes.count { $0.source == .cache }
        // About what a busy second brings.
        if request % 1_000 == 999 {
          time.advance(byMilliseconds: 1_000)
          await gateway.writeTallies()
          peak = max(peak, privateMebibytes)
        }
      }
    }
    peak = max(peak, privateMebibytes)
    await gateway.stop()
    let count = max(1, reads / max(1, together)) * together
    printTable(
      "\(grouped(Double(count))) reads of \(grouped(Double(keys))) things, \(together) at once,"
        + " seed \(seed)",
      [
        Row("kept", "\(grouped(Double(keys) / filling))/s", "\(mebibytes(filled)) then"),
        Row("read", "\(grouped(Double(count) / reading))/s", "\(grouped(Double(hits))) hits"),
        Row("private memory at most", mebibytes(peak), "limit: \(limit) MiB"),
      ])
    guard peak <= Double(limit), hits == count else { throw ExitCode.failure }
  }

  private func fill(_ gateway: Gateway, at now: Timestamp) async throws {
    for first in stride(from: 0, to: keys, by: Gateway.mostImported) {
      let entries = (first..<min(keys, first + Gateway.mostImported)).map { number in
        let asin = Self.asin(number)
        return ImportedEntry(
          Write(
            ResourceKey(shared: "keepa.product", path: "1/\(asin)"),
            body: Array(#"{"asin":"\#(asin)","domainId":1,"title":"Thing \#(number)"}"#.utf8)),
          fetched: now)
      }
      _ = try await gateway.keep(entries)
    }
  }

  private static func asin(_ number: Int) -> String {
    let digits = String(number)
    return "B" + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
  }

  private var privateMebibytes: Double { Double(ProcessMemory.privateBytes) / 1_048_576 }

  private func mebibytes(_ size: Double) -> String { String(format: "%.0f MiB", size) }
}
