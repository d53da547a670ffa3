import ArgumentParser
import TollbookSimulators

/// `tollbook simulate gemini`
struct SimulateGeminiCommand: SimulatorCommand {
  static let usualPort = 9_001
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

  @OptionGroup var serving: SimulatorOptions<Self>

  func run() async throws {
    var configuration = GeminiSimulatorConfiguration()
    configuration.latency = serving.latencyMs
    try await SimulatorOnPort.run(GeminiSimulator(configuration), port: serving.port) { url in
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
