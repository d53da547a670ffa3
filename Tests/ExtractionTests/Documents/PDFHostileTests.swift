import Extraction
import Testing

/// Files that are made to be slow, or to make a reader fail. A reader that looks at the same bytes again and again
/// would need hours or days for these.
@Suite struct PDFHostileTests {
  private func outcome(_ bytes: [UInt8]) -> Result<DocumentFacts, DocumentFault> {
    Result { () throws(DocumentFault) in try DocumentFacts(of: bytes, declared: nil) }
  }

  /// The same text again and again between a beginning and an end.
  private func file(
    _ unit: String, length: Int = 100_000, from head: String = "", to tail: String = ""
  ) -> [UInt8] {
    let unit = Array(unit.utf8)
    var bytes = Array("%PDF-1.7\n\(head)".utf8)
    bytes.reserveCapacity(length + unit.count + tail.utf8.count)
    while bytes.count < length { bytes += unit }
    return bytes + Array(tail.utf8)
  }

  @Test func `5 MB of beginnings have no page`() {
    let units = [
      "1 0 obj\n", "1 0 obj<<", "<<", "1 0 obj<</A(", "1 0 obj<<>>stream\n",
      "trailer<</Root 1 0 R/Prev 9>>\n",
    ]
    let part = units.map { String(repeating: $0, count: 1_000) }.joined()
    #expect(outcome(file(part, length: 5_000_000)) == .failure(.noPages))
  }

  @Test(arguments: [
    "1 0 obj\n", "1 0 obj<<", "<<", "[", "(", "<0", "/", "1 ", "%\n", "1 0 obj(",
    "1 0 obj<</A(", "1 0 obj<</A[<</B 1 ", "1 0 obj<<>>stream\n", "1 0 obj<</Length 9>>stream\n",
    "trailer<</Root 1 0 R/Prev 9>>\n", "endstrea",
  ])
  func `one beginning again and again has no page`(unit: String) {
    #expect(outcome(file(unit)) == .failure(.noPages))
    #expect(outcome(file(unit, from: "1 0 obj<</A ")) == .failure(.noPages))
  }

  @Test func `strings in strings have no page`() {
    let half = String(repeating: "1 0 obj<</A(", count: 8_000)
    #expect(outcome(file(")", from: half)) == .failure(.noPages))
  }

  @Test func `object streams without an end are refused`() {
    let unit = "1 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode>>stream\n"
    #expect(outcome(file(unit)) == .failure(.unreadableObjects))
  }

  @Test func `a chain of sections that loops ends`() {
    let tail = "startxref\n9\n%%EOF"
    #expect(outcome(file("xref\n0 0\ntrailer<</Prev 9>>\n", to: tail)) == .failure(.noPages))
    let two = "xref\n0 0\ntrailer<</Prev 36>>xref\n0 0\ntrailer<</Prev 9>>\n"
    #expect(outcome(file(" ", from: two, to: tail)) == .failure(.noPages))
    var page = SamplePDF()
    page.addTree(pages: 1, count: 2)
    page.addTable()
    let start = page.bytes.count
    page.addText("xref\n0 0\ntrailer<</Prev \(start)/Root 1 0 R>>\nstartxref\n\(start)\n%%EOF")
    #expect((try? outcome(page.bytes).get().pages) == 2)
    // Read once, a long trailer is no trouble.
    let note = String(repeating: "a", count: 20_000)
    let again = page.bytes.count
    page.addText("xref\n0 0\ntrailer<</A(\(note))/Prev \(again)/Root 1 0 R>>startxref\n\(again)")
    #expect((try? outcome(page.bytes).get().pages) == 2)
  }

  @Test func `sections whose trailers lie in one another are refused`() {
    var head = ""
    let first = 9
    let length = "xref\n0 0\ntrailer<</Prev 100000/X (".utf8.count
    for index in 1...500 {
      head += "xref\n0 0\ntrailer<</Prev \(100_000 + first + length * index)/X ("
    }
    // The offsets above are too long by 100,000: so much white space stands before the first section.
    let space = String(repeating: " ", count: 100_000)
    let end = String(repeating: ")>>", count: 500) + "startxref\n\(100_000 + first)\n%%EOF"
    #expect(outcome(file("a", from: space + head, to: end)) == .failure(.tangled))
  }

