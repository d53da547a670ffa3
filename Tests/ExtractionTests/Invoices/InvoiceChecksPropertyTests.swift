import Extraction
import Testing
import TollbookTestSupport

@Suite struct InvoiceChecksPropertyTests {
  /// An amount of an invoice, by how many hundredths its rules let it be off at most, and which rules these are.
  private struct Change {
    let name: String
    let path: WritableKeyPath<InvoiceFields, ExactDecimal?>
    let rules: [InvoiceCheck.Rule: Int]
  }

  private static func changes(_ fields: InvoiceFields, line: Int, row: Int) -> [Change] {
    let (lines, rows) = (fields.lines.count, fields.taxBreakdown.count)
    return [
      Change(name: "lines_net_total", path: \.linesNetTotal, rules: [.linesNetTotal: lines]),
      Change(name: "allowance_total", path: \.allowanceTotal, rules: [.totalNet: lines]),
      Change(name: "charge_total", path: \.chargeTotal, rules: [.totalNet: lines]),
      Change(name: "total_net", path: \.totalNet, rules: [.totalNet: lines, .totalGross: 0]),
      Change(name: "total_tax", path: \.totalTax, rules: [.totalTax: rows, .totalGross: 0]),
      Change(name: "total_gross", path: \.totalGross, rules: [.totalGross: 0, .amountDue: 0]),
      Change(name: "amount_paid", path: \.amountPaid, rules: [.amountDue: 0]),
      Change(name: "rounding", path: \.rounding, rules: [.amountDue: 0]),
      Change(name: "amount_due", path: \.amountDue, rules: [.amountDue: 0]),
      Change(
        name: "lines[\(line)].net", path: \.lines[line].net,
        rules: [.linesNetTotal: lines, .totalNet: lines]),
      Change(
        name: "tax_breakdown[\(row)].amount", path: \.taxBreakdown[row].amount,
        rules: [.totalTax: rows, .taxRows: 1]),
    ]
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `made invoices pass, and an amount that is off fails exactly the rules that use it`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    let fields = InvoiceSamples.made(&random)
    let arithmetic: [InvoiceCheck.Rule] = [
      .linesNetTotal, .totalNet, .totalTax, .totalGross, .amountDue, .taxRows,
    ]
    for check in InvoiceChecks.all(of: fields) where arithmetic.contains(check.rule) {
      #expect(check.verdict == .ok, "seed \(seed): \(check.detail)")
      #expect(check.difference == .zero, "seed \(seed): \(check.detail)")
    }
    #expect(InvoiceChecks.all(of: fields).failed.isEmpty, "seed \(seed)")
    let line = random.int(0...fields.lines.count - 1)
    let row = random.int(0...fields.taxBreakdown.count - 1)
    for change in Self.changes(fields, line: line, row: row) {
      let sign = random.chance(50) ? 1 : -1
      // At the edge of each tolerance, and a cent beyond it.
      for (cents, limits) in change.rules.values.sorted().flatMap({ [($0, $0), ($0 + 1, $0)] }) {
        var changed = fields
        let old = changed[keyPath: change.path] ?? .zero
        let new: ExactDecimal = try #require(old.adding(.hundredths(sign * cents)))
        changed[keyPath: change.path] = new
        let expected = Set(change.rules.filter { cents > $0.value }.keys)
        #expect(
          InvoiceChecks.all(of: changed).failed == expected,
          "seed \(seed): \(change.name) by \(sign * cents) cents, where \(limits) are allowed")
      }
    }
  }
}
