/// Writes small PDFs: objects, and an index of one kind or the other.
struct SamplePDF {
  private(set) var bytes: [UInt8]
  /// Objects since the last index: where they begin, or in which object stream they are.
  private var offsets: [Int: Int] = [:]
  private var packed: [Int: (stream: Int, index: Int)] = [:]
  /// Where the last index begins; nil before the first.
  private(set) var lastIndex: Int?

  init(header: String = "%PDF-1.7\n") { bytes = Array(header.utf8) }

  /// A file of so many pages under one node, with a table.
  static func plain(pages: Int, count: Int? = nil) -> [UInt8] {
    var file = SamplePDF()
    file.addTree(pages: pages, count: count)
    file.addTable()
    return file.bytes
  }

  /// The catalog (object 1), the root of the tree (2) and its pages (3 and up).
  ///
  /// - Parameter times: How often the tree names each page. Whoever does not follow the tree does not see it.
  static func tree(
    pages: Int, count: Int? = nil, times: Int = 1
  ) -> [(number: Int, text: String)] {
    let kids = (0..<pages * times).map { "\($0 / times + 3) 0 R" }.joined(separator: " ")
    return [
      (1, "<< /Type /Catalog /Pages 2 0 R >>"),
      (2, "<< /Type /Pages /Count \(count ?? pages) /Kids [\(kids)] >>"),
    ] + (0..<pages).map { ($0 + 3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>") }
  }

  mutating func addTree(pages: Int, count: Int? = nil, times: Int = 1) {
    for (number, text) in Self.tree(pages: pages, count: count, times: times) {
      add(number, text)
    }
  }

  mutating func add(_ number: Int, _ text: String) {
    offsets[number] = bytes.count
    bytes += "\(number) 0 obj\n\(text)\nendobj\n".utf8
  }

  mutating func addText(_ text: String) { bytes += text.utf8 }

  mutating func addStream(_ number: Int, _ entries: String, _ data: [UInt8], length: String? = nil)
  {
    offsets[number] = bytes.count
    bytes +=
      "\(number) 0 obj\n<< \(entries) /Length \(length ?? "\(data.count)") >>\nstream\r\n".utf8
    bytes += data + Array("\nendstream\nendobj\n".utf8)
  }

  /// Objects in an object stream; compressed unless a filter of another name is given.
  mutating func addPacked(
    _ stream: Int, _ objects: [(number: Int, text: String)], filter: String = "/FlateDecode",
    length: String? = nil
  ) {
    var header = ""
    var body = ""
    for (number, text) in objects {
      header += "\(number) \(body.utf8.count) "
      body += text + " "
    }
    addStream(
      stream, "/Type /ObjStm /N \(objects.count) /First \(header.utf8.count) /Filter \(filter)",
      SampleBytes.zlib(Array((header + body).utf8)), length: length)
    for (index, object) in objects.enumerated() {
      packed[object.number] = (stream, index)
      offsets[object.number] = nil
    }
  }

  /// A table of the objects since the last index, a trailer and `startxref`.
  mutating func addTable(trailer: String = "/Root 1 0 R", shift: Int = 0) {
    let start = bytes.count
    bytes += "xref\n0 1\n0000000000 65535 f \n".utf8
    for (number, offset) in offsets.sorted(by: { $0.key < $1.key }) {
      bytes += "\(number) 1\n\(Self.entry(offset - shift))".utf8
    }
    let previous = lastIndex.map { "/Prev \($0 - shift)" } ?? ""
    bytes += "trailer\n<< /Size 9999 \(trailer) \(previous) >>\n".utf8
    end(start - shift)
  }

  /// A cross-reference stream of the objects since the last index, and `startxref`.
  ///
  /// - Parameter shift: What is wrong with the indexes of objects in their streams.
  mutating func addIndexStream(
    _ number: Int, trailer: String = "/Root 1 0 R", predictor: Bool = true, shift: Int = 0
  ) {
    let start = bytes.count
    offsets[number] = start
    var entries: [(number: Int, bytes: [UInt8])] = []
    for (number, offset) in offsets {
      entries.append((number, [1] + SampleBytes.big(offset, 4) + SampleBytes.big(0, 2)))
    }
    for (number, place) in packed {
      entries.append(
        (number, [2] + SampleBytes.big(place.stream, 4) + SampleBytes.big(place.index + shift, 2)))
    }
    entries.sort { $0.number < $1.number }
    let index = entries.map { "\($0.number) 1" }.joined(separator: " ")
    var data: [UInt8] = []
    var above = [UInt8](repeating: 0, count: 7)
    for (_, entry) in entries {
      if predictor {
        data += [2] + zip(entry, above).map { $0 &- $1 }
        above = entry
      } else {
        data += entry
      }
    }
    let previous = lastIndex.map { "/Prev \($0)" } ?? ""
    let parameters = predictor ? "/DecodeParms << /Columns 7 /Predictor 12 >>" : ""
    addStream(
      number,
      "/Type /XRef /W [1 4 2] /Index [\(index)] /Size 9999 \(trailer) \(previous) "
        + "/Filter /FlateDecode \(parameters)", SampleBytes.zlib(data))
    end(start)
  }

  private mutating func end(_ start: Int) {
    bytes += "startxref\n\(start)\n%%EOF\n".utf8
    lastIndex = start
    offsets = [:]
    packed = [:]
  }

  /// The entry of a table for an object at an offset.
  static func entry(_ offset: Int) -> String {
    String(repeating: "0", count: 10 - "\(offset)".utf8.count) + "\(offset) 00000 n \n"
  }

  /// Where an object begins that was added since the last index.
  func offset(of number: Int) -> Int { offsets[number] ?? 0 }
}
