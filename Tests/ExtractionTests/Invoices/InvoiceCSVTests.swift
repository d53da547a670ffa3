import Extraction
import Testing

@Suite struct InvoiceCSVTests {
  @Test func `a document is a line under the header`() throws {
    #expect(
      InvoiceCSV.header
        == "file,document_type,invoice_number,issue_date,supplier,customer,currency,total_net,"
        + "total_tax,total_gross,amount_due,failed_checks\r\n")
    let fields = try InvoiceSamples.good()
    #expect(
      InvoiceCSV.row(file: "a.pdf", fields, InvoiceChecks.all(of: fields))
        == "a.pdf,invoice,R-77,2026-10-01,Muster GmbH,Example Ltd,EUR,145.00,22.20,167.20,100.00,"
        + "\r\n")
  }

  @Test func `rules that failed stand in the last cell`() throws {
    let fields = try InvoiceSamples.good(replacing: "\"167.20\"", with: "\"167.30\"")
    #expect(
      InvoiceCSV.row(file: "a.pdf", fields, InvoiceChecks.all(of: fields))
        .hasSuffix(",167.30,100.00,BR-CO-15 BR-CO-16\r\n"))
  }

  @Test func `what is not known is empty`() {
    let row = InvoiceCSV.row(file: "", InvoiceFields(), [])
    #expect(row == String(repeating: ",", count: 11) + "\r\n")
  }

  @Test func `texts never become formulas or cells of their own, and amounts stay numbers`() throws
  {
    var fields = InvoiceFields()
    fields.invoiceNumber = "=1+1"
    fields.supplier.name = "A, \"B\"\nC"
    fields.customer.name = "@SUM(A1)"
    fields.totalNet = try InvoiceSamples.decimal("-3.50")
    #expect(
      InvoiceCSV.row(file: "-x.pdf", fields, [])
        == "\"'-x.pdf\",,\"'=1+1\",,\"A, \"\"B\"\" C\",\"'@SUM(A1)\",,-3.50,,,,\r\n")
  }
}
