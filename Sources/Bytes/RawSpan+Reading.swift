import Glibc

// RawSpan of Swift 6.3 has neither a subscript nor integer loads nor comparisons. All of these trap
// when the caller reads past the end, as an array does.

extension RawSpan {
  /// The byte at `offset`, counted from 0.
  package func byte(at offset: Int) -> UInt8 { load(at: offset) }

  /// The two bytes from `offset` on as a big-endian number.
  package func bigEndianUInt16(at offset: Int) -> UInt16 { UInt16(bigEndian: load(at: offset)) }

  /// The four bytes from `offset` on as a big-endian number.
  package func bigEndianUInt32(at offset: Int) -> UInt32 { UInt32(bigEndian: load(at: offset)) }

  /// The eight bytes from `offset` on as a big-endian number.
  package func bigEndianUInt64(at offset: Int) -> UInt64 { UInt64(bigEndian: load(at: offset)) }

  /// A copy of the bytes in `range`.
  package func bytes(in range: Range<Int>) -> [UInt8] { [UInt8](copying: extracting(range)) }

  /// The bytes in `range` as UTF-8 text; nil if they are not.
  package func utf8String(in range: Range<Int>) -> String? { extracting(range).utf8String }

  /// All bytes as UTF-8 text; nil if they are not.
  package var utf8String: String? {
    // SAFETY: the text is copied during the call.
    unsafe withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
  }

  /// The word of the machine at `offset`, as LMDB keeps its own numbers.
  package func nativeWord(at offset: Int) -> Int { load(at: offset) }

  private func load<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Number {
    // Compared so that a huge offset cannot overflow.
    precondition(
      offset >= 0 && offset <= byteCount - MemoryLayout<Number>.size, "read past the end")
    // SAFETY: the bytes are inside, and any bits make an integer.
    return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
  }
}

extension RawSpan {
  /// Whether both hold the same bytes.
  package func elementsEqual(_ other: RawSpan) -> Bool {
    byteCount == other.byteCount && starts(with: other)
  }

  /// Whether both hold the same bytes.
  package func elementsEqual(_ other: Span<UInt8>) -> Bool {
    byteCount == other.count && starts(with: other)
  }

  /// Whether both hold the same bytes.
  package func elementsEqual(_ other: [UInt8]) -> Bool { elementsEqual(other.span) }

  /// Whether the first bytes are those of `prefix`.
  package func starts(with prefix: RawSpan) -> Bool {
    prefix.byteCount <= byteCount && comparison(with: prefix, prefix.byteCount) == 0
  }

  /// Whether the first bytes are those of `prefix`.
  package func starts(with prefix: Span<UInt8>) -> Bool {
    // SAFETY: the view does not outlive the call.
    unsafe starts(with: prefix.bytes)
  }

  /// Whether the first bytes are those of `prefix`.
  package func starts(with prefix: [UInt8]) -> Bool { starts(with: prefix.span) }

  /// Whether the bytes of `needle` stand somewhere among these, one after the other.
  package func contains(_ needle: [UInt8]) -> Bool {
    guard let first = needle.first else { return true }
    // SAFETY: C reads inside of both buffers, during the call.
    return unsafe withUnsafeBytes { bytes in
      unsafe needle.withUnsafeBytes { needle in
        guard let start = bytes.baseAddress, let wanted = needle.baseAddress else { return false }
        var offset = 0
        while bytes.count - offset >= needle.count {
          let left = bytes.count - offset - needle.count + 1
          guard let found = unsafe memchr(start + offset, Int32(first), left) else { return false }
          if unsafe memcmp(found, wanted, needle.count) == 0 { return true }
          unsafe offset = UnsafeRawPointer(found) - start + 1
        }
        return false
      }
    }
  }

  /// Whether these bytes sort before `other` as unsigned bytes, a prefix before what it begins: the
  /// order of keys in a table.
  package func lexicographicallyPrecedes(_ other: RawSpan) -> Bool {
    let order = comparison(with: other, min(byteCount, other.byteCount))
    return order < 0 || (order == 0 && byteCount < other.byteCount)
  }

  /// Whether these bytes sort before `other`, as the keys of a table do.
  package func lexicographicallyPrecedes(_ other: Span<UInt8>) -> Bool {
    // SAFETY: the view does not outlive the call.
    unsafe lexicographicallyPrecedes(other.bytes)
  }

  /// Compares the first `count` bytes, which both must have.
  private func comparison(with other: RawSpan, _ count: Int) -> Int32 {
    if count == 0 { return 0 }  // An empty span may have no address.
    // SAFETY: both callers bound `count` by both lengths.
    return unsafe withUnsafeBytes { left in
      unsafe other.withUnsafeBytes { right in
        guard let first = left.baseAddress, let second = right.baseAddress else { return 0 }
        return unsafe memcmp(first, second, count)
      }
    }
  }
}

extension [UInt8] {
  /// Copies the bytes of a span.
  package init(copying bytes: RawSpan) {
    // SAFETY: copied during the call.
    self = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
  }
}
