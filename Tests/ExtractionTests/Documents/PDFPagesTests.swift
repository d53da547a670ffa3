import Extraction
import Testing

@Suite struct PDFPagesTests {
  private func pages(
    _ file: [UInt8], limits: DocumentLimits = DocumentLimits()
  ) throws(DocumentFault) -> Int {
    try DocumentFacts(of: file, declared: "application/pdf", limits: limits).pages
  }

  // MARK: - Counts

  @Test(arguments: [1, 2, 999, 1_000])
  func `pages behind a table are counted`(count: Int) throws {
    #expect(try pages(SamplePDF.plain(pages: count)) == count)
  }

  @Test(arguments: [1, 2, 1_000], [true, false])
  func `pages in an object stream are counted`(count: Int, predictor: Bool) throws {
    var file = SamplePDF()
    file.addPacked(5_001, SamplePDF.tree(pages: count))
    file.addIndexStream(5_002, predictor: predictor)
    #expect(try pages(file.bytes) == count)
  }

  @Test(arguments: ["5003 0 R", "7", "999999"])
  func `a length that is no use is replaced by the end of the stream`(length: String) throws {
    var file = SamplePDF()
    file.addPacked(5_001, SamplePDF.tree(pages: 4), length: length)
    file.addIndexStream(5_002)
    #expect(try pages(file.bytes) == 4)
  }

  @Test(arguments: [true, false], [0, 3])
  func `the tree is followed through streams, even where an index is wrong`(
    predictor: Bool, shift: Int
  ) throws {
    var file = SamplePDF()
    file.addPacked(20, SamplePDF.tree(pages: 2, count: 1, times: 3))
    file.addIndexStream(21, predictor: predictor, shift: shift)
    #expect(try pages(file.bytes) == 6)
  }

  @Test func `entries without a type are offsets`() throws {
    var file = SamplePDF()
    file.addTree(pages: 1, times: 3)
    let entries = (1...3).flatMap { SampleBytes.big(file.offset(of: $0), 2) }
    let start = file.bytes.count
    file.addStream(9, "/Type /XRef /W [0 2 0] /Index [1 3] /Root 1 0 R", entries)
    file.addText("startxref\n\(start)\n%%EOF")
    #expect(try pages(file.bytes) == 3)
  }

  @Test func `an entry that leads to another object leads nowhere`() throws {
    var file = SamplePDF()
    file.add(1, "<< /Type /Catalog /Pages 2 0 R >>")
    file.add(3, "<< /Type /Page >>")
    file.add(7, "<< /Count 900 /Kids [3 0 R] >>")
    var wrong = file
    wrong.addText("xref\n1 2\n\(SamplePDF.entry(9))\(SamplePDF.entry(file.offset(of: 7)))")
    wrong.addText("trailer << /Root 1 0 R >>\nstartxref\n\(file.bytes.count)\n%%EOF")
    #expect(try pages(wrong.bytes) == 1)
    var right = file
    right.add(2, "<< /Count 900 /Kids [3 0 R] >>")
    right.addTable()
    #expect(try pages(right.bytes) == 900)
  }

  @Test func `a table may have subsections of no entries`() throws {
    var file = SamplePDF()
    file.addTree(pages: 1, times: 3)
    let start = file.bytes.count
    let entries = (1...3).map { SamplePDF.entry(file.offset(of: $0)) }.joined()
    file.addText("xref\n2 0\n1 3\n\(entries)3 0\n")
    file.addText("trailer << /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF")
    #expect(try pages(file.bytes) == 3)
  }

  @Test func `an update adds to what it replaces`() throws {
    var file = SamplePDF()
    file.addTree(pages: 2)
    file.addTable()
    file.add(9, "<< /Type /Page /Parent 2 0 R >>")
    file.add(2, "<< /Type /Pages /Count 3 /Kids [3 0 R 4 0 R 9 0 R] >>")
    file.addTable()
    #expect(try pages(file.bytes) == 3)
    // A page that is written again is the same page.
    file.add(9, "<< /Type /Page /Parent 2 0 R /Rotate 90 >>")
    file.addTable()
    #expect(try pages(file.bytes) == 3)
  }

