/// What a document is, by its bytes alone. No pixel is decoded and no page is drawn.
package struct DocumentFacts: Hashable, Sendable {
  /// The kind that the bytes are.
  package let kind: DocumentKind
  /// The number of pages, from 1: 1 for an image. For a PDF it is a bound for a price, see ``PDFPages``: never below
  /// what its page tree says, what the tree holds, or how many page objects are in the file.
  package let pages: Int
  /// The width of an image in pixels; nil for a PDF.
  package let width: Int?
  /// The height of an image in pixels; nil for a PDF.
  package let height: Int?
  /// The length of the file in bytes.
  package let bytes: Int

  /// Looks at a document.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - declared: The media type that came with it, with parameters or without. Nothing, an empty text or
  ///     `application/octet-stream` promise nothing; anything else must be what the bytes are. `image/jpg` is a JPEG.
  ///   - limits: What is accepted.
  /// - Throws: Why the document is not accepted.
  /// - Complexity: Linear in the length of the file and in ``DocumentLimits/inflatedBytes``.
  package init(
    of bytes: [UInt8], declared: String?, limits: DocumentLimits = DocumentLimits()
  ) throws(DocumentFault) {
    if bytes.isEmpty { throw .empty }
    guard bytes.count <= limits.bytes else {
      throw .tooLong(bytes: bytes.count, limit: limits.bytes)
    }
    guard let kind = DocumentKind(of: bytes) else { throw .unknown }
    if let declared, !Self.promises(declared, kind) {
      throw .mismatch(declared: declared, found: kind)
    }
    self.kind = kind
    self.bytes = bytes.count
    let size: PixelSize?
    switch kind {
    case .pdf:
      size = nil
      pages = try PDFPages.count(in: bytes, limits: limits)
    case .png: (size, pages) = (try PNGFile.size(of: bytes), 1)
    case .jpeg: (size, pages) = (try JPEGFile.size(of: bytes), 1)
    case .webp: (size, pages) = (try WebPFile.size(of: bytes), 1)
    }
    try size?.check(kind, limits)
    width = size?.width
    height = size?.height
  }

  /// Whether a declared type fits a kind.
  private static func promises(_ declared: String, _ kind: DocumentKind) -> Bool {
    let type = declared.utf8.prefix { $0 != UInt8(ascii: ";") }
    switch String(decoding: Array(type).trimmingHeaderSpaces, as: UTF8.self).lowercased() {
    case "", "application/octet-stream", kind.mediaType: return true
    case "image/jpg": return kind == .jpeg
    default: return false
    }
  }
}
