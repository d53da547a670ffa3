import ArgumentParser
import Foundation
import TollbookSimulators

/// `tollbook simulate keepa`
struct SimulateKeepaCommand: SimulatorCommand {
  static let usualPort = 9_000
  static let configuration = CommandConfiguration(
    commandName: "keepa",
    abstract: "Run a stand-in for Keepa: its prices, its token bucket, its wire format.",
    discussion: """
      It answers every path of Keepa's. Products are invented from their ASIN, the \
      same ones every time; lists, finder, searches, deals and sellers draw from a \
      catalogue of them. What it charged stands at /_simulator/books; faults are \
      set by POST to /_simulator/faults, for all paths or one.

      Example:
        tollbook simulate keepa --port 9000 --balance 50 --latency-ms 200
      """)

  @OptionGroup var serving: SimulatorOptions<Self>

  @Option(
    help: ArgumentHelp(
      "Folder of recorded answers, <ASIN>.json, served instead of invented ones.",
      valueName: "folder"))
  var bodies: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Tokens refilled per minute.", valueName: "tokens"))
  var rate = 20

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Tokens at the start; 60 refills if left out.", valueName: "tokens"))
  var balance: Int?

  func validate() throws {
    guard rate >= 1 else { throw ValidationError("--rate is \(rate); name 1 or more tokens.") }
    if let bodies {
      let type = try? FileManager.default.attributesOfItem(atPath: bodies)[.type]
      guard type as? FileAttributeType == .typeDirectory else {
        throw ValidationError("--bodies: \(bodies) is no folder.")
      }
    }
  }

  func run() async throws {
    var configuration = KeepaSimulatorConfiguration()
    configuration.refillRate = rate
    configuration.balance = balance
    configuration.latency = serving.latencyMs
    configuration.bodies = bodies.map { RecordedBodies(folder: $0) }
    try await SimulatorOnPort.run(KeepaSimulator(configuration), port: serving.port) { url in
      """
      A simulated Keepa is ready at \(url)
      Its key: \(KeepaSimulator.sampleKey)
      Point Tollbook at it, with a data folder of its own:
        tollbook serve --simulate --simulator \(url) --data-dir ./tollbook-trial
      What it charged: curl \(url)/_simulator/books
      """
    }
  }
}
