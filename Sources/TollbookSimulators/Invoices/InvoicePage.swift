/// What stands on one page of a drawn invoice. Points of 1/72 inch, from the top left corner of a page of A4.
struct InvoicePage: Sendable, Hashable {
  /// One line of text.
  struct Text: Sendable, Hashable {
    enum Alignment: Sendable, Hashable {
      case left, right
    }

    let text: String
    /// The left or, if aligned so, the right end.
    let x: Int
    /// Where the letters stand on.
    let y: Int
    let size: Int
    let isBold: Bool
    let alignment: Alignment
  }

  /// A filled rectangle.
  struct Box: Sendable, Hashable {
    let x: Int
    let y: Int
    let width: Int
    let height: Int
    /// Whether it is as dark as text; otherwise a light grey.
    let isDark: Bool
  }

  static let width = 595
  static let height = 842

  private(set) var texts: [Text] = []
  private(set) var boxes: [Box] = []

  mutating func write(
    _ text: String, x: Int, y: Int, size: Int = 9, isBold: Bool = false,
    alignment: Text.Alignment = .left
  ) {
    texts.append(
      Text(text: text, x: x, y: y, size: size, isBold: isBold, alignment: alignment))
  }

  mutating func fill(x: Int, y: Int, width: Int, height: Int, isDark: Bool) {
    boxes.append(Box(x: x, y: y, width: width, height: height, isDark: isDark))
  }
}

extension InvoicePage {
  private static let left = 50
  private static let right = 545
  private static let rowHeight = 16
  /// The lowest line of a page; the page number stands below it.
  private static let bottom = 785

  /// Ends of the columns of amounts, and where texts begin.
  private enum Column {
    static let id = 54
    static let description = 78
    static let code = 278
    static let quantity = 362
    static let unit = 370
    static let price = 452
    static let rate = 490
    static let net = 541
  }

  /// Lays an invoice out on as many pages as it needs.
  static func pages(of invoice: DrawnInvoice) -> [InvoicePage] {
    var pages: [InvoicePage] = []
    var page = InvoicePage()
    page.writeHead(invoice)
    var y = 258
    page.writeTableHead(y: y)
    y += 22
    for line in invoice.lines {
      if y > bottom - rowHeight {
        pages.append(page)
        page = InvoicePage()
        y = 60
        page.writeTableHead(y: y)
        y += 22
      }
      page.write(line, y: y)
      y += rowHeight
    }
    let notes = wrapped(invoice.note ?? "", width: 80)
    let needed = 14 * (11 + invoice.taxBreakdown.count) + 12 * min(notes.count, 20)
    if y + needed > bottom {
      pages.append(page)
      page = InvoicePage()
      y = 60
    }
    page.writeTotals(invoice, notes: notes, y: y)
    pages.append(page)
    for index in pages.indices {
      pages[index].write(
        "\(invoice.invoiceNumber)   page \(index + 1) of \(pages.count)", x: right, y: 812, size: 8,
        alignment: .right)
    }
    return pages
  }

  private mutating func writeHead(_ invoice: DrawnInvoice) {
    write(invoice.supplier.name, x: Self.left, y: 66, size: 16, isBold: true)
    if let address = invoice.supplier.address { write(address, x: Self.left, y: 82) }
    if let id = invoice.supplier.vatID { write("VAT ID \(id)", x: Self.left, y: 95) }
    let title =
      switch invoice.documentType {
      case .invoice: "INVOICE"
      case .creditNote: "CREDIT NOTE"
      case .receipt: "RECEIPT"
      }
    write(title, x: Self.right, y: 66, size: 16, isBold: true, alignment: .right)
    fill(x: Self.left, y: 108, width: Self.right - Self.left, height: 1, isDark: true)
    write("Bill to", x: Self.left, y: 132, isBold: true)
    write(invoice.customer.name, x: Self.left, y: 147, size: 10)
    if let id = invoice.customer.vatID { write("VAT ID \(id)", x: Self.left, y: 161) }

    let facts: [(String, String?)] = [
      ("Number", invoice.invoiceNumber), ("Date", invoice.issueDate),
      ("Due date", invoice.dueDate), ("Purchase order", invoice.purchaseOrder),
      ("Terms", invoice.paymentTerms), ("Currency", invoice.currency),
    ]
    var y = 132
    for (name, fact) in facts {
      guard let fact else { continue }
      write(name, x: 340, y: y)
      write(fact, x: Self.right, y: y, isBold: true, alignment: .right)
      y += 15
    }
  }

