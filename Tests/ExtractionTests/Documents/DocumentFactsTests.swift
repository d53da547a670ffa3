import Extraction
import Testing

@Suite struct DocumentFactsTests {
  @Test func `each kind is known by its bytes`() throws {
    let pdf = SamplePDF.plain(pages: 2)
    let found = try DocumentFacts(of: pdf, declared: nil)
    #expect(found.kind == .pdf)
    #expect(found.pages == 2)
    #expect(found.width == nil)
    #expect(found.height == nil)
    #expect(found.bytes == pdf.count)
    for (kind, bytes) in Self.images {
      let found = try DocumentFacts(of: bytes, declared: nil)
      #expect(found.kind == kind)
      #expect(found.pages == 1)
      #expect(found.width == 640)
      #expect(found.height == 480)
      #expect(found.bytes == bytes.count)
    }
  }

  private static let images: [(DocumentKind, [UInt8])] = [
    (.png, SampleImages.png(width: 640, height: 480)),
    (.jpeg, SampleImages.jpeg(width: 640, height: 480)),
    (.webp, SampleImages.riff(SampleImages.lossy(width: 640, height: 480))),
  ]

  @Test(arguments: [
    (DocumentKind.pdf, "application/pdf"), (.png, "image/png"), (.jpeg, "image/jpeg"),
    (.webp, "image/webp"),
  ])
  func `a kind has a media type`(kind: DocumentKind, type: String) {
    #expect(kind.mediaType == type)
  }

  @Test(arguments: [
    nil, "", "application/octet-stream", "image/jpeg", "IMAGE/JPEG; q=\"1\"", " image/jpeg ",
    "image/jpg",
  ])
  func `a declared type that fits is accepted`(declared: String?) throws {
    let bytes = SampleImages.jpeg(width: 1, height: 1)
    #expect(try DocumentFacts(of: bytes, declared: declared).kind == .jpeg)
  }

  @Test(arguments: ["application/pdf", "image/png", "image/*", "text/plain", "image/jpegs"])
  func `a declared type that does not fit is refused, and both are named`(declared: String) {
    let bytes = SampleImages.jpeg(width: 1, height: 1)
    #expect(throws: DocumentFault.mismatch(declared: declared, found: .jpeg)) {
      try DocumentFacts(of: bytes, declared: declared)
    }
    #expect(
      message(bytes, declared: declared)
        == "The file was sent as \(declared), but it is image/jpeg.")
  }

  @Test func `a JPEG is not a PDF because somebody says so, and the other way round`() {
    #expect(
      message(SamplePDF.plain(pages: 1), declared: "image/jpg")
        == "The file was sent as image/jpg, but it is application/pdf.")
  }

  @Test func `an empty file, a long file and an unknown file are refused`() throws {
    #expect(message([]) == "The file is empty.")
    let image = SampleImages.png(width: 1, height: 1)
    let exact = DocumentLimits(bytes: image.count)
    #expect(try DocumentFacts(of: image, declared: nil, limits: exact).kind == .png)
    #expect(
      message(image, limits: DocumentLimits(bytes: image.count - 1))
        == "The file has \(image.count) bytes; at most \(image.count - 1) are accepted.")
    for text in ["hello", "GIF89a", "RIFF\0\0\0\0WAVE", "\u{89}PNG", "%PDF", "PK\u{3}\u{4}"] {
      #expect(
        message(Array(text.utf8))
          == "The file is neither a PDF nor a PNG, JPEG or WebP image.", "\(text)")
    }
  }

  @Test func `limits are 14 MB, 1,000 pages, 20,000 pixels and 100 megapixels by default`() {
    let limits = DocumentLimits()
    #expect(limits.bytes == 14_000_000)
    #expect(limits.pages == 1_000)
    #expect(limits.side == 20_000)
    #expect(limits.pixels == 100_000_000)
    let clamped = DocumentLimits(
      bytes: .max, pages: .max, side: -1, pixels: -1, streamBytes: .max, inflatedBytes: .min)
    #expect(clamped.bytes == 1 << 30)
    #expect(clamped.pages == 100_000)
    #expect(clamped.side == 0)
    #expect(clamped.pixels == 0)
    #expect(clamped.streamBytes == 1 << 30)
    #expect(clamped.inflatedBytes == 0)
  }

  private func message(
    _ bytes: [UInt8], declared: String? = nil, limits: DocumentLimits = DocumentLimits()
  ) -> String? {
    do throws(DocumentFault) {
      _ = try DocumentFacts(of: bytes, declared: declared, limits: limits)
      return nil
    } catch {
      return error.description
    }
  }
}
