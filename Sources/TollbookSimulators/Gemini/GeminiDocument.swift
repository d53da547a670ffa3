import FoundationEssentials

/// A file that was sent along in a request.
struct GeminiDocument: Sendable {
  enum Kind: Sendable, Hashable {
    case pdf(pages: Int)
    case image
  }

  let kind: Kind
  let bytes: [UInt8]

  /// The most bytes and pages of a PDF (provider's page on file input).
  static let longestPDF = 50 << 20
  static let mostPages = 1000

  /// Media types of images that are read.
  private static let imageTypes: Set<String> = [
    "image/png", "image/jpeg", "image/webp", "image/heic", "image/heif",
  ]

  /// Reads `inlineData`: a media type and base64.
  init(inline data: GeminiObject) throws(GeminiError) {
    guard let type = try data.string("mimeType"), !type.isEmpty else {
      throw .invalid(data.path(of: "mimeType"), "is missing")
    }
    guard let text = try data.string("data"), !text.isEmpty else {
      throw .invalid(data.path(of: "data"), "is missing")
    }
    try Self.check(type, at: data.path(of: "mimeType"))
    guard let bytes = Self.decoded(base64: text) else {
      throw .invalid(data.path(of: "data"), "Base64 decoding failed")
    }
    self.bytes = bytes
    guard Self.name(of: type) == "application/pdf" else {
      kind = .image
      return
    }
    guard bytes.count <= Self.longestPDF else {
      throw .invalid(data.path(of: "data"), "a PDF has at most \(Self.longestPDF) bytes")
    }
    let pages = PDFPages.count(in: bytes)
    guard pages <= Self.mostPages else {
      throw .invalid(
        data.path(of: "data"),
        "the document has \(pages) pages; the limit is \(Self.mostPages)")
    }
    kind = .pdf(pages: pages)
  }

  /// Refuses media types that are not read.
  static func check(_ type: String, at path: String) throws(GeminiError) {
    let name = name(of: type)
    guard name == "application/pdf" || imageTypes.contains(name) else {
      throw .invalid(path, "Unsupported MIME type: \(type.prefix(100))")
    }
  }

  /// `Image/PNG; x=y` is `image/png`.
  private static func name(of type: String) -> String {
    String(type.prefix { $0 != ";" && $0 != " " }).lowercased()
  }

  /// Base64 in the usual or in the URL alphabet, with or without padding, as protobuf reads it; nil if it is none.
  static func decoded(base64 text: String) -> [UInt8]? {
    var characters = Array(text.utf8)
    for index in characters.indices {
      switch characters[index] {
      case UInt8(ascii: "-"): characters[index] = UInt8(ascii: "+")
      case UInt8(ascii: "_"): characters[index] = UInt8(ascii: "/")
      default: break
      }
    }
    switch characters.count % 4 {
    case 1: return nil
    case 2: characters += [UInt8(ascii: "="), UInt8(ascii: "=")]
    case 3: characters.append(UInt8(ascii: "="))
    default: break
    }
    return Data(base64Encoded: Data(characters)).map { [UInt8]($0) }
  }
}
