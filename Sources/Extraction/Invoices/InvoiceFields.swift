package import TollbookEvents

/// What a model found in an invoice, a credit note or a receipt: the members of ``InvoiceSchema``. Nil is what the
/// document does not say.
package struct InvoiceFields: Hashable, Sendable {
  package enum DocumentType: String, CaseIterable, Hashable, Sendable {
    case invoice
    case creditNote = "credit_note"
    case receipt
  }

  package struct Supplier: Hashable, Sendable {
    package var name: String?
    package var vatID: String?
    package var address: String?

    package init() {}
  }

  package struct Customer: Hashable, Sendable {
    package var name: String?
    package var vatID: String?

    package init() {}
  }

  package struct Payment: Hashable, Sendable {
    package var iban: String?
    package var bic: String?

    package init() {}
  }

  /// The tax of one rate and category.
  package struct TaxRow: Hashable, Sendable {
    package var base: ExactDecimal?
    package var amount: ExactDecimal?
    package var category: String?
    /// In percent.
    package var rate: ExactDecimal?

    package init() {}
  }

  /// One item or service.
  package struct Line: Hashable, Sendable {
    package var id: String?
    package var description: String?
    package var productCode: String?
    package var quantity: ExactDecimal?
    package var unit: String?
    package var unitPrice: ExactDecimal?
    package var net: ExactDecimal?
    /// In percent.
    package var taxRate: ExactDecimal?
    package var taxCategory: String?

    package init() {}
  }

  /// The longest text that is read, in bytes.
  package static let maximumTextBytes = 2_000
  package static let maximumLines = 1_000
  package static let maximumTaxRows = 100

  package var documentType: DocumentType?
  package var invoiceNumber: String?
  package var issueDate: CalendarDay?
  package var dueDate: CalendarDay?
  package var periodStart: CalendarDay?
  package var periodEnd: CalendarDay?
  /// Three capitals.
  package var currency: String?
  package var supplier = Supplier()
  package var customer = Customer()
  package var purchaseOrder: String?
  package var paymentTerms: String?
  package var payment = Payment()
  package var linesNetTotal: ExactDecimal?
  package var allowanceTotal: ExactDecimal?
  package var chargeTotal: ExactDecimal?
  package var totalNet: ExactDecimal?
  package var totalTax: ExactDecimal?
  package var totalGross: ExactDecimal?
  package var amountPaid: ExactDecimal?
  package var rounding: ExactDecimal?
  package var amountDue: ExactDecimal?
  package var taxBreakdown: [TaxRow] = []
  package var lines: [Line] = []

  package init() {}
}
