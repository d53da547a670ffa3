import ArgumentParser
import Foundation
import TollbookSimulators

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
