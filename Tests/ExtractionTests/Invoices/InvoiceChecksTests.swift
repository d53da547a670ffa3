import Extraction
import Testing

@Suite struct InvoiceChecksTests {
  private typealias Samples = InvoiceSamples

  /// The result of a rule for the good invoice in which a text is replaced by another.
  private func check(
    _ rule: InvoiceCheck.Rule, _ text: String = "", _ other: String = ""
  ) throws -> InvoiceCheck {
    try #require(InvoiceChecks.all(of: Samples.good(replacing: text, with: other)).of(rule))
  }

  @Test func `every rule is right for the good invoice, in a fixed order`() throws {
    let checks = InvoiceChecks.all(of: try Samples.good())
    #expect(
      checks.map(\.rule.rawValue) == [
        "BR-CO-10", "BR-CO-13", "BR-CO-14", "BR-CO-15", "BR-CO-16", "BR-CO-17", "BR-CO-25",
        "BR-CO-09", "dates", "iban", "currency",
      ])
    #expect(checks.allSatisfy { $0.verdict == .ok })
    #expect(
      checks.map(\.difference?.description)
        == ["0.00", "0.00", "0.00", "0.00", "0.00", "0.00", nil, nil, nil, nil, nil])
    #expect(checks.allSatisfy { !$0.detail.isEmpty })
  }

  @Test func `no rule applies to a document that says nothing`() {
    let checks = InvoiceChecks.all(of: InvoiceFields())
    #expect(checks.count == 11)
    #expect(checks.allSatisfy { $0.verdict == .notApplicable && $0.difference == nil })
  }

  @Test(
    arguments: [
      // Two lines may make 0.02, two rows of tax 0.02, a row 0.01, and sums of totals nothing.
      (.linesNetTotal, "\"150.00\"", "\"150.02\"", .ok, "0.02"),
      (.linesNetTotal, "\"150.00\"", "\"150.021\"", .failed, "0.021"),
      (.linesNetTotal, "\"150.00\"", "\"149.97\"", .failed, "-0.03"),
      (.linesNetTotal, "\"net\":\"50.00\"", "\"net\":\"-50.00\"", .failed, "100.00"),
      (.totalNet, "\"145.00\"", "\"144.98\"", .ok, "-0.02"),
      (.totalNet, "\"145.00\"", "\"145.03\"", .failed, "0.03"),
      (.totalNet, "\"allowance_total\":\"10.00\"", "\"allowance_total\":null", .failed, "-10.00"),
      (.totalNet, "\"charge_total\":\"5.00\"", "\"charge_total\":\"0\"", .failed, "5.00"),
      (.totalTax, "\"22.20\"", "\"22.22\"", .ok, "0.02"),
      (.totalTax, "\"22.20\"", "\"22.17\"", .failed, "-0.03"),
      (.totalGross, "\"167.20\"", "\"167.2\"", .ok, "0.00"),
      (.totalGross, "\"167.20\"", "\"167.21\"", .failed, "0.01"),
      (.totalGross, "\"167.20\"", "\"-167.20\"", .failed, "-334.40"),
      (.amountDue, "\"100.00\",\n\"tax", "\"100.01\",\n\"tax", .failed, "0.01"),
      (.amountDue, "\"67.00\"", "null", .failed, "-67.00"),
      (.amountDue, "\"-0.20\"", "\"0.20\"", .failed, "-0.40"),
      (.taxRows, "\"3.20\"", "\"3.21\"", .ok, "0.01"),
      (.taxRows, "\"3.20\"", "\"3.22\"", .failed, "0.02"),
      (.taxRows, "\"rate\":\"19\"", "\"rate\":\"7\"", .failed, "12.00"),
      (.taxRows, "\"amount\":\"19.00\"", "\"amount\":null", .ok, "0.00"),
    ] as [(InvoiceCheck.Rule, String, String, InvoiceCheck.Verdict, String)])
  func `amounts may be apart by the tolerance and no more`(
    rule: InvoiceCheck.Rule, text: String, other: String, verdict: InvoiceCheck.Verdict,
    difference: String
  ) throws {
    let check = try check(rule, text, other)
    #expect(check.verdict == verdict)
    #expect(check.difference?.description == difference)
  }

  @Test func `of several rows the worst counts, whichever comes first`() throws {
    #expect(try check(.taxRows, "\"19.00\"", "\"18.00\"").difference?.description == "-1.00")
    #expect(try check(.taxRows, "\"3.20\"", "\"5.20\"").difference?.description == "2.00")
    var fields = try Samples.good()
    fields.taxBreakdown[0].amount = try Samples.decimal("17.00")
    fields.taxBreakdown[1].amount = try Samples.decimal("4.20")
    let both = try #require(InvoiceChecks.all(of: fields).of(.taxRows))
    #expect(both.difference?.description == "-2.00")
    #expect(both.detail.contains("tax_breakdown[0].amount is 17.00, and 19.00 is expected"))
  }

  @Test(
    arguments: [
      (.linesNetTotal, "\"150.00\"", "null", "lines_net_total is not known"),
      (.linesNetTotal, "\"net\":\"50.00\"", "\"net\":null", "lines[1].net is not known"),
      (.totalNet, "\"145.00\"", "null", "total_net is not known"),
      (.totalNet, "\"net\":\"100.00\"", "\"net\":null", "lines[0].net is not known"),
      (.totalTax, "\"22.20\"", "null", "total_tax is not known"),
      (.totalTax, "\"3.20\"", "null", "tax_breakdown[1].amount is not known"),
      (.totalGross, "\"167.20\"", "null", "total_gross is not known"),
      (.totalGross, "\"145.00\"", "null", "total_net is not known"),
      (.totalGross, "\"22.20\"", "null", "total_tax is not known"),
      (.amountDue, "\"amount_due\":\"100.00\"", "\"amount_due\":null", "amount_due is not known"),
      (.amountDue, "\"167.20\"", "null", "total_gross is not known"),
      (
        .paymentTerms, "\"amount_due\":\"100.00\"", "\"amount_due\":null", "amount_due is not known"
      ),
      (
        .paymentTerms, "\"amount_due\":\"100.00\"", "\"amount_due\":\"0.00\"",
        "amount_due is 0.00: nothing is due"
      ),
      (.iban, "\"DE89 3704 0044 0532 0130 00\"", "null", "payment.iban is not known"),
      (.currency, "\"EUR\"", "null", "currency is not known"),
    ] as [(InvoiceCheck.Rule, String, String, String)])
  func `a rule without its inputs does not apply`(
    rule: InvoiceCheck.Rule, text: String, other: String, reason: String
  ) throws {
    let check = try check(rule, text, other)
    #expect(check.verdict == .notApplicable)
    #expect(check.difference == nil)
    #expect(check.detail == reason)
  }

  @Test func `rows of tax without base, rate or amount are not compared`() throws {
    let parts: [WritableKeyPath<InvoiceFields.TaxRow, ExactDecimal?>] = [
      \.base, \.rate, \.amount,
    ]
    for part in parts {
      var fields = try Samples.good()
      for index in fields.taxBreakdown.indices { fields.taxBreakdown[index][keyPath: part] = nil }
      let check = try #require(InvoiceChecks.all(of: fields).of(.taxRows))
      #expect(check.verdict == .notApplicable)
      #expect(check.detail == "a row of tax_breakdown with base, rate and amount is not known")
    }
  }

  @Test func `allowances, charges, payments and rounding that are missing are nothing`() throws {
    var fields = try Samples.good()
    fields.allowanceTotal = nil
    fields.chargeTotal = nil
    fields.totalNet = try Samples.decimal("150")
    fields.amountPaid = nil
    fields.rounding = nil
    fields.amountDue = try Samples.decimal("167.20")
    let checks = InvoiceChecks.all(of: fields)
    #expect(checks.of(.totalNet)?.verdict == .ok)
    #expect(checks.of(.amountDue)?.verdict == .ok)
  }

  @Test func `numbers that are too long to compare fail`() throws {
    let long = "999999999999999999.999999999999"
    let checks = InvoiceChecks.all(
      of: try Samples.read(
        #"{"tax_breakdown":[{"base":"1","rate":"1","amount":"0.01"},"#
          + #"{"base":"\#(long)","rate":"\#(long)","amount":"1"},"#
          + #"{"base":"1","rate":"1","amount":"0.01"}]}"#))
    let rows = try #require(checks.of(.taxRows))
    #expect(rows.verdict == .failed)
    #expect(rows.difference == nil)
    #expect(rows.detail.hasPrefix("tax_breakdown[1].amount: the numbers have too many digits"))
    let sum = String(repeating: "9", count: 30)
    let totals = InvoiceChecks.all(
      of: try Samples.read(
        #"{"total_net":"\#(sum)","total_tax":"0.000000000001","total_gross":"\#(sum)"}"#))
    #expect(totals.of(.totalGross)?.verdict == .failed)
  }
}