  @Test func `an update by a stream of a file with a table is read`() throws {
    var file = SamplePDF()
    file.addTree(pages: 2)
    file.addTable()
    file.addPacked(20, [(2, "<< /Type /Pages /Count 5 /Kids [3 0 R 4 0 R 3 0 R] >>")])
    file.addIndexStream(21)
    #expect(try pages(file.bytes) == 5)
  }

  @Test func `objects that a hybrid file hides in a stream are found`() throws {
    var file = SamplePDF()
    file.add(1, "<< /Type /Catalog /Pages 2 0 R >>")
    file.add(3, "<< /Type /Page >>")
    let table = file
    file.addPacked(20, [(2, "<< /Type /Pages /Count 6 /Kids [3 0 R] >>")])
    file.addIndexStream(21)
    let hybrid = try #require(file.lastIndex)
    var whole = file
    whole.addText("xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000000 65535 f \n")
    let start = file.bytes.count
    whole.addText("trailer << /Root 1 0 R /XRefStm \(hybrid) >>\nstartxref\n\(start)\n%%EOF")
    #expect(table.lastIndex == nil)
    #expect(try pages(whole.bytes) == 6)
  }

  @Test func `a page that is named twice is two pages`() throws {
    for isPacked in [false, true] {
      var file = SamplePDF()
      let objects = [
        (1, "<< /Type /Catalog /Pages 2 0 R >>"),
        (2, "<< /Type /Pages /Count 1 /Kids [3 0 R 3 0 R 4 0 R] >>"),
        (3, "<< /Type /Page >>"),
        (4, "<< /Type /Pages /Kids 5 0 R >>"), (5, "[3 0 R 3 0 R 6 0 R]"),
      ]
      if isPacked {
        file.addPacked(20, objects)
        file.addIndexStream(21)
      } else {
        for (number, text) in objects { file.add(number, text) }
        file.addTable()
      }
      // Object 6 is nowhere; the tree has a page there.
      #expect(try pages(file.bytes) == 5)
    }
  }

  @Test func `the largest of what the tree says, holds and the file has is the answer`() throws {
    #expect(try pages(SamplePDF.plain(pages: 3, count: 7)) == 7)
    #expect(try pages(SamplePDF.plain(pages: 3, count: 1)) == 3)
    #expect(try pages(SamplePDF.plain(pages: 3, count: -5)) == 3)
    var file = SamplePDF()
    file.addTree(pages: 1)
    for number in 10..<14 { file.add(number, "<< /Type /Page >>") }
    file.addTable()
    #expect(try pages(file.bytes) == 5)
  }

  @Test func `numbers may stand in objects of their own`() throws {
    var file = SamplePDF()
    file.add(1, "<< /Type /Catalog /Pages 2 0 R >>")
    file.add(2, "<< /Type /Pages /Count 4 0 R /Kids 5 0 R >>")
    file.add(4, "8")
    file.add(5, "[ ]")
    file.addTable()
    #expect(try pages(file.bytes) == 8)
  }

  @Test func `a file whose index leads nowhere is counted by its objects`() throws {
    var file = SamplePDF()
    file.addTree(pages: 3)
    file.addPacked(20, [(30, "<< /Type /Page >>"), (31, "<< /Type /Pages >>"), (32, "[1]")])
    #expect(try pages(file.bytes) == 4)
    file.addText("startxref\n99999999999\n%%EOF\n")
    #expect(try pages(file.bytes) == 4)
    // The tree says more than there is.
    file.add(40, "<< /Type /Pages /Count 6 >>")
    #expect(try pages(file.bytes) == 6)
  }

