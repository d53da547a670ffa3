/// Writes pages as a PDF 1.4: a header, numbered objects, the table of where each begins, the trailer (PDF Reference,
/// third edition, section 3.4).
struct InvoicePDF: Sendable {
  private(set) var bytes: [UInt8] = []
  /// Where the objects begin, the first of them number 1.
  private var offsets: [Int] = []

  /// Numbers of the objects before those of pages.
  private enum Number {
    static let catalog = 1
    static let pages = 2
    static let font = 3
    static let boldFont = 4
    static let sidecar = 5
    static let firstPage = 6
  }

  init(pages: [InvoicePage], sidecar: [UInt8]) {
    // Four bytes above 127 tell programs that copy files that this one is binary.
    bytes = Array("%PDF-1.4\n%".utf8) + [0xe2, 0xe3, 0xcf, 0xd3, 0x0a]
    let numbers = pages.indices.map { Number.firstPage + 2 * $0 }
    object("<< /Type /Catalog /Pages \(Number.pages) 0 R /Sidecar \(Number.sidecar) 0 R >>")
    let kids = numbers.map { "\($0) 0 R" }.joined(separator: " ")
    object("<< /Type /Pages /Kids [\(kids)] /Count \(pages.count) >>")
    for name in ["Helvetica", "Helvetica-Bold"] {
      object(
        "<< /Type /Font /Subtype /Type1 /BaseFont /\(name) /Encoding /WinAnsiEncoding >>")
    }
    stream(sidecar, entries: "\(InvoiceSidecar.pdfType) ")
    for (page, number) in zip(pages, numbers) {
      object(
        """
        << /Type /Page /Parent \(Number.pages) 0 R \
        /MediaBox [0 0 \(InvoicePage.width) \(InvoicePage.height)] \
        /Resources << /Font << /F1 \(Number.font) 0 R /F2 \(Number.boldFont) 0 R >> >> \
        /Contents \(number + 1) 0 R >>
        """)
      stream(Array(Self.content(page).utf8))
    }
    writeTable()
  }

  private mutating func object(_ content: String) {
    offsets.append(bytes.count)
    bytes += "\(offsets.count) 0 obj\n\(content)\nendobj\n".utf8
  }

  private mutating func stream(_ content: [UInt8], entries: String = "") {
    offsets.append(bytes.count)
    bytes += "\(offsets.count) 0 obj\n<< \(entries)/Length \(content.count) >>\nstream\n".utf8
    bytes += content
    bytes += "\nendstream\nendobj\n".utf8
  }

  /// Entries have exactly 20 bytes, the end of the line included.
  private mutating func writeTable() {
    let start = bytes.count
    bytes += "xref\n0 \(offsets.count + 1)\n0000000000 65535 f \n".utf8
    for offset in offsets {
      let digits = String(offset)
      let zeros = String(repeating: "0", count: max(0, 10 - digits.count))
      bytes += "\(zeros)\(digits) 00000 n \n".utf8
    }
    let trailer = "<< /Size \(offsets.count + 1) /Root \(Number.catalog) 0 R >>"
    bytes += "trailer\n\(trailer)\nstartxref\n\(start)\n%%EOF\n".utf8
  }

  /// The operators that draw a page. PDF counts from the bottom.
  private static func content(_ page: InvoicePage) -> String {
    var content = ""
    for box in page.boxes {
      content += """
        \(box.isDark ? "0" : "0.9") g
        \(box.x) \(InvoicePage.height - box.y - box.height) \(box.width) \(box.height) re f

        """
    }
    content += "0 g\nBT\n"
    for text in page.texts {
      let width = text.alignment == .left ? 0 : HelveticaWidths.thousandths(text.text) * text.size
      content += """
        /\(text.isBold ? "F2" : "F1") \(text.size) Tf
        1 0 0 1 \(decimal(1000 * text.x - width)) \(InvoicePage.height - text.y) Tm
        (\(escaped(text.text))) Tj

        """
    }
    return content + "ET"
  }

  /// Thousandths as a decimal.
  private static func decimal(_ thousandths: Int) -> String {
    let fraction = String(thousandths.magnitude % 1000 + 1000).dropFirst()
    return "\(thousandths < 0 ? "-" : "")\(thousandths.magnitude / 1000).\(fraction)"
  }

  /// A text between brackets; what is not ASCII becomes a question mark.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "(", ")", "\\": escaped += "\\\(scalar)"
      case " "..."~": escaped.unicodeScalars.append(scalar)
      default: escaped += "?"
      }
    }
    return escaped
  }
}

/// Widths of the letters of Helvetica in thousandths of the size, from space to tilde (Adobe's font metrics).
enum HelveticaWidths {
  private static let widths = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
  ]

  /// The width of a text. Bold letters are a little wider; digits and points are not.
  static func thousandths(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { sum, scalar in
      let index = Int(scalar.value) - 32
      return sum + (widths.indices.contains(index) ? widths[index] : 556)
    }
  }
}
