/// Makes up what stands in an invoice. Names, streets and numbers are plainly invented; IBANs are examples that banks
/// publish.
struct InvoiceInvention: Sendable {
  /// A line in hundredths.
  struct Line: Sendable, Hashable {
    let description: String
    let productCode: String
    /// Hundredths of the unit.
    let quantity: Int
    let unit: String
    /// Cents.
    let unitPrice: Int
    /// Hundredths of a per cent.
    let rate: Int

    /// Cents, exactly: where a quantity is not whole, its price is even.
    var net: Int { quantity * unitPrice / 100 }

    func drawn(id: Int) -> DrawnInvoice.Line {
      DrawnInvoice.Line(
        id: String(id), description: description, productCode: productCode,
        quantity: quantity % 100 == 0 ? String(quantity / 100) : Cents.text(quantity), unit: unit,
        unitPrice: Cents.text(unitPrice), net: Cents.text(net), taxRate: Cents.text(rate),
        taxCategory: rate == 0 ? "Z" : "S")
    }
  }

  let invoiceNumber: String
  let type: DrawnInvoice.DocumentType
  let issueDate: String
  let dueDate: String?
  let currency: String
  let supplier: DrawnInvoice.Supplier
  let customer: DrawnInvoice.Customer
  let purchaseOrder: String?
  let paymentTerms: String?
  let payment: DrawnInvoice.Payment?
  let lines: [Line]
  let sums: InvoiceSums

  init(number: Int, seed: UInt64, wrongSum: Bool) {
    var numbers = SeededNumbers("invoice", salt: number)
    numbers = SeededNumbers(seed: numbers.next() ^ seed)
    let land = numbers.pick(Self.lands)
    let kind = numbers.below(10)
    let type: DrawnInvoice.DocumentType =
      kind < 7 ? .invoice : kind < 9 ? .receipt : .creditNote
    self.type = type
    currency = land.currency
    let mark = type == .creditNote ? "CN" : type == .receipt ? "RC" : "INV"
    let digits = String(number.magnitude % 1_000_000)
    invoiceNumber =
      "\(mark)-2026-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits)"
    supplier = DrawnInvoice.Supplier(
      name: "Sample Supplier \(numbers.within(1...40)) \(land.form)",
      vatID: "\(land.code)000\(numbers.within(100_000...999_999))",
      address: "\(numbers.within(1...199)) \(numbers.pick(Self.streets)), "
        + "\(numbers.within(10...99))000 Exampletown, \(land.code)")
    customer = DrawnInvoice.Customer(
      name: "Example Customer \(numbers.within(1...90)) \(land.form)",
      vatID: numbers.chance(70) ? "\(land.code)000\(numbers.within(100_000...999_999))" : nil)

    let day = numbers.below(330)
    let days = numbers.pick([14, 30, 45])
    issueDate = Self.date(dayOfYear: day)
    dueDate = type == .invoice ? Self.date(dayOfYear: day + days) : nil
    purchaseOrder = numbers.chance(50) ? "PO-\(numbers.within(1000...9999))" : nil
    switch type {
    case .invoice: paymentTerms = "Net \(days) days"
    case .creditNote: paymentTerms = "Taken off the next invoice"
    case .receipt: paymentTerms = nil
    }
    payment =
      type == .invoice
      ? DrawnInvoice.Payment(iban: land.iban, bic: "TEST\(land.code)00XXX") : nil

    // One in eight is long enough for a second page.
    let count = numbers.chance(12) ? numbers.within(20...32) : numbers.within(1...9)
    lines = (0..<count).map { _ in Self.line(rates: land.rates, &numbers) }
    sums = InvoiceSums(
      lines: lines, isPaid: type == .receipt, roundsToFive: land.currency == "CHF",
      wrongSum: wrongSum, &numbers)
  }

  private static func line(rates: [Int], _ numbers: inout SeededNumbers) -> Line {
    let good = numbers.pick(goods)
    let isWhole = good.unit != "HUR" && good.unit != "KGM" || numbers.chance(60)
    let quantity = isWhole ? 100 * numbers.within(1...24) : 50 * numbers.within(1...40)
    let price = numbers.within(good.prices)
    return Line(
      description: good.name, productCode: "\(good.code)-\(numbers.within(100...999))",
      quantity: quantity, unit: good.unit, unitPrice: isWhole ? price : price / 2 * 2,
      rate: numbers.chance(75) ? rates[0] : numbers.pick(rates))
  }

  // MARK: Words

  /// What invoices of a country have in common.
  private struct Land: Sendable {
    let code: String
    let currency: String
    let form: String
    /// Hundredths of a per cent, the usual one first.
    let rates: [Int]
    let iban: String
  }

  private static let lands = [
    Land(
      code: "DE", currency: "EUR", form: "GmbH", rates: [1900, 700, 0],
      iban: "DE89370400440532013000"),
    Land(
      code: "GB", currency: "GBP", form: "Ltd.", rates: [2000, 500, 0],
      iban: "GB82WEST12345698765432"),
    Land(
      code: "FR", currency: "EUR", form: "SARL", rates: [2000, 550, 0],
      iban: "FR1420041010050500013M02606"),
    Land(
      code: "CH", currency: "CHF", form: "AG", rates: [810, 260, 0],
      iban: "CH9300762011623852957"),
  ]

  private static let streets = [
    "Sample Street", "Example Road", "Placeholder Lane", "Test Square", "Specimen Avenue",
  ]

  private struct Good: Sendable {
    let name: String
    let code: String
    /// A code of UN/ECE Recommendation 20.
    let unit: String
    /// Cents.
    let prices: ClosedRange<Int>
  }

  private static let goods = [
    Good(name: "Copy paper A4, 500 sheets", code: "PAP", unit: "H87", prices: 289...749),
    Good(name: "Envelopes C5, box of 100", code: "ENV", unit: "H87", prices: 499...1299),
    Good(name: "Ball pens, blue, pack of 10", code: "PEN", unit: "H87", prices: 199...999),
    Good(name: "Ring binder, 80 mm", code: "BIN", unit: "H87", prices: 179...459),
    Good(name: "Desk lamp, adjustable", code: "LMP", unit: "H87", prices: 1990...8990),
    Good(name: "Office chair, height adjustable", code: "CHR", unit: "H87", prices: 8900...39_900),
    Good(name: "Coffee beans, roasted", code: "COF", unit: "KGM", prices: 1190...2490),
    Good(name: "Consulting, on site", code: "CON", unit: "HUR", prices: 7500...16_000),
    Good(name: "Repair and maintenance", code: "REP", unit: "HUR", prices: 4500...9800),
    Good(name: "Network cable, 5 m", code: "CAB", unit: "H87", prices: 349...1499),
    Good(name: "USB hub, 4 ports", code: "USB", unit: "H87", prices: 1290...3990),
    Good(name: "Printed book, hardcover", code: "BOK", unit: "H87", prices: 990...4900),
  ]

  /// A day of 2026, counted from 0, or of the year after.
  private static func date(dayOfYear day: Int) -> String {
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var rest = day % 365
    var month = 0
    while rest >= lengths[month] {
      rest -= lengths[month]
      month += 1
    }
    func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(2026 + day / 365)-\(twoDigits(month + 1))-\(twoDigits(rest + 1))"
  }
}
