import Extraction
import Testing
import TollbookEvents

@Suite struct InvoiceTextChecksTests {
  private typealias Samples = InvoiceSamples

  @Test(arguments: [
    ("\"due_date\":\"2026-10-31\"", "\"due_date\":null", InvoiceCheck.Verdict.ok),
    ("\"payment_terms\":\"30 days\"", "\"payment_terms\":null", .ok),
    ("\"2026-10-31\",\"period", "null,\"period", .ok),
  ])
  func `a due date or terms are enough`(
    text: String, other: String, verdict: InvoiceCheck.Verdict
  ) throws {
    #expect(
      try InvoiceChecks.all(of: Samples.good(replacing: text, with: other)).of(.paymentTerms)?
        .verdict == verdict)
  }

  @Test func `an amount that is due at no time fails`() throws {
    var fields = try Samples.good()
    fields.dueDate = nil
    fields.paymentTerms = nil
    #expect(InvoiceChecks.all(of: fields).failed == [.paymentTerms])
    fields.amountDue = try Samples.decimal("-100.00")
    #expect(InvoiceChecks.all(of: fields).of(.paymentTerms)?.verdict == .notApplicable)
  }

  @Test(
    arguments: [
      ("DE123456789", nil, InvoiceCheck.Verdict.ok), ("EL123456789", nil, .ok),
      ("XI123456789", nil, .ok), (nil, "ATU12345678", .ok), ("123/456", nil, .failed),
      ("de123456789", nil, .failed), ("XX1", nil, .failed), ("D", nil, .failed),
      ("\u{212a}E123", nil, .failed), ("DE1", "QQ1", .failed), (nil, nil, .notApplicable),
    ] as [(String?, String?, InvoiceCheck.Verdict)])
  func `VAT numbers begin with a country`(
    supplier: String?, customer: String?, verdict: InvoiceCheck.Verdict
  ) throws {
    var fields = InvoiceFields()
    fields.supplier.vatID = supplier
    fields.customer.vatID = customer
    let check = try #require(InvoiceChecks.all(of: fields).of(.vatPrefixes))
    #expect(check.verdict == verdict)
    if let supplier { #expect(!check.detail.contains(supplier)) }
  }

  @Test(
    arguments: [
      ("2026-10-01", "2026-10-01", nil, nil, InvoiceCheck.Verdict.ok),
      ("2026-10-02", "2026-10-01", nil, nil, .failed),
      (nil, nil, "2026-10-02", "2026-10-01", .failed),
      ("2026-10-01", "2026-10-31", "2026-10-02", "2026-10-01", .failed),
      ("2026-10-01", nil, nil, "2026-01-01", .notApplicable),
      ("2026-10-02", nil, "2026-09-01", "2026-09-30", .ok),
    ] as [(String?, String?, String?, String?, InvoiceCheck.Verdict)])
  func `dates follow one another`(
    issue: String?, due: String?, start: String?, end: String?, verdict: InvoiceCheck.Verdict
  ) throws {
    var fields = InvoiceFields()
    fields.issueDate = issue.flatMap { CalendarDay($0) }
    fields.dueDate = due.flatMap { CalendarDay($0) }
    fields.periodStart = start.flatMap { CalendarDay($0) }
    fields.periodEnd = end.flatMap { CalendarDay($0) }
    #expect(InvoiceChecks.all(of: fields).of(.dates)?.verdict == verdict)
  }

  // Examples of the IBAN registry, and broken ones.
  @Test(arguments: [
    ("DE89370400440532013000", true), ("DE89 3704 0044 0532 0130 00", true),
    ("GB29 NWBK 6016 1331 9268 19", true), ("FR14 2004 1010 0505 0001 3M02 606", true),
    ("NO93 8601 1117 947", true), ("MT84 MALT 0110 0001 2345 MTLC AST0 01S", true),
    ("DE88370400440532013000", false), ("DE89370400440532013001", false),
    ("DE89370400440532031000", false), ("de89370400440532013000", false), ("", false),
    ("DE89", false), ("8937DE0400440532013000", false), ("DE8937040044053201300O", false),
    ("DE89-3704-0044-0532-0130-00", false),
    ("GB29NWBK60161331926819GB29NWBK60161331926819", false),
  ])
  func `the check digits of an IBAN are right or not`(iban: String, isValid: Bool) throws {
    var fields = InvoiceFields()
    fields.payment.iban = iban
    let check = try #require(InvoiceChecks.all(of: fields).of(.iban))
    #expect(check.verdict == (isValid ? .ok : .failed))
    #expect(iban.isEmpty || !check.detail.contains(iban))
  }

  @Test func `any digit of an IBAN that changes is noticed`() throws {
    let iban = Array("DE89370400440532013000".utf8)
    for index in 2..<iban.count {
      for digit in UInt8(ascii: "0")...UInt8(ascii: "9") where digit != iban[index] {
        var changed = iban
        changed[index] = digit
        var fields = InvoiceFields()
        fields.payment.iban = String(decoding: changed, as: UTF8.self)
        #expect(InvoiceChecks.all(of: fields).failed == [.iban])
      }
    }
  }

  @Test func `check digits that are never given out are wrong`() {
    var found = 0
    // Of all endings some fit the check digits 00, 01 and 99, which leave the same remainder as 97, 98 and 02.
    for ending in 0..<200 {
      let digits = String(repeating: "0", count: 15) + String(1_000 + ending).suffix(3)
      let verdicts = ["97", "98", "02", "00", "01", "99"].map { check in
        var fields = InvoiceFields()
        fields.payment.iban = "DE\(check)\(digits)"
        return InvoiceChecks.all(of: fields).of(.iban)?.verdict
      }
      found += verdicts.prefix(3).count { $0 == .ok }
      #expect(verdicts.suffix(3).allSatisfy { $0 == .failed })
    }
    #expect(found > 0)
  }

  @Test(arguments: [
    ("EUR", InvoiceCheck.Verdict.ok), ("XCG", .ok), ("JPY", .ok), ("BGN", .failed),
    ("ZZZ", .failed), ("eur", .failed), ("\u{212a}RW", .failed), ("EU", .failed),
  ])
  func `a currency is on the list`(code: String, verdict: InvoiceCheck.Verdict) {
    var fields = InvoiceFields()
    fields.currency = code
    #expect(InvoiceChecks.all(of: fields).of(.currency)?.verdict == verdict)
  }
}
