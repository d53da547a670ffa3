import ArgumentParser
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

  @OptionGroup var files: DrawnFiles

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many of them have a wrong sum.", valueName: "number"))
  var wrong = 0

  @Flag(help: "Draw every second one as a picture.") var pictures = false

  func validate() throws {
    guard (0...files.count).contains(wrong) else {
      throw ValidationError("--wrong is \(wrong); there are \(files.count) invoices.")
    }
  }

  func run() throws {
    try files.write("invoice") { number in
      let invoice = DrawnInvoice(
        number: number, seed: files.seed, wrongSum: number > files.count - wrong)
      let isPicture = pictures && number.isMultiple(of: 2)
      return (
        isPicture ? "png" : "pdf",
        isPicture ? InvoiceDrawing.png(invoice) : InvoiceDrawing.pdf(invoice)
      )
    }
    let sums = wrong == 0 ? "" : " The last \(wrong) have a wrong sum."
    Console.say("\(files.count) invoices are in \(files.folder).\(sums)")
  }
}
