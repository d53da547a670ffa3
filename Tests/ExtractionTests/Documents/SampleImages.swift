/// Writes images without pixels that anybody would want to see.
enum SampleImages {
  // MARK: - PNG

  static func png(width: Int, height: Int, tail: [UInt8] = [8, 2, 0, 0, 0]) -> [UInt8] {
    let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    return signature + chunk("IHDR", SampleBytes.big(width, 4) + SampleBytes.big(height, 4) + tail)
      + chunk("IDAT", SampleBytes.zlib([0, 1, 2, 3])) + chunk("IEND", [])
  }

  static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let content = Array(type.utf8) + data
    return SampleBytes.big(data.count, 4) + content + SampleBytes.big(Int(crc32(content)), 4)
  }

  /// CRC-32 by polynomial division, as in PNG's annex D.
  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var remainder: UInt32 = .max
    for byte in bytes {
      for bit in 0..<8 {
        let isOdd = (remainder ^ UInt32(byte >> UInt8(bit))) & 1 == 1
        remainder = isOdd ? remainder >> 1 ^ 0xedb8_8320 : remainder >> 1
      }
    }
    return ~remainder
  }

  // MARK: - JPEG

  static func segment(_ marker: UInt8, _ data: [UInt8]) -> [UInt8] {
    [0xff, marker] + SampleBytes.big(data.count + 2, 2) + data
  }

  static func frame(_ marker: UInt8 = 0xc0, width: Int, height: Int) -> [UInt8] {
    segment(marker, [8] + SampleBytes.big(height, 2) + SampleBytes.big(width, 2) + [1, 1, 0x11, 0])
  }

  static let scan = segment(0xda, [1, 1, 0, 0, 63, 0]) + [0x12, 0x34]

  static func jpeg(width: Int, height: Int, marker: UInt8 = 0xc0) -> [UInt8] {
    [0xff, 0xd8] + segment(0xe0, Array("JFIF\0".utf8)) + segment(0xc4, [0])
      + frame(marker, width: width, height: height) + scan + [0xff, 0xd9]
  }

  // MARK: - WebP

  static func riff(_ chunks: [UInt8]) -> [UInt8] {
    Array("RIFF".utf8) + SampleBytes.little(chunks.count + 4, 4) + Array("WEBP".utf8) + chunks
  }

  static func webpChunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    Array(type.utf8) + SampleBytes.little(data.count, 4) + data
      + [UInt8](repeating: 0, count: data.count % 2)
  }

  static func lossy(width: Int, height: Int) -> [UInt8] {
    webpChunk(
      "VP8 ",
      [0x10, 0, 0, 0x9d, 0x01, 0x2a] + SampleBytes.little(width, 2) + SampleBytes.little(height, 2)
        + [0])
  }

  static func lossless(width: Int, height: Int) -> [UInt8] {
    webpChunk("VP8L", [0x2f] + SampleBytes.little((width - 1) | (height - 1) << 14, 4) + [0, 0])
  }

  static func extended(width: Int, height: Int) -> [UInt8] {
    webpChunk(
      "VP8X", [0, 0, 0, 0] + SampleBytes.little(width - 1, 3) + SampleBytes.little(height - 1, 3))
  }
}
