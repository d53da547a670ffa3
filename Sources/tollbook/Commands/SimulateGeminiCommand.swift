import ArgumentParser
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
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
    try await PortInUse.check(host: "127.0.0.1", port: port)
    var configuration = GeminiSimulatorConfiguration()
    configuration.latency = latencyMs
    let quiet = Logger(label: "simulator") { _ in SwiftLogNoOpLogHandler() }
    let service = GeminiSimulator(configuration).service(port: port, logger: quiet) { channel in
      let url = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
      Console.say(
        """
        A simulated Gemini is ready at \(url)
        Its key: \(GeminiSimulator.sampleKey)
        Point Tollbook at it, with a data folder of its own:
          tollbook serve --simulate --gemini-simulator \(url) --data-dir ./tollbook-trial
        What it charged: curl \(url)/_simulator/books
        """)
    }
    let group = ServiceGroup(
      configuration: .init(
        services: [.init(service: service)], gracefulShutdownSignals: EndSignals.services,
        logger: quiet))
    try await group.run()
  }
}

/// `tollbook simulate invoices`
struct SimulateInvoicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "invoices",
    abstract: "Draw invoices that the stand-in for Gemini can read.",
    discussion: """
      Each is a PDF or a PNG of an invented company, the same ones for the same seed. \
      The last ones have a wrong sum, if that is wanted.

      Example:
        tollbook simulate invoices ./invoices --count 10 --wrong 3
      """)

  @Argument(help: ArgumentHelp("The folder to put them into.", valueName: "folder"))
  var folder: String

  @Option(parsing: .unconditional, help: ArgumentHelp("How many to draw.", valueName: "number"))
  var count = 10

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many of them have a wrong sum.", valueName: "number"))
  var wrong = 0

  @Option(
    parsing: .unconditional, help: ArgumentHelp("What they are made from.", valueName: "number"))
  var seed: UInt64 = 1

  @Flag(help: "Draw every second one as a picture.") var pictures = false

  func validate() throws {
    guard (1...10_000).contains(count) else {
      throw ValidationError("--count is \(count); name 1 to 10000.")
    }
    guard (0...count).contains(wrong) else {
      throw ValidationError("--wrong is \(wrong); there are \(count) invoices.")
    }
  }

  func run() throws {
    let files = FileManager.default
    do {
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for number in 1...count {
        let invoice = DrawnInvoice(number: number, seed: seed, wrongSum: number > count - wrong)
        let isPicture = pictures && number.isMultiple(of: 2)
        let bytes = isPicture ? InvoiceDrawing.png(invoice) : InvoiceDrawing.pdf(invoice)
        let digits = String(number + 100_000).dropFirst()
        let name = "invoice-\(digits).\(isPicture ? "png" : "pdf")"
        try Data(bytes).write(to: URL(filePath: "\(folder)/\(name)"))
      }
    } catch { throw Refused("\(folder) cannot be written to: \(error.localizedDescription)") }
    let sums = wrong == 0 ? "" : " The last \(wrong) have a wrong sum."
    Console.say("\(count) invoices are in \(folder).\(sums)")
  }
}
