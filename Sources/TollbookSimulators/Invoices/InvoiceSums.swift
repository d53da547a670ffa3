/// The sums of an invoice in cents, by the rules of EN 16931:
///
/// * BR-CO-10: lines = sum of the nets of lines
/// * BR-CO-13: net = lines - allowance + charge
/// * BR-CO-14: tax = sum of the amounts of the breakdown
/// * BR-CO-15: gross = net + tax
/// * BR-CO-16: due = gross - paid + rounding
/// * BR-CO-17: amount of a breakdown = base * rate / 100, rounded to cents
struct InvoiceSums: Sendable, Hashable {
  /// One rate of the breakdown.
  struct Tax: Sendable, Hashable {
    /// Hundredths of a per cent.
    let rate: Int
    var base: Int

    /// Half a cent is rounded away from zero.
    var amount: Int {
      let product = base * rate
      return (product + (product < 0 ? -5000 : 5000)) / 10_000
    }

    var drawn: DrawnInvoice.Tax {
      DrawnInvoice.Tax(
        base: Cents.text(base), amount: Cents.text(amount), category: rate == 0 ? "Z" : "S",
        rate: Cents.text(rate))
    }
  }

  let lines: Int
  let allowance: Int
  let charge: Int
  let net: Int
  let tax: Int
  let gross: Int
  let paid: Int
  let rounding: Int
  let due: Int
  let taxes: [Tax]

  /// Sums lines up; whether there is an allowance, a charge or a payment already, chance decides.
  init(
    lines all: [InvoiceInvention.Line], isPaid: Bool, roundsToFive: Bool, wrongSum: Bool,
    _ numbers: inout SeededNumbers
  ) {
    lines = all.reduce(0) { $0 + $1.net }
    var bases: [Int: Int] = [:]
    for line in all { bases[line.rate, default: 0] += line.net }
    let mainRate = bases.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? 0
    allowance = numbers.chance(30) ? bases[mainRate, default: 0] / numbers.pick([20, 33, 50]) : 0
    charge = numbers.chance(30) ? numbers.pick([490, 690, 1250]) : 0
    // Both belong to the rate under which most is sold.
    bases[mainRate, default: 0] += charge - allowance
    taxes = bases.sorted { $0.key > $1.key }.map { Tax(rate: $0.key, base: $0.value) }
    net = lines - allowance + charge
    tax = taxes.reduce(0) { $0 + $1.amount }
    gross = wrongSum ? Self.swapped(net + tax) : net + tax
    let advance = numbers.chance(15) ? gross / 4 : 0
    let rest = (gross - advance) % 5
    rounding = isPaid || !roundsToFive ? 0 : rest < 3 ? -rest : 5 - rest
    paid = isPaid ? gross : advance
    due = gross - paid + rounding
  }

  /// An amount with two digits that stand side by side in each other's place: the first two that differ and leave no
  /// zero in front. An amount of equal digits alone, or none, becomes 90 cents more.
  static func swapped(_ amount: Int) -> Int {
    var digits = Array(String(amount.magnitude).utf8)
    for index in digits.indices.dropLast() where digits[index] != digits[index + 1] {
      if index == 0 && digits[1] == UInt8(ascii: "0") { continue }
      digits.swapAt(index, index + 1)
      let swapped = Int(String(decoding: digits, as: UTF8.self)) ?? amount + 90
      return amount < 0 ? -swapped : swapped
    }
    return amount + 90
  }
}
