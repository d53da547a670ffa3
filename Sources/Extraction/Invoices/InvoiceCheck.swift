package import JSONText

/// What came of one check of an invoice.
package struct InvoiceCheck: Hashable, Sendable {
  /// What is checked, in the order of the answer. The names that begin with BR are those of the rules of EN 16931-1.
  package enum Rule: String, CaseIterable, Hashable, Sendable {
    /// The sum of the lines is what the lines make.
    case linesNetTotal = "BR-CO-10"
    /// The total without tax is the lines, less allowances, with charges.
    case totalNet = "BR-CO-13"
    /// The total of the tax is what the rows of the breakdown make.
    case totalTax = "BR-CO-14"
    /// The total with tax is the total without tax and the tax.
    case totalGross = "BR-CO-15"
    /// The amount due is the total with tax, less what is paid, with the rounding.
    case amountDue = "BR-CO-16"
    /// The tax of each row is its base times its rate, to two decimals.
    case taxRows = "BR-CO-17"
    /// Where something is due, a due date or terms say when.
    case paymentTerms = "BR-CO-25"
    /// VAT numbers begin with the code of a country.
    case vatPrefixes = "BR-CO-09"
    /// Dates that follow one another do so. Ours.
    case dates
    /// The check digits of the IBAN are right. Ours.
    case iban
    /// There is such a currency. Ours.
    case currency
  }

  package enum Verdict: String, Hashable, Sendable {
    case ok
    case failed
    /// The document does not say what the check needs, or the rule asks nothing of such a document.
    case notApplicable = "not_applicable"
  }

  package let rule: Rule
  package let verdict: Verdict
  /// What is stated less what it should be; of several rows the one that is off by most. Nil where no amounts are
  /// compared, and where they have too many digits to be.
  package let difference: ExactDecimal?
  /// What was compared, in a sentence.
  package let detail: String

  package init(
    _ rule: Rule, _ verdict: Verdict, difference: ExactDecimal? = nil, detail: String
  ) {
    self.rule = rule
    self.verdict = verdict
    self.difference = difference
    self.detail = detail
  }
}

/// As an object without the detail: `{"rule":"BR-CO-15","verdict":"ok","difference":"0.00"}`.
extension InvoiceCheck: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("rule", rule.rawValue)
      json.field("verdict", verdict.rawValue)
      json.field("difference", difference?.description)
    }
  }
}
