/// Checks the arithmetic of an invoice, and some of its texts.
///
/// Source of the rules: EN 16931-1, as its validation artefacts state them (`EN16931-model.sch` in the European
/// Commission's repository eInvoicing-EN16931). These demand equality, and for BR-CO-17 a difference below one unit
/// of the currency. The tolerances here are our choice: whoever reads printed documents meets sums of rounded lines,
/// so what is added up over lines may be off by 0.01 for each line, and taxes by 0.01 for each row. What is made of
/// two or three stated totals (BR-CO-15 and BR-CO-16) must be exact.
///
/// A credit note may have all its amounts negative; the rules are the same.
package enum InvoiceChecks {
  /// One result for each rule, in the order of ``InvoiceCheck/Rule``.
  package static func all(of fields: InvoiceFields) -> [InvoiceCheck] {
    InvoiceCheck.Rule.allCases.map { rule in
      do throws(Inapplicable) {
        return try check(rule, fields)
      } catch {
        return InvoiceCheck(rule, .notApplicable, detail: error.reason)
      }
    }
  }

  private static func check(
    _ rule: InvoiceCheck.Rule, _ fields: InvoiceFields
  ) throws(Inapplicable) -> InvoiceCheck {
    switch rule {
    case .linesNetTotal: try linesNetTotal(fields)
    case .totalNet: try totalNet(fields)
    case .totalTax: try totalTax(fields)
    case .totalGross: try totalGross(fields)
    case .amountDue: try amountDue(fields)
    case .taxRows: try taxRows(fields)
    case .paymentTerms: try paymentTerms(fields)
    case .vatPrefixes: try vatPrefixes(fields)
    case .dates: try dates(fields)
    case .iban: try iban(fields)
    case .currency: try currency(fields)
    }
  }

  /// Why a rule asks nothing of an invoice.
  struct Inapplicable: Error {
    let reason: String

    static func missing(_ place: String) -> Inapplicable {
      Inapplicable(reason: "\(place) is not known")
    }
  }
}
