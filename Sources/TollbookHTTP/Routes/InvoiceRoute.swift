import Hummingbird
import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `POST /admin/invoices {"csv","reason","time_zone"?}` compares an upstream's bill with the ledger, and posts each
  /// difference as unexplained.
  func addInvoices(to router: Router<TollbookContext>) {
    router.route(
      "/admin/invoices", scope: .admin,
      post: { request, context in
        try await postInvoice(
          JSONFields(
            of: request, limit: context.maxUploadSize, names: ["csv", "reason", "time_zone"]),
          by: context.principal)
      })
  }

  private func postInvoice(
    _ fields: JSONFields, by principal: Principal
  ) async throws -> Response {
    let csv = try JSONFields.require(fields.string("csv"), "csv", "the bill as a table")
    let reason = try JSONFields.require(fields.string("reason"), "reason", "why it is posted")
    let zone = try fields.string("time_zone") ?? "UTC"
    guard let calendar = AuditCalendar(zone: zone) else {
      throw Problem(
        .invalidField,
        "there is no time zone “\(zone.inOneLine(atMost: 100))”; it is a name such as"
          + " Europe/Berlin", field: "time_zone")
    }
    let invoice: Invoice
    do throws(InvoiceProblem) { invoice = try Invoice(Array(csv.utf8)) } catch {
      throw Problem(.invalidField, "the bill cannot be read: \(error)", field: "csv")
    }
    try refuseOpenDays(of: invoice, calendar)
    let comparison = try InvoiceComparison(
      invoice, calendar: calendar, price: settings.tokenPrice, in: LogSource(log))
    // What is booked in tokens alone is posted in tokens.
    let rows = comparison.differences.filter { !$0.isPriced }
    let differences = try rows.map { row in try difference(row, calendar) }
    let first = try await refusing {
      try await PostInvoice(
        differences, of: invoice.digest, reason: reason, actor: principal.actor
      ).run(on: log)
    }
    let answer = Response.object(
      position: log.head, capacity: 256 * (differences.count + 1)
    ) { json in
      json.field("invoice", invoice.digest.hexadecimal)
      json.array("posted", differences.enumerated()) { json, element in
        element.element.write(at: first + UInt64(element.offset), to: &json)
      }
    }
    return differences.isEmpty ? answer : answer.created(at: "/events/\(first)")
  }

  private func refuseOpenDays(of invoice: Invoice, _ calendar: AuditCalendar) throws(Problem) {
    let now = log.time.now()
    for line in invoice.lines where calendar.start(of: line.day.next) > now {
      throw Problem(
        .invalidField, "line \(line.number): the day \(line.day) is not over in \(calendar.name)",
        field: "csv")
    }
  }

  /// What is posted, on the page that has told the cost, or on the upstream's only meter of that unit.
  private func difference(
    _ row: InvoiceComparison.Row, _ calendar: AuditCalendar
  ) throws(Problem) -> BilledDifference {
    let end = calendar.start(of: row.day.next).advanced(byMilliseconds: -1)
    guard let page = row.page ?? gateway.page(of: row.unit, operation: row.name, at: end) else {
      throw Problem(
        .invalidField,
        "\(row.line.map { "line \($0): " } ?? "")no meter counts the \(row.unit) of"
          + " “\(row.name.inOneLine(atMost: 100))”", field: "csv")
    }
    let billed = row.billed ?? 0
    return BilledDifference(
      day: "\(row.day)", name: row.name, page: page, billed: billed,
      booked: billed &- row.difference)
  }
}

extension BilledDifference {
  fileprivate func write(at position: Position, to json: inout JSONWriter) {
    json.object { json in
      json.field("position", position)
      json.field("day", day)
      json.field("operation", name.isEmpty ? nil : name)
      json.field("unit", page.unit)
      json.amount("billed", billed, page.unit)
      json.amount("booked", booked, page.unit)
      json.amount("unexplained", billed &- booked, page.unit)
    }
  }
}
