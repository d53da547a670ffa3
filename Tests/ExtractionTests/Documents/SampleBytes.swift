import Deflate

/// Bytes that sample files are made of.
enum SampleBytes {
  /// A zlib stream: raw deflate from a gzip file, with the header and the checksum of RFC 1950 around it.
  static func zlib(_ content: [UInt8]) -> [UInt8] {
    var low = 1
    var high = 0
    for byte in content {
      low = (low + Int(byte)) % 65_521
      high = (high + low) % 65_521
    }
    return [0x78, 0x9c] + gzip(content).dropFirst(10).dropLast(8) + big(high << 16 | low, 4)
  }

  /// A number in so many bytes, most significant first.
  static func big(_ number: Int, _ length: Int) -> [UInt8] {
    (0..<length).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  /// A number in so many bytes, least significant first.
  static func little(_ number: Int, _ length: Int) -> [UInt8] { big(number, length).reversed() }
}