  @Test func `names may be escaped and written closely`() throws {
    var file = SamplePDF()
    file.addText(
      "1 0 obj<</Ty#70e/P#61ge>>endobj 2 0 obj<</A<41>/B(\\)>>)/C[(])]/Type/Page>>endobj")
    file.addText("%a comment 9 0 obj<</Type/Page>>\n3 0 obj<</A null/B true/C -1.5/Type/Page>>")
    file.addText("endobj4 0 obj<</Type/Page>>endobj 5 0 obj<</X<</Type/Page>>/Type/Pages>>endobj")
    #expect(try pages(file.bytes) == 4)
  }

  @Test func `what a stream contains is no object`() throws {
    var file = SamplePDF()
    file.addTree(pages: 1)
    file.addStream(20, "", Array("9 0 obj << /Type /Page >> endobj".utf8))
    file.addStream(21, "/Type /ObjStm /N 1 /First 4", Array("9 0 << /Type /Pages >>".utf8))
    file.addTable()
    #expect(try pages(file.bytes) == 1)
  }

  @Test func `an object stream that is not compressed is read`() throws {
    var file = SamplePDF()
    file.addStream(
      21, "/Type /ObjStm /N 2 /First 8", Array("9 0 8 0 << /Type /Page >>".utf8))
    #expect(try pages(file.bytes) == 2)
  }

  @Test(arguments: [0, 1, 2, 3, 4] as [UInt8])
  func `every filter of rows is undone`(filter: UInt8) throws {
    let text = Array("1 0 2 0 << /Type /Page >>       ".utf8)
    let rows = stride(from: 0, to: text.count, by: 4).map { Array(text[$0..<$0 + 4]) }
    var file = SamplePDF()
    file.addStream(
      7,
      "/Type /ObjStm /N 2 /First 8 /Filter [/FlateDecode] /DecodeParms [<< /Columns 4 "
        + "/Predictor 15 >>]", SampleBytes.zlib(filtered(rows, filter)))
    #expect(try pages(file.bytes) == 2)
  }

  /// Rows of four bytes with a filter of PNG.
  private func filtered(_ rows: [[UInt8]], _ filter: UInt8) -> [UInt8] {
    var output: [UInt8] = []
    var above: [UInt8] = [0, 0, 0, 0]
    for row in rows {
      output.append(filter)
      for column in 0..<4 {
        let left = column > 0 ? row[column - 1] : 0
        let corner = column > 0 ? above[column - 1] : 0
        output.append(row[column] &- prediction(filter, left, above[column], corner))
      }
      above = row
    }
    return output
  }