  @Test func `pages whose dictionaries lie in one another are refused`() {
    var file = SamplePDF()
    let numbers = 10..<1_010
    file.add(1, "<< /Type /Catalog /Pages 2 0 R >>")
    let kids = numbers.map { "\($0) 0 R" }.joined(separator: " ")
    file.add(2, "<< /Type /Pages /Count 1 /Kids [\(kids)] >>")
    let filling = String(repeating: "a", count: 1_000_000)
    // Each is closed at the end, with all that follow in a string of its own.
    var offsets: [Int] = []
    for number in numbers {
      offsets.append(file.bytes.count)
      file.addText("\(number) 0 obj << /X (")
    }
    file.addText(filling + String(repeating: ") >> endobj ", count: numbers.count))
    let start = file.bytes.count + 1
    file.addText("\nxref\n1 2\n\(SamplePDF.entry(9))\(SamplePDF.entry(58))10 \(numbers.count)\n")
    for offset in offsets {
      file.addText(SamplePDF.entry(offset))
    }
    file.addText("trailer << /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF")
    #expect(outcome(file.bytes) == .failure(.tangled))
  }

  @Test func `a cross-reference stream may promise more than it has`() throws {
    for widths in ["1 0 0", "0 0 0", "1 4 2", "7 7 7", "8 1 1", "1 -1 2", "1 2", "0 4 2"] {
      for index in ["0 999999999", "5 -5", "-9 20", "0", "1 1 1 1 1 1", "1152921504606846975 9"] {
        var file = SamplePDF()
        file.addTree(pages: 1)
        let start = file.bytes.count
        file.addStream(
          9, "/Type /XRef /W [\(widths)] /Index [\(index)] /Root 1 0 R",
          [UInt8](repeating: 1, count: 100))
        file.addText("startxref\n\(start)\n%%EOF")
        #expect((try? outcome(file.bytes).get().pages) == 1, "\(widths), \(index)")
      }
    }
  }

  // MARK: - Damage

  /// Small files of every kind and form.
  private static let files: [[UInt8]] = {
    var packed = SamplePDF()
    packed.addPacked(20, SamplePDF.tree(pages: 3))
    packed.addIndexStream(21)
    packed.addPacked(22, [(2, "<< /Type /Pages /Count 4 /Kids [3 0 R 4 0 R 5 0 R 3 0 R] >>")])
    packed.addIndexStream(23)
    var updated = SamplePDF()
    updated.addTree(pages: 2)
    updated.addTable()
    updated.add(9, "<< /Type /Page /Parent 2 0 R >>")
    updated.addStream(10, "", [1, 2, 3])
    updated.addTable()
    return [
      SamplePDF.plain(pages: 3), packed.bytes, updated.bytes,
      SampleImages.png(width: 30, height: 20), SampleImages.jpeg(width: 30, height: 20),
      SampleImages.riff(SampleImages.lossy(width: 30, height: 20)),
      SampleImages.riff(
        SampleImages.extended(width: 30, height: 20) + SampleImages.lossless(width: 30, height: 20)
      ),
    ]
  }()

  @Test func `the whole files are sound`() {
    for file in Self.files {
      #expect((try? outcome(file).get()) != nil)
    }
  }

  @Test(arguments: 0..<7)
  func `each cut of a file has facts or a fault`(index: Int) {
    let file = Self.files[index]
    for length in 0..<file.count {
      let cut = Array(file.prefix(length))
      switch outcome(cut) {
      case .success(let facts):
        #expect(facts.bytes == length)
        #expect(1...4 ~= facts.pages)
      case .failure(let fault):
        #expect(fault == .empty || length > 0)
        #expect(fault != .unknown || length < 13, "\(length) bytes")
      }
    }
  }

  @Test(arguments: 0..<2_000 as Range<UInt64>)
  func `a damaged file has facts or a fault`(seed: UInt64) {
    var random = SeededBytes(seed: seed)
    var bytes = Self.files[random.int(0...Self.files.count - 1)]
    for _ in 0..<random.int(1...6) { damage(&bytes, &random) }
    switch outcome(bytes) {
    case .success(let facts):
      #expect(1...1_000 ~= facts.pages)
      #expect(facts.bytes == bytes.count)
    case .failure(let fault): #expect(!fault.description.isEmpty)
    }
  }

  private func damage(_ bytes: inout [UInt8], _ random: inout SeededBytes) {
    guard bytes.count > 4 else { return }
    let place = random.int(0...bytes.count - 1)
    switch random.int(0...4) {
    case 0: bytes[place] = random.byte()
    case 1: bytes[place] ^= 1 << UInt8(random.int(0...7))
    case 2: bytes.removeSubrange(place..<min(place + random.int(1...20), bytes.count))
    case 3: bytes.insert(contentsOf: bytes[place..<min(place + 40, bytes.count)], at: place)
    default:
      let words = [
        " 0 R", "<<", ">>", "99999999999999999999", "-1", "endobj", "(", "[", "stream\n",
      ]
      bytes.insert(contentsOf: words[random.int(0...words.count - 1)].utf8, at: place)
    }
  }
}
