import JSONText

/// What a model is asked to find in an invoice, a credit note or a receipt.
///
/// The members follow the semantic model of EN 16931-1; the terms are named beside them. Every amount is asked for as
/// decimal text: a model that writes a JSON number may pass through binary fractions.
package enum InvoiceSchema {
  package static let name = "invoice"
  /// Another one for every change of the schema or of the prompt, as both decide what an answer says.
  package static let version = "1"

  /// The schema as a model is sent it, in the OpenAPI subset of `generationConfig.responseSchema`: bytes of JSON.
  package static let responseSchema: [UInt8] = {
    var json = JSONWriter(capacity: 8_192)
    json.object { json in document.writeObject(to: &json, nil) }
    return json.bytes
  }()

  // MARK: - Members, in the order in which they are asked for and written

  static let document: [InvoiceSchemaMember] = [
    .init(
      "document_type", "What the document is.",
      .word(InvoiceFields.DocumentType.allCases.map(\.rawValue))),
    // BT-1, BT-2, BT-9, BT-73, BT-74, BT-5
    .init("invoice_number", "Number of the invoice, credit note or receipt."),
    .init("issue_date", "Date of issue, YYYY-MM-DD."),
    .init("due_date", "Date by which payment is due, YYYY-MM-DD."),
    .init("period_start", "First day of the invoiced period, YYYY-MM-DD."),
    .init("period_end", "Last day of the invoiced period, YYYY-MM-DD."),
    .init("currency", "ISO 4217 code of the amounts, such as EUR."),
    // BG-4, BG-7
    .init("supplier", "Who issued the document.", .object(supplier)),
    .init("customer", "Whom it is addressed to.", .object(customer)),
    // BT-13, BT-20, BG-17
    .init("purchase_order", "The customer's order number."),
    .init("payment_terms", "Terms of payment, as written."),
    .init("payment", "Account that is to be paid to.", .object(payment)),
    // BT-106, BT-107, BT-108
    .init("lines_net_total", "Sum of the lines without tax, as printed."),
    .init("allowance_total", "Discounts on the whole document without tax. Not those of lines."),
    .init("charge_total", "Charges on the whole document without tax, such as freight."),
    // BT-109, BT-110, BT-112
    .init("total_net", "Total without tax."),
    .init("total_tax", "Total of the tax."),
    .init("total_gross", "Total with tax."),
    // BT-113, BT-114, BT-115
    .init("amount_paid", "Already paid, such as a deposit."),
    .init("rounding", "Rounding of the amount due, with its sign."),
    .init("amount_due", "What is still to be paid."),
    .init("tax_breakdown", "One for each tax rate and category.", .list(taxRow)),
    .init("lines", "Each item or service, in the order of the document.", .list(line)),
  ]

  // BT-27, BT-31, BG-5
  static let supplier: [InvoiceSchemaMember] = [
    .init("name", "Name of the company or person."),
    .init("vat_id", "VAT number with its country code, such as DE123456789."),
    .init("address", "Postal address on one line, parts separated by commas."),
  ]

  // BT-44, BT-48
  static let customer: [InvoiceSchemaMember] = [
    .init("name", "Name of the company or person."),
    .init("vat_id", "VAT number with its country code, such as DE123456789."),
  ]

  // BT-84, BT-86
  static let payment: [InvoiceSchemaMember] = [
    .init("iban", "IBAN of the account."),
    .init("bic", "BIC (SWIFT code) of the bank."),
  ]

  // BG-23: BT-116, BT-117, BT-118, BT-119
  static let taxRow: [InvoiceSchemaMember] = [
    .init("base", "Amount that is taxed, without tax."),
    .init("amount", "Tax on it."),
    .init(
      "category",
      "Code: S taxed, Z zero rate, E exempt, AE reverse charge, K within the EU, G export,"
        + " O none."),
    .init("rate", "Rate in percent without a percent sign, such as 19."),
  ]

  // BG-25: BT-126, BT-153, the code of the product, BT-129, BT-130, BT-146, BT-131, BT-152, BT-151. A document may have
  // hundreds of lines, and each null in an answer is paid for: what a line does not say may be left out.
  static let line: [InvoiceSchemaMember] = [
    .init("id", "Number or position of the line.", isRequired: false),
    .init("description", "Name of the item or service."),
    .init("product_code", "Article number, SKU or GTIN.", isRequired: false),
    .init("quantity", "Quantity.", isRequired: false),
    .init("unit", "Unit of the quantity, as written.", isRequired: false),
    .init("unit_price", "Price of one unit without tax.", isRequired: false),
    .init("net", "Total of the line without tax, after its discounts."),
    .init("tax_rate", "Rate in percent without a percent sign.", isRequired: false),
    .init("tax_category", "Category as in tax_breakdown.", isRequired: false),
  ]
}
