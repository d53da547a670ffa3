import Foundation
import JSONText
import Testing

@testable import TollbookSimulators

/// The sums of made-up invoices against the rules of EN 16931, read back from their texts.
@Suite struct DrawnInvoiceTests {
  /// `-12.34` in hundredths.
  private func cents(_ text: String) throws -> Int {
    let parts = text.split(separator: ".")
    let isRight = parts.count == 2 && parts[1].count == 2
    try #require(isRight, "\(text) has no two decimals")
    return try #require(Int(parts.joined()))
  }

  /// The rules that an invoice breaks.
  private func broken(_ invoice: DrawnInvoice) throws -> [String] {
    var broken: [String] = []
    func check(_ rule: String, _ isKept: Bool) {
      if !isKept { broken.append(rule) }
    }
    let lines = try invoice.lines.map { try cents($0.net) }.reduce(0, +)
    let net = try cents(invoice.totalNet)
    check("BR-CO-10", try cents(invoice.linesNetTotal) == lines)
    check(
      "BR-CO-13",
      try net == lines - cents(invoice.allowanceTotal) + cents(invoice.chargeTotal))
    let taxes = try invoice.taxBreakdown.map { try cents($0.amount) }.reduce(0, +)
    check("BR-CO-14", try cents(invoice.totalTax) == taxes)
    check("BR-CO-15", try cents(invoice.totalGross) == net + cents(invoice.totalTax))
    check(
      "BR-CO-16",
      try cents(invoice.amountDue) == cents(invoice.totalGross) - cents(invoice.amountPaid)
        + cents(invoice.rounding))
    for tax in invoice.taxBreakdown {
      // Twice the product is compared, so that half a cent is a whole number.
      let product = try cents(tax.base) * cents(tax.rate)
      let amount = try 10_000 * cents(tax.amount)
      check("BR-CO-17", amount - product <= 5000 && amount - product > -5000)
    }
    let isDue = try cents(invoice.amountDue) > 0
    check(
      "BR-CO-25",
      !isDue || invoice.documentType != .invoice || invoice.dueDate != nil
        || invoice.paymentTerms != nil)
    let countries = ["DE", "GB", "FR", "CH"]
    let ids = [invoice.supplier.vatID, invoice.customer.vatID].compactMap(\.self)
    check("BR-CO-09", ids.allSatisfy { countries.contains(String($0.prefix(2))) })
    return broken
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func `all rules hold, or the one that was meant to break breaks alone`(seed: UInt64) throws {
    for number in 0..<5 {
      let right = DrawnInvoice(number: number, seed: seed)
      #expect(try broken(right) == [])
      #expect(right.brokenRule == nil)
      let wrong = DrawnInvoice(number: number, seed: seed, wrongSum: true)
      #expect(try broken(wrong) == ["BR-CO-15"])
      #expect(wrong.brokenRule == "BR-CO-15" && wrong.totalGross != right.totalGross)
      #expect(wrong.lines == right.lines && wrong.taxBreakdown == right.taxBreakdown)
      // As plausible as the right one: as many digits.
      #expect(wrong.totalGross.count == right.totalGross.count)
    }
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func `a line's net is its quantity times its price`(seed: UInt64) throws {
    for line in DrawnInvoice(number: 1, seed: seed).lines {
      let quantity = line.quantity.contains(".") ? line.quantity : "\(line.quantity).00"
      #expect(try cents(quantity) * cents(line.unitPrice) == 100 * cents(line.net))
    }
  }

  @Test func `the same numbers give the same invoice and others another`() {
    #expect(DrawnInvoice(number: 7, seed: 1) == DrawnInvoice(number: 7, seed: 1))
    let all = (0..<100).flatMap { number in
      (0..<5).map { DrawnInvoice(number: number, seed: $0) }
    }
    #expect(Set(all).count == 500)
    #expect(Set(all.map(\.documentType)) == Set(DrawnInvoice.DocumentType.allCases))
    #expect(Set(all.map(\.invoiceNumber)).count >= 100)
    #expect(all.contains { InvoicePage.pages(of: $0).count == 2 })
    #expect(all.allSatisfy { InvoicePage.pages(of: $0).count <= 2 })
  }

  @Test(arguments: [
    (1234, 2134), (1034, 1304), (1000, 1090), (7777, 7867), (0, 90), (10, 100), (-1234, -2134),
  ])
  func `two digits change places and none leads with a zero`(right: Int, wrong: Int) {
    #expect(InvoiceSums.swapped(right) == wrong)
  }

  @Test func `the JSON has the fields that invoices are read for`() throws {
    let invoice = DrawnInvoice(number: 2, seed: 3)
    let root = try JSONDocument(invoice.json, maximumDepth: 8, maximumValues: 10_000).root
    let names = try #require(root.members).map(\.name)
    #expect(
      names == [
        "invoice_number", "document_type", "issue_date", "due_date", "currency", "supplier",
        "customer", "purchase_order", "payment_terms", "payment", "lines_net_total",
        "allowance_total", "charge_total", "total_net", "total_tax", "total_gross", "amount_paid",
        "rounding", "amount_due", "tax_breakdown", "lines",
      ])
    #expect(root["total_gross"]?.string == invoice.totalGross)
    let line = try #require(root["lines"]?[0])
    #expect(
      try #require(line.members).map(\.name) == [
        "id", "description", "product_code", "quantity", "unit", "unit_price", "net", "tax_rate",
        "tax_category",
      ])
  }
}
