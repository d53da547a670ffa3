/// The kinds of documents that can be sent to be read.
package enum DocumentKind: String, Hashable, Sendable, CaseIterable {
  case pdf, png, jpeg, webp

  /// The media type, as in a `Content-Type`.
  package var mediaType: String {
    switch self {
    case .pdf: "application/pdf"
    case .png: "image/png"
    case .jpeg: "image/jpeg"
    case .webp: "image/webp"
    }
  }

  /// What a person calls it, without an article.
  package var name: String {
    switch self {
    case .pdf: "PDF"
    case .png: "PNG image"
    case .jpeg: "JPEG image"
    case .webp: "WebP image"
    }
  }

  /// The kind that bytes begin like; nil for none of these.
  ///
  /// Images begin with their signature. A PDF's header stands within the first 1,024 bytes. Source: PNG (W3C, third
  /// edition), section 5.2; JPEG (ITU T.81), annex B; RIFF as in RFC 9649, section 2.4; ISO 32000-1, annex H,
  /// implementation note 13 of the PDF Reference 1.7.
  package init?(of bytes: [UInt8]) {
    if bytes.starts(with: PNGFile.signature) {
      self = .png
    } else if bytes.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
      self = .webp
    } else if PDFHeader.position(in: bytes) != nil {
      self = .pdf
    } else {
      return nil
    }
  }
}
