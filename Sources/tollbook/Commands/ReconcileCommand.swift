import ArgumentParser
import Foundation
import JSONText
import NIOHTTP1
import TollbookArchive
import TollbookAudit
import TollbookEvents

/// `tollbook reconcile`
struct ReconcileCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
  }

  static let configuration = CommandConfiguration(
    commandName: "reconcile",
    abstract: "Compare an upstream's bill with the ledger, day by day.",
    discussion: """
      The bill is a table of comma-separated values whose first line names the columns: day; \
      operation or model, or neither for a sum of all; units with a unit (tokens, if that is \
      left out), money with a currency, or both. Ends with 1 if something differs.

      A difference in money is only told where the ledger counts money, or tokens have a \
      price. With --post each difference is written down as unexplained, on the meter that it \
      is about, with the SHA-256 of the bill; a bill is posted once.

        tollbook reconcile --invoice november.csv
        tollbook reconcile --invoice november.csv --post --reason "bill 2026-114"
      """)

  @OptionGroup var place: PlaceFlags

  @Option(help: ArgumentHelp("The bill.", valueName: "file"))
  var invoice: String

  @Option(
    help: ArgumentHelp("Zone of the bill's days, such as Europe/Berlin.", valueName: "name"))
  var timeZone = "UTC"

  @Option(help: "A table for people, JSON or comma-separated values for programs.")
  var format = Format.table

  @Flag(help: "Write the differences down as unexplained.")
  var post = false

  @Option(help: ArgumentHelp("Why they are posted, for whoever reads the log.", valueName: "text"))
  var reason: String?

  func validate() throws {
    guard AuditCalendar(zone: timeZone) != nil else {
      throw ValidationError(
        "There is no time zone “\(timeZone)”; expected a name such as Europe/Berlin or UTC.")
    }
    if post, reason == nil { throw ValidationError("Say with --reason why the bill is posted.") }
    if !post, reason != nil { throw ValidationError("--reason goes with --post.") }
  }

  func run() async throws {
    let settings = try await place.settings()
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: invoice)))
    let bill: Invoice
    do throws(InvoiceProblem) { bill = try Invoice(bytes) } catch {
      throw Refused("\(invoice) cannot be read: \(error).")
    }
    let page = InvoicePage(
      try InvoiceComparison(
        bill, calendar: AuditCalendar(zone: timeZone) ?? .utc, price: settings.tokenPrice,
        in: LogOnDisk(settings).source))
    if let reason { return try await post(bytes, reason, page, settings) }
    switch format {
    case .table: for line in page.lines { Console.say(line) }
    case .csv: for line in page.csv { Console.say(line) }
    case .json: Console.say(page.json)
    }
    if page.differs { throw ExitCode.failure }
  }

  private func post(
    _ bytes: [UInt8], _ reason: String, _ page: InvoicePage, _ settings: Settings
  ) async throws {
    let zone = timeZone
    let answer = try await AdminCalls(settings: settings).ask(.POST, "/admin/invoices") { json in
      json.field("csv", String(decoding: bytes, as: UTF8.self))
      json.field("reason", reason)
      json.field("time_zone", zone)
    }
    let posted = answer.root["posted"]?.array.map(Array.init) ?? []
    for line in page.lines { Console.say(line) }
    Console.say(
      posted.isEmpty
        ? "Nothing was posted." : "\(posted.count.of("difference")) posted as unexplained.")
  }
}
