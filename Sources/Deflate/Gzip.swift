import CZlib

/// Magic number, method "deflate", no flags, no time, no hint, unknown system.
let gzipHeader: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]

/// An empty block with fixed codes, marked as the last.
let finalEmptyBlock: [UInt8] = [0x03, 0x00]

/// The end of a gzip file: checksum and length of the content, the latter modulo 2³².
func gzipTrailer(checksum: UInt32, length: Int) -> [UInt8] {
  var trailer: [UInt8] = []
  trailer.append(littleEndian: checksum)
  trailer.append(littleEndian: UInt32(truncatingIfNeeded: length))
  return trailer
}

/// Compresses bytes to a gzip file of their own.
///
/// - Parameters:
///   - content: Any bytes, less than 4 GiB.
///   - level: 0 (stored) to 9 (smallest), as in zlib.
package func gzip(_ content: Span<UInt8>, level: Int = 6) -> [UInt8] {
  // SAFETY: the buffer is read during the call.
  unsafe content.withUnsafeBytes { content in
    let body = unsafe deflate(content, level: level, flush: Z_FINISH)
    let checksum = unsafe gzipChecksum(of: content)
    return gzipHeader + body + gzipTrailer(checksum: checksum, length: content.count)
  }
}

/// Compresses bytes to a gzip file of their own; see ``gzip(_:level:)-(Span<UInt8>,_)``.
package func gzip(_ content: [UInt8], level: Int = 6) -> [UInt8] {
  gzip(content.span, level: level)
}

/// Inflates a gzip file, of one or more members, or a zlib stream (HTTP's `deflate`).
///
/// - Parameters:
///   - bytes: The whole file, less than 4 GiB.
///   - maximumLength: The longest content to accept; about as much memory is taken at most.
/// - Throws: ``DeflateError``: `tooLarge`; `truncated` if the bytes end early or are none;
///   `corrupted` for anything else, bytes after the end included.
package func gunzip(_ bytes: RawSpan, maximumLength: Int) throws(DeflateError) -> [UInt8] {
  // SAFETY: the buffer is read during the call.
  try unsafe bytes.withUnsafeBytes { (bytes) throws(DeflateError) -> [UInt8] in
    unsafe try gunzip(buffer: bytes, maximumLength)
  }
}

/// Inflates a gzip file or a zlib stream; see ``gunzip(_:maximumLength:)-(RawSpan,_)``.
package func gunzip(_ bytes: [UInt8], maximumLength: Int) throws(DeflateError) -> [UInt8] {
  // SAFETY: the view does not outlive the call.
  unsafe try gunzip(bytes.span.bytes, maximumLength: maximumLength)
}

private func gunzip(
  buffer: UnsafeRawBufferPointer, _ maximumLength: Int
) throws(DeflateError) -> [UInt8] {
  precondition(maximumLength >= 0, "a length is not negative")
  var content: [UInt8] = []
  var rest = unsafe buffer
  repeat {
    let member = unsafe try inflateMember(
      rest, limit: maximumLength - content.count, maximumLength: maximumLength)
    if content.isEmpty { content = member.content } else { content += member.content }
    unsafe rest = UnsafeRawBufferPointer(rebasing: rest[member.consumed...])
    // Only gzip files, not zlib streams, may follow one another. Source: RFC 1952, section 2.2.
    if unsafe !rest.isEmpty && !(isGzip(rest) && isGzip(buffer)) { throw .corrupted }
  } while unsafe !rest.isEmpty
  return content
}

private func inflateMember(
  _ input: UnsafeRawBufferPointer, limit: Int, maximumLength: Int
) throws(DeflateError) -> Inflation {
  let inflation: Inflation
  do throws(DeflateError) {
    // 47 = 32 (gzip or zlib, whichever it is) + 15 (the largest window).
    inflation = unsafe try inflate(
      input, windowBits: 47, expected: min(input.count * 4, 1 << 18), limit: limit)
  } catch .tooLarge {
    throw .tooLarge(limit: maximumLength)  // Not what was left for this member.
  }
  guard inflation.isFinished else { throw .truncated }
  return inflation
}

private func isGzip(_ bytes: UnsafeRawBufferPointer) -> Bool {
  unsafe bytes.prefix(2).elementsEqual([0x1f, 0x8b])
}

extension [UInt8] {
  mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> Number(shift)))
    }
  }
}