  private func prediction(_ filter: UInt8, _ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8
  {
    switch filter {
    case 1: return left
    case 2: return above
    case 3: return UInt8((Int(left) + Int(above)) / 2)
    case 4:
      let estimate = Int(left) + Int(above) - Int(corner)
      let nearest = [left, above, corner].map { abs(estimate - Int($0)) }.min()
      return [left, above, corner].first { abs(estimate - Int($0)) == nearest } ?? 0
    default: return 0
    }
  }

  @Test func `a header may stand a little further on, and offsets be counted from it`() throws {
    let lead = String(repeating: "x", count: 1_019)
    var counted = SamplePDF(header: lead + "%PDF-1.4\n")
    counted.addTree(pages: 1, count: 1, times: 3)
    var plain = counted
    counted.addTable(shift: 1_019)
    plain.addTable()
    #expect(try pages(counted.bytes) == 3)
    #expect(try pages(plain.bytes) == 3)
    #expect(throws: DocumentFault.unknown) { try pages([0] + plain.bytes) }
  }

  // MARK: - What is refused

  @Test func `1,001 pages are refused, wherever they are`() throws {
    let fault = DocumentFault.tooManyPages(limit: 1_000)
    #expect(fault.description == "The PDF has more than 1000 pages.")
    #expect(throws: fault) { try pages(SamplePDF.plain(pages: 1_001)) }
    #expect(throws: fault) { try pages(SamplePDF.plain(pages: 1, count: 1_001)) }
    #expect(throws: fault) { try pages(SamplePDF.plain(pages: 1_001, count: 1)) }
    var packed = SamplePDF()
    packed.addPacked(5_001, SamplePDF.tree(pages: 1_001, count: 1))
    #expect(throws: fault) { try pages(packed.bytes) }
    packed.addIndexStream(5_002)
    #expect(throws: fault) { try pages(packed.bytes) }
    var repeated = SamplePDF()
    repeated.add(1, "<< /Pages 2 0 R >>")
    let kids = String(repeating: "3 0 R ", count: 1_001)
    repeated.add(2, "<< /Count 1 /Kids [\(kids)] >>")
    repeated.addTable()
    #expect(throws: fault) { try pages(repeated.bytes) }
    var lost = SamplePDF()
    lost.add(2, "<< /Type /Pages /Count 1001 >>")
    #expect(throws: fault) { try pages(lost.bytes) }
    #expect(try pages(SamplePDF.plain(pages: 1_001), limits: DocumentLimits(pages: 1_001)) == 1_001)
  }

  @Test func `an encrypted file is refused, however it says so`() throws {
    var table = SamplePDF()
    table.addTree(pages: 1)
    var cut = table
    table.addTable(trailer: "/Root 1 0 R /Encrypt 9 0 R")
    var updated = table
    updated.add(3, "<< /Type /Page >>")
    updated.addTable()
    var stream = SamplePDF()
    stream.addPacked(20, SamplePDF.tree(pages: 1))
    stream.addIndexStream(21, trailer: "/Root 1 0 R /Encrypt << /Filter /Standard >>")
    var lost = stream
    lost.addText("startxref\n7\n%%EOF")
    cut.addText("trailer << /Encrypt 9 0 R >>")
    // Encrypted object streams do not inflate.
    var noise = SamplePDF()
    noise.addStream(20, "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", [1, 2, 3, 4])
    noise.addText("trailer << /Encrypt 9 0 R >>")
    for file in [table, updated, stream, lost, cut, noise] {
      #expect(throws: DocumentFault.encrypted) { try pages(file.bytes) }
    }
    #expect(
      DocumentFault.encrypted.description
        == "The PDF is encrypted; save it without a password and send it again.")
    var open = SamplePDF()
    open.addTree(pages: 1)
    open.addTable(trailer: "/Root 1 0 R /Encrypt null")
    #expect(try pages(open.bytes) == 1)
  }

  @Test func `an index in a stream is followed like any other`() throws {
    var file = SamplePDF()
    file.addTree(pages: 1, count: 1, times: 4)
    let objects = file.bytes.count
    for (more, isEncrypted) in [("", false), ("/Encrypt 9 0 R", true)] {
      var hidden = file
      var index = "xref\n0 4\n0000000000 65535 f \n\(SamplePDF.entry(9))"
      index += SamplePDF.entry(file.offset(of: 2)) + SamplePDF.entry(file.offset(of: 3))
      index += "trailer << /Root 1 0 R \(more) >>\n"
      hidden.addStream(9, "", Array(index.utf8))
      let start = objects + "9 0 obj\n<<  /Length \(index.utf8.count) >>\nstream\r\n".utf8.count
      hidden.addText("startxref\n\(start)\n%%EOF")
      if isEncrypted {
        #expect(throws: DocumentFault.encrypted) { try pages(hidden.bytes) }
      } else {
        #expect(try pages(hidden.bytes) == 4)
      }
    }
  }

