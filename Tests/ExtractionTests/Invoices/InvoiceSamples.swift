import Extraction
import JSONText
import TollbookEvents
import TollbookTestSupport

/// Invoices for the tests.
enum InvoiceSamples {
  static func decimal(_ text: String) throws(ExactDecimal.Fault) -> ExactDecimal {
    try ExactDecimal(text)
  }

  static func read(_ text: String) throws(InvoiceFault) -> InvoiceFields {
    try InvoiceFields(text: Array(text.utf8))
  }

  static func written(_ fields: InvoiceFields) -> String {
    var json = JSONWriter()
    json.value(fields)
    return json.string
  }

  /// An invoice of two lines and two rates for which every rule is right; what is given takes the place of a member's
  /// text.
  static func good(replacing text: String = "", with other: String = "") throws -> InvoiceFields {
    let json = """
      {"document_type":"invoice","invoice_number":"R-77","issue_date":"2026-10-01",
      "due_date":"2026-10-31","period_start":"2026-09-01","period_end":"2026-09-30",
      "currency":"EUR","supplier":{"name":"Muster GmbH","vat_id":"DE123456789",
      "address":"Weg 1, 10115 Berlin"},"customer":{"name":"Example Ltd","vat_id":"EL123456789"},
      "purchase_order":"PO-1","payment_terms":"30 days",
      "payment":{"iban":"DE89 3704 0044 0532 0130 00","bic":"COBADEFFXXX"},
      "lines_net_total":"150.00","allowance_total":"10.00","charge_total":"5.00",
      "total_net":"145.00","total_tax":"22.20","total_gross":"167.20","amount_paid":"67.00",
      "rounding":"-0.20","amount_due":"100.00",
      "tax_breakdown":[{"base":"100.00","amount":"19.00","category":"S","rate":"19"},
      {"base":"45.00","amount":"3.20","category":"S","rate":"7.1"}],
      "lines":[{"id":"1","description":"Desk","product_code":"D1","quantity":"2","unit":"pcs",
      "unit_price":"50.00","net":"100.00","tax_rate":"19","tax_category":"S"},
      {"id":"2","description":"Book","product_code":null,"quantity":"1","unit":"pcs",
      "unit_price":"50.00","net":"50.00","tax_rate":"7.1","tax_category":"S"}]}
      """
    return try read(text.isEmpty ? json : json.replacing(text, with: other))
  }

  /// A made invoice or credit note for which every rule of amounts is exactly right, from whole cents.
  static func made(_ random: inout SeededGenerator) -> InvoiceFields {
    let sign: Int64 = random.chance(25) ? -1 : 1
    func money(_ cents: Int64) -> ExactDecimal? {
      ExactDecimal(coefficient: Int128(cents), scale: 2)
    }
    var fields = InvoiceFields()
    fields.documentType = sign < 0 ? .creditNote : .invoice
    let nets = (0..<random.int(1...12)).map { _ in sign * random.int64(1...5_000_000) }
    fields.lines = nets.map { cents in
      var line = InvoiceFields.Line()
      line.net = money(cents)
      return line
    }
    let sum = nets.reduce(0, +)
    let allowance = random.chance(50) ? sign * random.int64(0...100_000) : nil
    let charge = random.chance(50) ? sign * random.int64(0...100_000) : nil
    let net = sum - (allowance ?? 0) + (charge ?? 0)
    fields.linesNetTotal = money(sum)
    fields.allowanceTotal = allowance.flatMap(money)
    fields.chargeTotal = charge.flatMap(money)
    fields.totalNet = money(net)
    var tax: Int64 = 0
    for _ in 0..<random.int(1...3) {
      var row = InvoiceFields.TaxRow()
      let base = sign * random.int64(1...2_000_000)
      let tenths = random.pick([0, 55, 70, 190, 200, 255] as [Int64])
      // Cents times tenths of a percent are thousandths of a cent; a half goes away from zero.
      let cents = sign * ((base.magnitude.asInt64 * tenths + 500) / 1_000)
      tax += cents
      row.base = money(base)
      row.rate = ExactDecimal(coefficient: Int128(tenths), scale: 1)
      row.amount = money(cents)
      fields.taxBreakdown.append(row)
    }
    fields.totalTax = money(tax)
    fields.totalGross = money(net + tax)
    let paid = random.chance(30) ? sign * random.int64(0...100_000) : nil
    let rounding = random.chance(30) ? random.int64(-4...4) : nil
    fields.amountPaid = paid.flatMap(money)
    fields.rounding = rounding.flatMap(money)
    fields.amountDue = money(net + tax - (paid ?? 0) + (rounding ?? 0))
    fields.paymentTerms = "30 days"
    return fields
  }
}

extension UInt64 {
  fileprivate var asInt64: Int64 { Int64(clamping: self) }
}

extension [InvoiceCheck] {
  func of(_ rule: InvoiceCheck.Rule) -> InvoiceCheck? { first { $0.rule == rule } }

  var failed: Set<InvoiceCheck.Rule> { Set(filter { $0.verdict == .failed }.map(\.rule)) }
}
