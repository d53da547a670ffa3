/// How large a document may be, and how much work it may make to look at it.
package struct DocumentLimits: Hashable, Sendable {
  /// The longest file in bytes, at most 1 GiB.
  package let bytes: Int
  /// The greatest number of pages of a PDF, at most 100,000.
  package let pages: Int
  /// The longest side of an image in pixels.
  package let side: Int
  /// The greatest area of an image in pixels.
  package let pixels: Int
  /// The most that one compressed structure of a PDF may inflate to, in bytes.
  package let streamBytes: Int
  /// The most that all of them may inflate to, in bytes.
  package let inflatedBytes: Int

  /// Limits; what is below 0 is 0.
  package init(
    bytes: Int = 14_000_000, pages: Int = 1_000, side: Int = 20_000, pixels: Int = 100_000_000,
    streamBytes: Int = 8 << 20, inflatedBytes: Int = 64 << 20
  ) {
    self.bytes = min(max(bytes, 0), 1 << 30)
    self.pages = min(max(pages, 0), 100_000)
    self.side = max(side, 0)
    self.pixels = max(pixels, 0)
    self.streamBytes = min(max(streamBytes, 0), 1 << 30)
    self.inflatedBytes = min(max(inflatedBytes, 0), 1 << 30)
  }
}