  @Test func `a file that inflates too far is refused`() throws {
    let spaces = String(repeating: " ", count: 10_000)
    let objects = [(30, "<< /Type /Page >>\(spaces)")]
    var one = SamplePDF()
    one.addPacked(20, objects)
    var many = SamplePDF()
    for number in 20..<30 { many.addPacked(number, objects) }
    var index = SamplePDF()
    index.addTree(pages: 700)
    index.addIndexStream(5_000)
    let limits = DocumentLimits(streamBytes: 10_100, inflatedBytes: 100_000)
    #expect(try pages(one.bytes, limits: limits) == 1)
    #expect(throws: DocumentFault.bomb(limit: 100_000)) { try pages(many.bytes, limits: limits) }
    let tight = DocumentLimits(streamBytes: 5_000, inflatedBytes: 100_000)
    #expect(throws: DocumentFault.bomb(limit: 5_000)) { try pages(one.bytes, limits: tight) }
    #expect(throws: DocumentFault.bomb(limit: 5_000)) { try pages(index.bytes, limits: tight) }
    #expect(
      DocumentFault.bomb(limit: 5_000).description
        == "The PDF unpacks to more than 5000 bytes of structure and is not read any further.")
  }

  @Test func `an object stream inflates to 8 MB at most by default`() throws {
    var file = SamplePDF()
    let text = Array("3 0 << /Type /Page >>".utf8) + [UInt8](repeating: 0x20, count: 8 << 20)
    file.addStream(20, "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", SampleBytes.zlib(text))
    #expect(throws: DocumentFault.bomb(limit: 8 << 20)) { try pages(file.bytes) }
  }

  @Test func `a file without a page is refused`() {
    for text in ["", "1 0 obj << /Type /Catalog >> endobj", "trailer << /Root 1 0 R >>"] {
      var file = SamplePDF()
      file.addText(text)
      #expect(throws: DocumentFault.noPages) { try pages(file.bytes) }
    }
    #expect(throws: DocumentFault.noPages) { try pages(SamplePDF.plain(pages: 0)) }
    #expect(DocumentFault.noPages.description == "No page could be found in the PDF.")
  }

  @Test func `an object stream that cannot be read may hide pages and is refused`() {
    var lzw = SamplePDF()
    lzw.addTree(pages: 1)
    lzw.addPacked(20, [(30, "<< >>")], filter: "/LZWDecode")
    var twice = SamplePDF()
    twice.addTree(pages: 1)
    twice.addPacked(20, [(30, "<< >>")], filter: "[/ASCIIHexDecode /FlateDecode]")
    var damaged = SamplePDF()
    damaged.addTree(pages: 1)
    damaged.addStream(20, "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", [0x78, 0x9c, 7])
    var headless = SamplePDF()
    headless.addTree(pages: 1)
    headless.addStream(20, "/Type /ObjStm /N 2 /First 4", Array("9 0 << >>".utf8))
    var endless = SamplePDF()
    endless.addTree(pages: 1)
    endless.addText("20 0 obj << /Type /ObjStm /N 1 /First 4 >> stream\n9 0 << >>")
    for var file in [lzw, twice, damaged, headless, endless] {
      #expect(throws: DocumentFault.unreadableObjects) { try pages(file.bytes) }
      file.addTable()
      #expect(throws: DocumentFault.unreadableObjects) { try pages(file.bytes) }
    }
    #expect(
      DocumentFault.unreadableObjects.description
        == "The PDF has a list of objects that cannot be read, so its pages cannot be counted.")
  }

  @Test func `a tree that loops or grows from itself is refused`() {
    let sentence =
      "The structures of the PDF refer to each other in too many ways to count its pages."
    #expect(DocumentFault.tangled.description == sentence)
    var chain = (0..<400).map { "<< /Type /Pages /Kids [\($0 + 3) 0 R] >>" }
    chain[399] = "<< /Type /Page >>"
    let wide = String(repeating: "3 0 R ", count: 900)
    for nodes in [
      ["<< /Type /Pages /Count 1 /Kids [2 0 R] >>"],
      ["<< /Type /Pages /Count 1 /Kids [3 0 R] >>", "<< /Type /Pages /Kids [2 0 R 2 0 R] >>"],
      ["<< /Type /Pages /Count 1 /Kids [\(wide)] >>", "<< /Type /Pages /Kids [\(wide)] >>"],
      chain,
    ] {
      var file = SamplePDF()
      file.add(1, "<< /Type /Catalog /Pages 2 0 R >>")
      for (index, node) in nodes.enumerated() { file.add(index + 2, node) }
      file.addTable()
      #expect(throws: DocumentFault.tangled) { try pages(file.bytes) }
    }
  }
}
