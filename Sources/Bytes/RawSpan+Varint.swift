extension RawSpan {
  /// A number in base 128, least digit first, the top bit of each byte telling that another follows: as protobuf writes
  /// them. Moves `offset` behind it; nil if it does not end before `end` or has more than ten bytes.
  package func varint(at offset: inout Int, end: Int) -> UInt64? {
    precondition(offset >= 0 && end <= byteCount, "read past the end")
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < end && shift < 70 {
      // SAFETY: not negative, and before `end`, which is inside.
      let byte = unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      offset += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  /// A hash of some of the bytes, the same in every run: for tables in memory, not against people who mean harm.
  package func mixedHash(in range: Range<Int>) -> UInt64 {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "read past the end")
    var hash = UInt64(range.count) &* 0x9E37_79B9_7F4A_7C15
    var offset = range.lowerBound
    while offset + 8 <= range.upperBound {
      // SAFETY: eight bytes before the end of the range, which is inside.
      let word = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      hash = Self.mixed(hash ^ word)
      offset += 8
    }
    var rest: UInt64 = 0
    while offset < range.upperBound {
      // SAFETY: before the end of the range, which is inside.
      let byte = unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      rest = rest << 8 | UInt64(byte)
      offset += 1
    }
    return Self.mixed(hash ^ rest)
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    let (high, low) = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return high ^ low
  }
}

extension [UInt8] {
  /// The hash that `RawSpan.mixedHash` has for the same bytes.
  package var mixedHash: UInt64 {
    // SAFETY: the view does not outlive the call.
    unsafe span.bytes.mixedHash(in: 0..<count)
  }
}
