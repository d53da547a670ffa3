// The rules that compare amounts.

extension InvoiceChecks {
  /// BT-106 = Σ BT-131.
  static func linesNetTotal(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    let total = try known(fields.linesNetTotal, "lines_net_total")
    return compare(
      .linesNetTotal, "lines_net_total", total, try lineNets(fields),
      tolerance: fields.lines.count)
  }

  /// BT-109 = Σ BT-131 − BT-107 + BT-108, where no allowance and no charge are 0.
  static func totalNet(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    let total = try known(fields.totalNet, "total_net")
    let expected = try lineNets(fields)?
      .subtracting(fields.allowanceTotal ?? .zero)?.adding(fields.chargeTotal ?? .zero)
    return compare(.totalNet, "total_net", total, expected, tolerance: fields.lines.count)
  }

  /// BT-110 = Σ BT-117.
  static func totalTax(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    let total = try known(fields.totalTax, "total_tax")
    let rows = fields.taxBreakdown
    return compare(
      .totalTax, "total_tax", total, try sum(rows.map(\.amount), "tax_breakdown", "amount"),
      tolerance: rows.count)
  }

  /// BT-112 = BT-109 + BT-110.
  static func totalGross(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    let total = try known(fields.totalGross, "total_gross")
    let net = try known(fields.totalNet, "total_net")
    let tax = try known(fields.totalTax, "total_tax")
    return compare(.totalGross, "total_gross", total, net.adding(tax), tolerance: 0)
  }

  /// BT-115 = BT-112 − BT-113 + BT-114, where nothing paid and no rounding are 0.
  static func amountDue(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    let due = try known(fields.amountDue, "amount_due")
    let gross = try known(fields.totalGross, "total_gross")
    let expected = gross.subtracting(fields.amountPaid ?? .zero)?
      .adding(fields.rounding ?? .zero)
    return compare(.amountDue, "amount_due", due, expected, tolerance: 0)
  }

  /// BT-117 = BT-116 × BT-119 ÷ 100, rounded to two decimals, in each row that has all three.
  static func taxRows(_ fields: InvoiceFields) throws(Inapplicable) -> InvoiceCheck {
    var worst: InvoiceCheck?
    for (index, row) in fields.taxBreakdown.enumerated() {
      guard let base = row.base, let rate = row.rate, let amount = row.amount else { continue }
      let expected = base.multiplied(by: rate)?.multiplied(by: .hundredths(1))?.rounded(to: 2)
      let check = compare(
        .taxRows, "tax_breakdown[\(index)].amount", amount, expected, tolerance: 1)
      if worst.map({ isWorse(check, than: $0) }) ?? true { worst = check }
    }
    guard let worst else { throw .missing("a row of tax_breakdown with base, rate and amount") }
    return worst
  }

  // MARK: - Comparing

  /// - Parameters:
  ///   - expected: nil if it does not fit; then the check fails.
  ///   - tolerance: how many hundredths the two may be apart.
  private static func compare(
    _ rule: InvoiceCheck.Rule, _ place: String, _ stated: ExactDecimal, _ expected: ExactDecimal?,
    tolerance: Int
  ) -> InvoiceCheck {
    guard let expected, let difference = stated.subtracting(expected) else {
      return InvoiceCheck(
        rule, .failed, detail: "\(place): the numbers have too many digits to be compared exactly")
    }
    let limit = ExactDecimal.hundredths(tolerance)
    let isWithin = (ExactDecimal.hundredths(-tolerance)...limit).contains(difference)
    return InvoiceCheck(
      rule, isWithin ? .ok : .failed, difference: difference,
      detail: "\(place) is \(stated), and \(expected) is expected; "
        + (tolerance == 0 ? "they must be equal" : "they may be \(limit) apart"))
  }

  /// Whether a row is off by more than another. What cannot be compared is worst.
  private static func isWorse(_ check: InvoiceCheck, than other: InvoiceCheck) -> Bool {
    guard let old = other.difference.flatMap(magnitude) else { return false }
    guard let new = check.difference.flatMap(magnitude) else { return true }
    return new > old
  }

  /// The difference without its sign; nil if that does not fit.
  private static func magnitude(_ difference: ExactDecimal) -> ExactDecimal? {
    difference < .zero ? ExactDecimal.zero.subtracting(difference) : difference
  }

  // MARK: - Inputs

  private static func known(
    _ amount: ExactDecimal?, _ place: String
  ) throws(Inapplicable) -> ExactDecimal {
    guard let amount else { throw .missing(place) }
    return amount
  }

  private static func lineNets(_ fields: InvoiceFields) throws(Inapplicable) -> ExactDecimal? {
    try sum(fields.lines.map(\.net), "lines", "net")
  }

  /// The sum of a column, of which every row must be known; nil if it does not fit.
  private static func sum(
    _ column: [ExactDecimal?], _ array: String, _ name: String
  ) throws(Inapplicable) -> ExactDecimal? {
    guard !column.isEmpty else { throw .missing(array) }
    var amounts: [ExactDecimal] = []
    for (index, amount) in column.enumerated() {
      amounts.append(try known(amount, "\(array)[\(index)].\(name)"))
    }
    return ExactDecimal.sum(amounts)
  }
}
