package import JSONText
import TollbookEvents

/// As the object that ``InvoiceSchema`` describes, every member in its order: amounts as decimal text, null for what is
/// not known, texts on one line without control characters.
extension InvoiceFields: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.text("document_type", documentType?.rawValue)
      json.text("invoice_number", invoiceNumber)
      json.text("issue_date", issueDate?.description)
      json.text("due_date", dueDate?.description)
      json.text("period_start", periodStart?.description)
      json.text("period_end", periodEnd?.description)
      json.text("currency", currency)
      json.field("supplier", supplier)
      json.field("customer", customer)
      json.text("purchase_order", purchaseOrder)
      json.text("payment_terms", paymentTerms)
      json.field("payment", payment)
      json.amount("lines_net_total", linesNetTotal)
      json.amount("allowance_total", allowanceTotal)
      json.amount("charge_total", chargeTotal)
      json.amount("total_net", totalNet)
      json.amount("total_tax", totalTax)
      json.amount("total_gross", totalGross)
      json.amount("amount_paid", amountPaid)
      json.amount("rounding", rounding)
      json.amount("amount_due", amountDue)
      json.array("tax_breakdown", taxBreakdown)
      json.array("lines", lines)
    }
  }
}

extension InvoiceFields.Supplier: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.text("name", name)
      json.text("vat_id", vatID)
      json.text("address", address)
    }
  }
}

extension InvoiceFields.Customer: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.text("name", name)
      json.text("vat_id", vatID)
    }
  }
}

extension InvoiceFields.Payment: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.text("iban", iban)
      json.text("bic", bic)
    }
  }
}

extension InvoiceFields.TaxRow: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.amount("base", base)
      json.amount("amount", amount)
      json.text("category", category)
      json.amount("rate", rate)
    }
  }
}

extension InvoiceFields.Line: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.text("id", id)
      json.text("description", description)
      json.text("product_code", productCode)
      json.amount("quantity", quantity)
      json.text("unit", unit)
      json.amount("unit_price", unitPrice)
      json.amount("net", net)
      json.amount("tax_rate", taxRate)
      json.text("tax_category", taxCategory)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func text(_ name: String, _ text: String?) {
    field(name, text?.inOneLine())
  }

  fileprivate mutating func amount(_ name: String, _ amount: ExactDecimal?) {
    field(name, amount?.description)
  }
}
