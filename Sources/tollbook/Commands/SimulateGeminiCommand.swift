import ArgumentParser
import TollbookSimulators

/// `tollbook simulate gemini`
struct SimulateGeminiCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gemini",
    abstract: "Run a stand-in for Gemini: its wire format, its token counts, its limits.",
    discussion: """
      It reads the invoices that `tollbook simulate invoices` draws, and answers other \
      questions with a few words. What it charged stands at /_simulator/books; faults \
      are set by POST to /_simulator/faults.

      Example:
        tollbook simulate gemini --port 9001 --latency-ms 800
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Port to listen on; 0 takes a free one.", valueName: "number"))
  var port = 9_001

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How long a call takes, in milliseconds.", valueName: "ms"))
  var latencyMs = 0

  func validate() throws {
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port is \(port); a port lies between 0 and 65535.")
    }
    guard latencyMs >= 0 else {
      throw ValidationError("--latency-ms is \(latencyMs); name 0 or more milliseconds.")
    }
  }

  func run() async throws {
    var configuration = GeminiSimulatorConfiguration()
    configuration.latency = latencyMs
    try await SimulatorOnPort.run(GeminiSimulator(configuration), port: port) { url in
      """
      A simulated Gemini is ready at \(url)
      Its key: \(GeminiSimulator.sampleKey)
      Point Tollbook at it, with a data folder of its own:
        tollbook serve --simulate --gemini-simulator \(url) --data-dir ./tollbook-trial
      What it charged: curl \(url)/_simulator/books
      """
    }
  }
}
