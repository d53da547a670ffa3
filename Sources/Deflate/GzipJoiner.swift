import CZlib

/// Joins fragments and plain text into one gzip file, without inflating or compressing anything.
///
/// Fragments are copied as they are, text goes in as stored blocks, and the checksum of the whole
/// is computed from those of the parts. Fifty bodies of 22 KB take 85 µs; compressing them anew
/// takes 43 ms at level 1.
///
/// - Source: RFC 1951 (deflate), RFC 1952 (gzip), zlib's `crc32_combine`.
package struct GzipJoiner: Sendable {
  private var bytes: [UInt8]
  private var checksum: UInt32 = 0
  private var length = 0

  /// Starts an empty file.
  ///
  /// - Parameter capacity: The likely length of the result, so that memory is taken once.
  package init(reservingCapacity capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity + gzipHeader.count + 16)
    bytes += gzipHeader
  }

  /// Adds the content of a fragment.
  package mutating func append(_ fragment: Fragment) {
    // SAFETY: the view does not outlive the call.
    unsafe append(
      fragment: fragment.bytes.span.bytes, rawLength: fragment.rawLength, crc32: fragment.crc32)
  }

  /// Adds the content of a fragment from where it is stored.
  ///
  /// - Parameters:
  ///   - fragment: The bytes of a ``Fragment``; they are not looked at.
  ///   - rawLength: The length of its content. If wrong, the file is refused by its readers.
  ///   - crc32: The CRC-32 of its content. If wrong, the file is refused by its readers.
  package mutating func append(fragment: RawSpan, rawLength: Int, crc32: UInt32) {
    // SAFETY: the bytes are copied during the call.
    unsafe fragment.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    add(crc32, rawLength)
  }

  /// Adds the content of a fragment that stands among others; see ``append(fragment:rawLength:crc32:)``.
  package mutating func append(
    fragment bytes: [UInt8], in range: Range<Int>, rawLength: Int, crc32: UInt32
  ) {
    // SAFETY: the view does not outlive the call.
    unsafe append(
      fragment: bytes.span.bytes.extracting(range), rawLength: rawLength, crc32: crc32)
  }

  /// Adds a few bytes as they are, five more for each 65,535: brackets and commas.
  package mutating func appendText(_ text: Span<UInt8>) {
    // SAFETY: the bytes are copied during the call.
    unsafe text.withUnsafeBytes { text in
      unsafe appendStored(text)
      unsafe add(gzipChecksum(of: text), text.count)
    }
  }

  /// Adds the UTF-8 bytes of a text as they are; see ``appendText(_:)-(Span<UInt8>)``.
  package mutating func appendText(_ text: String) { appendText(text.utf8.span) }

  /// Ends the file and returns it; nothing can be added any more.
  package consuming func finish() -> [UInt8] {
    bytes += finalEmptyBlock
    bytes += gzipTrailer(checksum: checksum, length: length)
    return bytes
  }

  private mutating func add(_ partChecksum: UInt32, _ partLength: Int) {
    checksum = gzipChecksum(of: checksum, followedBy: partChecksum, length: partLength)
    length += partLength
  }

  private mutating func appendStored(_ text: UnsafeRawBufferPointer) {
    var rest = unsafe text[...]
    while unsafe !rest.isEmpty {
      let block = unsafe rest.prefix(0xffff)
      let length = unsafe UInt16(block.count)
      bytes.append(0)  // Block type "stored", not the last, and padding to a whole byte.
      bytes.append(littleEndian: length)
      bytes.append(littleEndian: ~length)
      unsafe bytes.append(contentsOf: block)
      unsafe rest = rest.dropFirst(block.count)
    }
  }
}
