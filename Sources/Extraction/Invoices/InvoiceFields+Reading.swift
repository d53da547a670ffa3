package import JSONText

// A model's answer is text from outside, and what it was made of is too: a document can talk a model into anything. So
// the answer is read strictly, and the first thing that the schema does not have ends it.

extension InvoiceFields {
  /// The longest answer that is read, in bytes.
  package static let maximumBytes = 4 << 20

  /// Reads the text that a model answered: one JSON object and nothing around it.
  ///
  /// - Throws: the first member that is wrong, and what is wrong with it.
  package init(text: [UInt8]) throws(InvoiceFault) {
    guard text.count <= Self.maximumBytes else {
      throw InvoiceFault(.tooLong(limit: Self.maximumBytes), at: "")
    }
    let document: JSONDocument
    do throws(JSONError) {
      // Three levels are needed; with more a wrong type is named by its place.
      document = try JSONDocument(text, maximumDepth: 8, maximumValues: 1 << 17)
    } catch {
      throw InvoiceFault(.notJSON(error), at: "")
    }
    try self.init(json: document.root)
  }

  /// Reads the object that a model answered. Every member may be missing or null. A text is put on one line without
  /// control characters, and one of blanks alone is nil; an amount may be a JSON number, which keeps its digits.
  ///
  /// - Throws: the first member that is wrong, and what is wrong with it.
  package init(json: JSONValue) throws(InvoiceFault) {
    self.init()
    let json = try InvoiceJSON(json, members: InvoiceSchema.document)
    documentType = try json.documentType("document_type")
    invoiceNumber = try json.text("invoice_number")
    issueDate = try json.day("issue_date")
    dueDate = try json.day("due_date")
    periodStart = try json.day("period_start")
    periodEnd = try json.day("period_end")
    currency = try json.currency("currency")
    supplier = try Supplier(json.object("supplier", members: InvoiceSchema.supplier))
    customer = try Customer(json.object("customer", members: InvoiceSchema.customer))
    purchaseOrder = try json.text("purchase_order")
    paymentTerms = try json.text("payment_terms")
    payment = try Payment(json.object("payment", members: InvoiceSchema.payment))
    try readTotals(json)
    for row in try json.objects(
      "tax_breakdown", members: InvoiceSchema.taxRow, limit: Self.maximumTaxRows)
    {
      taxBreakdown.append(try TaxRow(row))
    }
    for line in try json.objects("lines", members: InvoiceSchema.line, limit: Self.maximumLines) {
      lines.append(try Line(line))
    }
  }

  private mutating func readTotals(_ json: InvoiceJSON) throws(InvoiceFault) {
    linesNetTotal = try json.amount("lines_net_total")
    allowanceTotal = try json.amount("allowance_total")
    chargeTotal = try json.amount("charge_total")
    totalNet = try json.amount("total_net")
    totalTax = try json.amount("total_tax")
    totalGross = try json.amount("total_gross")
    amountPaid = try json.amount("amount_paid")
    rounding = try json.amount("rounding")
    amountDue = try json.amount("amount_due")
  }
}

extension InvoiceFields.Supplier {
  fileprivate init(_ json: InvoiceJSON?) throws(InvoiceFault) {
    self.init()
    name = try json?.text("name")
    vatID = try json?.text("vat_id")
    address = try json?.text("address")
  }
}

extension InvoiceFields.Customer {
  fileprivate init(_ json: InvoiceJSON?) throws(InvoiceFault) {
    self.init()
    name = try json?.text("name")
    vatID = try json?.text("vat_id")
  }
}

extension InvoiceFields.Payment {
  fileprivate init(_ json: InvoiceJSON?) throws(InvoiceFault) {
    self.init()
    iban = try json?.text("iban")
    bic = try json?.text("bic")
  }
}

extension InvoiceFields.TaxRow {
  fileprivate init(_ json: InvoiceJSON) throws(InvoiceFault) {
    self.init()
    base = try json.amount("base")
    amount = try json.amount("amount")
    category = try json.text("category")
    rate = try json.amount("rate")
  }
}

extension InvoiceFields.Line {
  fileprivate init(_ json: InvoiceJSON) throws(InvoiceFault) {
    self.init()
    id = try json.text("id")
    description = try json.text("description")
    productCode = try json.text("product_code")
    quantity = try json.amount("quantity")
    unit = try json.text("unit")
    unitPrice = try json.amount("unit_price")
    net = try json.amount("net")
    taxRate = try json.amount("tax_rate")
    taxCategory = try json.text("tax_category")
  }
}
