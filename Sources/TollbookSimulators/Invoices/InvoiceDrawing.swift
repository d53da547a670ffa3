/// Draws invoices as files. Each carries the invoice's fields, too, where ``InvoiceSidecar`` finds them.
package enum InvoiceDrawing {
  /// A PDF of one page or more, text in Helvetica, nothing compressed.
  package static func pdf(_ invoice: DrawnInvoice) -> [UInt8] {
    InvoicePDF(pages: InvoicePage.pages(of: invoice), sidecar: invoice.json).bytes
  }

  /// A PNG of 1,190 points width; pages stand one below the other.
  package static func png(_ invoice: DrawnInvoice) -> [UInt8] {
    let json = String(decoding: invoice.json, as: UTF8.self)
    return InvoiceRaster(pages: InvoicePage.pages(of: invoice)).image.encoded(texts: [
      PNGImage.Text(
        keyword: InvoiceSidecar.pngKeyword, content: InvoiceSidecar.ascii(json))
    ])
  }
}
