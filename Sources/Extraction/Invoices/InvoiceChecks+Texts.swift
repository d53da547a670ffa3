import TollbookEvents

// The rules that look at dates, numbers of accounts and the like. Details quote no names and no such numbers.

extension InvoiceChecks {
  /// If BT-115 is above 0, there is a due date (BT-9) or there are terms of payment (BT-20).
  static func paymentTerms(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    guard let due = fields.amountDue else { throw .missing("amount_due") }
    guard due.isPositive else { throw Inapplicable(reason: "amount_due is \(due): nothing is due") }
    let isSaid = fields.dueDate != nil || fields.paymentTerms != nil
    return InvoiceCheck(
      .paymentTerms, isSaid ? .ok : .failed,
      detail: isSaid
        ? "due_date or payment_terms say when amount_due is to be paid"
        : "amount_due is \(due), and neither due_date nor payment_terms say when it is to be paid")
  }

  /// BT-31 and BT-48 begin with the code of a country.
  static func vatPrefixes(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    let numbers = [
      ("supplier.vat_id", fields.supplier.vatID), ("customer.vat_id", fields.customer.vatID),
    ].compactMap { place, number in number.map { (place: place, number: $0) } }
    guard !numbers.isEmpty else { throw .missing("a VAT number") }
    let wrong = numbers.filter { !VATPrefixes.begin($0.number) }.map(\.place)
    return InvoiceCheck(
      .vatPrefixes, wrong.isEmpty ? .ok : .failed,
      detail: wrong.isEmpty
        ? "VAT numbers begin with the code of a country"
        : "\(wrong.joined(separator: " and ")): no code of a country at the beginning")
  }

  static func dates(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    let pairs = [
      ("issue_date", fields.issueDate, "due_date", fields.dueDate),
      ("period_start", fields.periodStart, "period_end", fields.periodEnd),
    ].compactMap { first, start, second, end -> (isWrong: Bool, text: String)? in
      guard let start, let end else { return nil }
      return (start > end, "\(second) \(end) is before \(first) \(start)")
    }
    guard !pairs.isEmpty else { throw .missing("a pair of dates that follow one another") }
    let wrong = pairs.filter(\.isWrong).map(\.text)
    return InvoiceCheck(
      .dates, wrong.isEmpty ? .ok : .failed,
      detail: wrong.isEmpty ? "dates follow one another" : wrong.joined(separator: ", "))
  }

  static func iban(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    guard let iban = fields.payment.iban else { throw .missing("payment.iban") }
    let isValid = IBAN.isValid(iban)
    return InvoiceCheck(
      .iban, isValid ? .ok : .failed,
      detail: isValid
        ? "the check digits of payment.iban are right"
        : "payment.iban is no account number, or its check digits are wrong")
  }

  static func currency(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    guard let currency = fields.currency else { throw .missing("currency") }
    let isListed = CurrencyCodes.contains(currency)
    let code = currency.inOneLine(atMost: 3)
    return InvoiceCheck(
      .currency, isListed ? .ok : .failed,
      detail: "\(code) is \(isListed ? "" : "not ")on the list of ISO 4217")
  }
}
