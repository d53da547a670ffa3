/// An invoice that was made up: everything that a reader may find in it. Its drawing is made by ``InvoiceDrawing``.
///
/// Amounts are decimal texts with two decimals. The names of the fields in JSON are those of `json`; what they mean in
/// EN 16931 stands beside the totals.
package struct DrawnInvoice: Sendable, Hashable {
  /// What kind of document it is.
  package enum DocumentType: String, Sendable, Hashable, CaseIterable {
    case invoice
    case creditNote = "credit_note"
    case receipt
  }

  /// Who sells.
  package struct Supplier: Sendable, Hashable {
    package var name: String
    package var vatID: String?
    package var address: String?
  }

  /// Who buys.
  package struct Customer: Sendable, Hashable {
    package var name: String
    package var vatID: String?
  }

  /// Where to pay.
  package struct Payment: Sendable, Hashable {
    package var iban: String
    package var bic: String?
  }

  /// The tax of one category and rate.
  package struct Tax: Sendable, Hashable {
    /// BT-116.
    package var base: String
    /// BT-117.
    package var amount: String
    /// BT-118: `S` for a standard or reduced rate, `Z` for none.
    package var category: String
    /// BT-119, in per cent.
    package var rate: String
  }

  /// One line.
  package struct Line: Sendable, Hashable {
    package var id: String
    package var description: String
    package var productCode: String?
    package var quantity: String
    package var unit: String
    package var unitPrice: String
    /// BT-131.
    package var net: String
    package var taxRate: String
    package var taxCategory: String
  }

  package var invoiceNumber: String
  package var documentType: DocumentType
  /// As `2026-11-30`, like all dates.
  package var issueDate: String
  package var dueDate: String?
  /// ISO 4217.
  package var currency: String
  package var supplier: Supplier
  package var customer: Customer
  package var purchaseOrder: String?
  package var paymentTerms: String?
  package var payment: Payment?
  /// BT-106.
  package var linesNetTotal: String
  /// BT-107.
  package var allowanceTotal: String
  /// BT-108.
  package var chargeTotal: String
  /// BT-109.
  package var totalNet: String
  /// BT-110.
  package var totalTax: String
  /// BT-112.
  package var totalGross: String
  /// BT-113.
  package var amountPaid: String
  /// BT-114.
  package var rounding: String
  /// BT-115.
  package var amountDue: String
  /// BG-23.
  package var taxBreakdown: [Tax]
  package var lines: [Line]
  /// Drawn at the foot and no field of the invoice. Somebody may have put an instruction to the reader there.
  package var note: String?
  /// The rule of EN 16931 that was broken on purpose; nil if all sums are right.
  package let brokenRule: String?

  /// Makes up an invoice: the same numbers give the same invoice.
  ///
  /// - Parameters:
  ///   - number: which of the invoices of a seed; it stands in the invoice number
  ///   - wrongSum: two digits of the gross total change places, and what is due follows from that: BR-CO-15 fails and
  ///     no other rule
  package init(number: Int, seed: UInt64, wrongSum: Bool = false) {
    let made = InvoiceInvention(number: number, seed: seed, wrongSum: wrongSum)
    invoiceNumber = made.invoiceNumber
    documentType = made.type
    issueDate = made.issueDate
    dueDate = made.dueDate
    currency = made.currency
    supplier = made.supplier
    customer = made.customer
    purchaseOrder = made.purchaseOrder
    paymentTerms = made.paymentTerms
    payment = made.payment
    let sums = made.sums
    linesNetTotal = Cents.text(sums.lines)
    allowanceTotal = Cents.text(sums.allowance)
    chargeTotal = Cents.text(sums.charge)
    totalNet = Cents.text(sums.net)
    totalTax = Cents.text(sums.tax)
    totalGross = Cents.text(sums.gross)
    amountPaid = Cents.text(sums.paid)
    rounding = Cents.text(sums.rounding)
    amountDue = Cents.text(sums.due)
    taxBreakdown = sums.taxes.map(\.drawn)
    lines = made.lines.enumerated().map { $1.drawn(id: $0 + 1) }
    brokenRule = wrongSum ? "BR-CO-15" : nil
  }
}

/// Amounts in hundredths and as text.
enum Cents {
  /// `-1234` is `-12.34`.
  static func text(_ cents: Int) -> String {
    let fraction = String(cents.magnitude % 100 + 100).dropFirst()
    return "\(cents < 0 ? "-" : "")\(cents.magnitude / 100).\(fraction)"
  }
}
