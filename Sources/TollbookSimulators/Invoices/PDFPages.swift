/// Counts the pages of a PDF.
enum PDFPages {
  /// How many pages a file has: the objects of type `/Page` that stand outside of its streams, at least one.
  ///
  /// Files that keep their objects in compressed streams count as one page.
  static func count(in file: [UInt8]) -> Int {
    let bytes = file[...]
    var pages = 0
    var at = bytes.startIndex
    while let mark = bytes[at...].firstIndex(where: { $0 == slash || $0 == letterS }) {
      at = mark + 1
      if bytes[mark] == letterS {
        guard bytes[mark...].starts(with: stream), !bytes[..<mark].hasSuffix(end) else { continue }
        at = InvoiceBytes.index(of: endStream, in: file, from: mark) ?? bytes.endIndex
      } else if isPage(bytes[mark...]) {
        pages += 1
      }
    }
    return max(1, pages)
  }

  private static let slash = UInt8(ascii: "/")
  private static let letterS = UInt8(ascii: "s")
  private static let stream = Array("stream".utf8)
  private static let end = Array("end".utf8)
  private static let endStream = Array("endstream".utf8)
  private static let type = Array("/Type".utf8)
  private static let page = Array("/Page".utf8)

  /// Whether `/Type /Page` stands here, with or without space, and no longer name such as `/Pages`.
  private static func isPage(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.starts(with: type) else { return false }
    let rest = bytes.dropFirst(type.count).drop { $0 <= UInt8(ascii: " ") }
    guard rest.starts(with: page) else { return false }
    guard let next = rest.dropFirst(page.count).first else { return true }
    return !isRegular(next)
  }

  /// Whether a byte goes on with a name (PDF 1.4, section 3.1).
  private static func isRegular(_ byte: UInt8) -> Bool {
    byte > UInt8(ascii: " ") && !Array("()<>[]{}/%".utf8).contains(byte)
  }
}

extension ArraySlice<UInt8> {
  fileprivate func hasSuffix(_ end: [UInt8]) -> Bool { suffix(end.count).elementsEqual(end) }
}
