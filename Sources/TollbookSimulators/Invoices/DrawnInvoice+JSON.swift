private import JSONText

extension DrawnInvoice {
  /// The fields as one JSON object. The note is none of them.
  package var json: [UInt8] {
    var json = JSONWriter(capacity: 2048)
    json.object { json in
      writeHead(to: &json)
      writeTotals(to: &json)
      json.array("tax_breakdown", taxBreakdown) { json, tax in
        json.object { json in
          json.field("base", tax.base)
          json.field("amount", tax.amount)
          json.field("category", tax.category)
          json.field("rate", tax.rate)
        }
      }
      json.array("lines", lines) { json, line in line.write(to: &json) }
    }
    return json.bytes
  }

  private func writeHead(to json: inout JSONWriter) {
    json.field("invoice_number", invoiceNumber)
    json.field("document_type", documentType.rawValue)
    json.field("issue_date", issueDate)
    json.field("due_date", dueDate)
    json.field("currency", currency)
    json.object("supplier") { json in
      json.field("name", supplier.name)
      json.field("vat_id", supplier.vatID)
      json.field("address", supplier.address)
    }
    json.object("customer") { json in
      json.field("name", customer.name)
      json.field("vat_id", customer.vatID)
    }
    json.field("purchase_order", purchaseOrder)
    json.field("payment_terms", paymentTerms)
    if let payment {
      json.object("payment") { json in
        json.field("iban", payment.iban)
        json.field("bic", payment.bic)
      }
    } else {
      json.nullField("payment")
    }
  }

  private func writeTotals(to json: inout JSONWriter) {
    json.field("lines_net_total", linesNetTotal)
    json.field("allowance_total", allowanceTotal)
    json.field("charge_total", chargeTotal)
    json.field("total_net", totalNet)
    json.field("total_tax", totalTax)
    json.field("total_gross", totalGross)
    json.field("amount_paid", amountPaid)
    json.field("rounding", rounding)
    json.field("amount_due", amountDue)
  }
}

extension DrawnInvoice.Line {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("id", id)
      json.field("description", description)
      json.field("product_code", productCode)
      json.field("quantity", quantity)
      json.field("unit", unit)
      json.field("unit_price", unitPrice)
      json.field("net", net)
      json.field("tax_rate", taxRate)
      json.field("tax_category", taxCategory)
    }
  }
}
