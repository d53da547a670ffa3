/// Where a file begins: `%PDF-` within the first 1,024 bytes. Source: PDF Reference 1.7, annex H, note 13.
enum PDFHeader {
  /// Where it stands; nil if it does not.
  static func position(in bytes: [UInt8]) -> Int? {
    let mark = Array("%PDF-".utf8)
    let head = bytes.prefix(1_024)
    return head.indices.first { head[$0...].starts(with: mark) }
  }
}
