package import JSONText

/// The fields of an invoice that lie, as JSON, inside of the file that shows it: what a reader of the drawing finds.
package enum InvoiceSidecar {
  /// The type of the stream in a PDF.
  static let pdfType = "/Type /TollbookInvoice"
  /// The keyword of the text in a PNG.
  static let pngKeyword = "tollbook-invoice"
  /// The longest JSON that is read.
  static let longest = 1 << 20

  /// The fields that a PDF or a PNG carries; nil if it carries none or they are not a JSON object.
  package static func fields(in bytes: [UInt8]) -> JSONValue? {
    guard let json = bytes.starts(with: PNGImage.signature) ? pngText(bytes) : pdfStream(bytes),
      json.count <= longest,
      let root = (try? JSONDocument(Array(json), maximumDepth: 16, maximumValues: 100_000))?.root,
      root.kind == .object
    else { return nil }
    return root
  }

  /// The text behind the keyword in the first `tEXt` chunk that has it (PNG, section 11.3.4.3).
  private static func pngText(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
    let head = Array("tEXt\(pngKeyword)\0".utf8)
    var at = PNGImage.signature.count
    while at + 12 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - at - 12 else { return nil }
      let chunk = bytes[at + 4..<at + 8 + length]
      if chunk.starts(with: head) { return chunk.dropFirst(head.count) }
      at += 12 + length
    }
    return nil
  }

  /// The content of the stream of the sidecar's type, as long as its `/Length` says.
  private static func pdfStream(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
    guard let type = InvoiceBytes.index(of: Array(pdfType.utf8), in: bytes, from: 0) else {
      return nil
    }
    let start = Array("stream\n".utf8)
    let name = Array("/Length ".utf8)
    guard let length = InvoiceBytes.index(of: name, in: bytes, from: type),
      let stream = InvoiceBytes.index(of: start, in: bytes, from: length)
    else { return nil }
    let digits = bytes[(length + name.count)..<stream].prefix {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
    }
    guard let count = Int(String(decoding: digits, as: UTF8.self)), count <= longest else {
      return nil
    }
    let content = bytes[(stream + start.count)...]
    return content.count >= count ? content.prefix(count) : nil
  }

  /// JSON of the same value in ASCII alone: a text of a PNG may hold nothing else safely.
  static func ascii(_ json: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for unit in json.utf16 {
      if unit < 0x80 {
        bytes.append(UInt8(unit))
      } else {
        let digits = String(unit, radix: 16)
        bytes += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
      }
    }
    return bytes
  }
}

/// Searches in files.
enum InvoiceBytes {
  /// Where `wanted` begins, from `start` on; nil if it is not there.
  static func index(of wanted: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    guard let first = wanted.first else { return start }
    var at = start
    while at < bytes.count, let found = bytes[at...].firstIndex(of: first) {
      if bytes[found...].starts(with: wanted) { return found }
      at = found + 1
    }
    return nil
  }
}
