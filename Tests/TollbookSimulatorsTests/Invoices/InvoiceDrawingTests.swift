import Deflate
import Foundation
import JSONText
import Testing

@testable import TollbookSimulators

/// The files that invoices are drawn as.
@Suite struct InvoiceDrawingTests {
  private func text(_ bytes: some Collection<UInt8>) -> String {
    // Latin-1, so that an offset in bytes is one in characters.
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `a PDF begins as one and its table says where its objects begin`(seed: UInt64) throws {
    let invoice = DrawnInvoice(number: 1, seed: seed)
    let pdf = InvoiceDrawing.pdf(invoice)
    #expect(pdf.starts(with: Array("%PDF-1.4\n".utf8)))
    #expect(text(pdf.suffix(6)) == "%%EOF\n")
    let lines = text(pdf).split(separator: "\n", omittingEmptySubsequences: false)
    let mark = try #require(lines.lastIndex(of: "startxref"))
    let start = try #require(Int(lines[mark + 1]))
    let table = text(pdf[start...]).split(separator: "\n")
    #expect(table[0] == "xref")
    let count = try #require(table[1].split(separator: " ").last.flatMap { Int($0) })
    #expect(table[2] == "0000000000 65535 f ")
    for number in 1..<count {
      let entry = table[2 + number]
      #expect(entry.utf8.count == 19 && entry.hasSuffix(" 00000 n "))
      let offset = try #require(Int(entry.prefix(10)))
      #expect(text(pdf[offset...].prefix(10)).hasPrefix("\(number) 0 obj\n"))
    }
    #expect(text(pdf).contains("/Size \(count) /Root 1 0 R"))
    #expect(PDFPages.count(in: pdf) == InvoicePage.pages(of: invoice).count)
  }

  @Test func `the streams of a PDF are as long as they say`() throws {
    let pdf = text(InvoiceDrawing.pdf(DrawnInvoice(number: 4, seed: 9)))
    let parts = pdf.components(separatedBy: "/Length ").dropFirst()
    #expect(parts.count >= 2)
    for part in parts {
      let length = try #require(Int(part.prefix { $0.isNumber }))
      let content = try #require(part.components(separatedBy: " >>\nstream\n").dropFirst().first)
      #expect(content.dropFirst(length).hasPrefix("\nendstream"))
    }
  }

  @Test func `what stands in an invoice stands in its PDF, brackets and all`() {
    var invoice = DrawnInvoice(number: 4, seed: 9)
    invoice.note = "Pay (soon) \\ or Müller calls."
    let pdf = text(InvoiceDrawing.pdf(invoice))
    for wanted in [
      invoice.invoiceNumber, invoice.supplier.name, invoice.totalGross, invoice.lines[0].net,
      "Pay \\(soon\\) \\\\ or M?ller calls.",
    ] {
      #expect(pdf.contains("(\(wanted)) Tj"), "\(wanted)")
    }
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func `both files carry the fields`(seed: UInt64) throws {
    var invoice = DrawnInvoice(number: 2, seed: seed)
    invoice.customer.name = "Müller & Söhne 🙂 \"Ltd.\""
    let pdf = try #require(InvoiceSidecar.fields(in: InvoiceDrawing.pdf(invoice)))
    #expect(Array(pdf.bytes) == invoice.json)
    let png = try #require(InvoiceSidecar.fields(in: InvoiceDrawing.png(invoice)))
    #expect(png["customer"]?["name"]?.string == invoice.customer.name)
    #expect(png["lines"]?.array?.count == invoice.lines.count)
    #expect(png["total_gross"]?.string == invoice.totalGross)
  }

  @Test func `files without fields or cut ones carry nothing`() {
    let pdf = InvoiceDrawing.pdf(DrawnInvoice(number: 2, seed: 1))
    let png = InvoiceDrawing.png(DrawnInvoice(number: 2, seed: 1))
    #expect(InvoiceSidecar.fields(in: []) == nil)
    #expect(InvoiceSidecar.fields(in: Array("%PDF-1.4".utf8)) == nil)
    #expect(InvoiceSidecar.fields(in: Array(pdf.prefix(900))) == nil)
    #expect(InvoiceSidecar.fields(in: Array(png.prefix(200))) == nil)
    let lie = "/Type /TollbookInvoice /Length 99999999999999999999 >>\nstream\n{}"
    #expect(InvoiceSidecar.fields(in: Array(lie.utf8)) == nil)
  }

  @Test(arguments: [
    ("/Type /Page /Type/Page/Type\n/Page", 3), ("/Type /Pages /Type /PageLabel", 1), ("", 1),
    ("/Type /Page>> stream\n/Type /Page endstream /Type /Page", 2),
    ("/Type /Page stream /Type /Page /Type /Page", 1),
  ])
  func `pages are counted outside of streams`(file: String, pages: Int) {
    #expect(PDFPages.count(in: Array(file.utf8)) == pages)
  }

  @Test func `a PNG can be read and has ink on it`() throws {
    let invoice = DrawnInvoice(number: 2, seed: 1)
    let png = InvoiceDrawing.png(invoice)
    #expect(png.starts(with: PNGImage.signature))
    var chunks: [(name: String, content: ArraySlice<UInt8>)] = []
    var at = 8
    while at < png.count {
      let length = png[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      chunks.append((text(png[at + 4..<at + 8]), png[at + 8..<at + 8 + length]))
      at += 12 + length
    }
    #expect(at == png.count)
    #expect(chunks.map(\.name) == ["IHDR", "PLTE", "tEXt", "IDAT", "IEND"])
    let header = Array(chunks[0].content)
    let width = header[0..<4].reduce(0) { $0 << 8 | Int($1) }
    let height = header[4..<8].reduce(0) { $0 << 8 | Int($1) }
    #expect(width == 1190 && height == 1684 * InvoicePage.pages(of: invoice).count)
    // The rows are deflated between two bytes of zlib's header and four of its checksum; put into a gzip file they can
    // be read.
    let points = InvoiceRaster(pages: InvoicePage.pages(of: invoice)).image.points
    let painted = stride(from: 0, to: points.count, by: width).flatMap { row in
      [0] + points[row..<row + width]
    }
    var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    file += chunks[3].content.dropFirst(2).dropLast(4)
    for number in [Fragment.compressing(painted).crc32, UInt32(painted.count)] {
      file += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    let rows = try gunzip(file, maximumLength: (width + 1) * height)
    #expect(rows == painted)
    let black = rows.count { $0 == 2 }
    #expect((5_000...200_000).contains(black))
  }

  @Test func `every letter has a shape of its own`() {
    let letters = (33...126).compactMap { Unicode.Scalar($0) }
    let shapes = letters.map { letter in
      BitmapFont.points(of: letter).map { 16 * $0.y + $0.x }
    }
    #expect(letters.count == 94 && Set(shapes).count == 94)
    #expect(shapes.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 < 16 * 9 } })
    #expect(BitmapFont.points(of: " ").isEmpty)
    #expect(!BitmapFont.points(of: "ü").isEmpty)
  }
}
