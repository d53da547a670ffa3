import CZlib

/// Inflates a zlib stream that other bytes may follow, as in a PDF.
///
/// Its checksum is not looked at: writers of PDFs leave it out or get it wrong, and their readers do not mind.
///
/// - Parameters:
///   - bytes: Any bytes.
///   - range: Where the stream begins and where it ends at the latest; less than 4 GiB.
///   - maximumLength: The longest content to accept; about as much memory is taken at most.
/// - Throws: ``DeflateError``: `tooLarge`; `truncated` if the range ends before the last block does; `corrupted` for
///   anything else.
/// - Source: RFC 1950, section 2.2.
package func inflateZlib(
  _ bytes: [UInt8], in range: Range<Int>, maximumLength: Int
) throws(DeflateError) -> [UInt8] {
  precondition(maximumLength >= 0, "a length is not negative")
  guard range.count >= 2 else { throw .truncated }
  let method = Int(bytes[range.lowerBound])
  let flags = Int(bytes[range.lowerBound + 1])
  // Method 8 with a window of at most 32 KiB, no preset dictionary, and a multiple of 31.
  guard method & 0x0f == 8, method >> 4 <= 7, flags & 0x20 == 0, (method << 8 | flags) % 31 == 0
  else { throw .corrupted }
  // SAFETY: the view does not outlive the call, and the buffer is read during it.
  let body = unsafe bytes.span.bytes.extracting(range.dropFirst(2))
  let inflation = unsafe try body.withUnsafeBytes { (body) throws(DeflateError) -> Inflation in
    unsafe try inflate(
      body, windowBits: -15, expected: min(body.count * 4, 1 << 18), limit: maximumLength)
  }
  guard inflation.isFinished else { throw .truncated }
  return inflation.content
}