  private mutating func writeTableHead(y: Int) {
    fill(x: Self.left, y: y - 12, width: Self.right - Self.left, height: 18, isDark: false)
    write("#", x: Column.id, y: y, isBold: true)
    write("Description", x: Column.description, y: y, isBold: true)
    write("Code", x: Column.code, y: y, isBold: true)
    write("Qty", x: Column.quantity, y: y, isBold: true, alignment: .right)
    write("Unit", x: Column.unit, y: y, isBold: true)
    write("Price", x: Column.price, y: y, isBold: true, alignment: .right)
    write("Tax %", x: Column.rate, y: y, isBold: true, alignment: .right)
    write("Net", x: Column.net, y: y, isBold: true, alignment: .right)
  }

  private mutating func write(_ line: DrawnInvoice.Line, y: Int) {
    write(String(line.id.prefix(4)), x: Column.id, y: y)
    write(String(line.description.prefix(32)), x: Column.description, y: y)
    write(String((line.productCode ?? "").prefix(10)), x: Column.code, y: y)
    write(line.quantity, x: Column.quantity, y: y, alignment: .right)
    write(String(line.unit.prefix(4)), x: Column.unit, y: y)
    write(line.unitPrice, x: Column.price, y: y, alignment: .right)
    write(line.taxRate, x: Column.rate, y: y, alignment: .right)
    write(line.net, x: Column.net, y: y, alignment: .right)
  }

  private mutating func writeTotals(_ invoice: DrawnInvoice, notes: [String], y start: Int) {
    var y = start + 4
    fill(x: Self.left, y: y - 12, width: Self.right - Self.left, height: 1, isDark: true)
    y += 6
    // What is not needed is drawn only if there is something of it.
    var rows: [(String, String, isBold: Bool, isNeeded: Bool)] = [
      ("Sum of lines", invoice.linesNetTotal, false, true),
      ("Allowances", "-\(invoice.allowanceTotal)", false, false),
      ("Charges", invoice.chargeTotal, false, false),
      ("Total net", invoice.totalNet, true, true),
    ]
    rows += invoice.taxBreakdown.map { tax in
      ("Tax \(tax.category) \(tax.rate) % of \(tax.base)", tax.amount, false, true)
    }
    rows += [
      ("Total tax", invoice.totalTax, false, true),
      ("Total gross", invoice.totalGross, true, true),
      ("Paid", invoice.amountPaid, false, false), ("Rounding", invoice.rounding, false, false),
      ("Amount due \(invoice.currency)", invoice.amountDue, true, true),
    ]
    for (name, amount, isBold, isNeeded) in rows
    where isNeeded || !["-0.00", "0.00"].contains(amount) {
      write(name, x: 320, y: y, isBold: isBold)
      write(amount, x: Column.net, y: y, isBold: isBold, alignment: .right)
      y += 14
    }
    if let payment = invoice.payment {
      write("IBAN \(payment.iban)", x: Self.left, y: start + 10)
      if let bic = payment.bic { write("BIC \(bic)", x: Self.left, y: start + 24) }
    }
    for note in notes.prefix(20) {
      y += 12
      write(note, x: Self.left, y: y)
    }
  }

  /// A text in lines of at most so many letters; longer words are cut.
  private static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(whereSeparator: \.isWhitespace) {
      let word = word.prefix(width)
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += line.isEmpty ? String(word) : " \(word)"
    }
    return line.isEmpty ? lines : lines + [line]
  }
}
