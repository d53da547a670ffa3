import TollbookEvents

/// Documents as a table for a spreadsheet (RFC 4180), one line for each. What is not known is empty.
package enum InvoiceCSV {
  private static let columns = [
    "file", "document_type", "invoice_number", "issue_date", "supplier", "customer", "currency",
    "total_net", "total_tax", "total_gross", "amount_due", "failed_checks",
  ]

  /// The names of the columns, with the end of the line.
  package static let header = columns.joined(separator: ",") + "\r\n"

  /// The line of a document, with its end. `failed_checks` holds the rules that failed, with blanks between them.
  package static func row(
    file: String, _ fields: InvoiceFields, _ checks: [InvoiceCheck]
  ) -> String {
    let texts = [
      file, fields.documentType?.rawValue, fields.invoiceNumber, fields.issueDate?.description,
      fields.supplier.name, fields.customer.name, fields.currency,
    ].map { CSVCell.quoted($0 ?? "") }
    // Digits with a minus are a number to a spreadsheet and no formula: an apostrophe would make them text.
    let amounts = [
      fields.totalNet, fields.totalTax, fields.totalGross, fields.amountDue,
    ].map { $0?.description ?? "" }
    let failed = checks.filter { $0.verdict == .failed }.map(\.rule.rawValue)
    return (texts + amounts + [failed.joined(separator: " ")]).joined(separator: ",") + "\r\n"
  }
}
