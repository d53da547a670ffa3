/// The size of a PNG image, from its header. Source: PNG (W3C Recommendation, third edition), sections 5.2 to 5.6,
/// 11.2.1 (IHDR) and annex D (CRC).
enum PNGFile {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  /// Reads the header and walks the chunks: each must lie in the file, up to IEND or the end of the file, and one of
  /// them must hold pixels.
  static func size(of bytes: [UInt8]) throws(DocumentFault) -> PixelSize {
    let size = try header(of: bytes)
    var position = signature.count
    var hasPixels = false
    while position < bytes.count {
      guard let length = bytes.bigEndian(4, at: position), length <= bytes.count - position - 12
      else { throw .damaged(.png, .cut) }
      let type = bytes[position + 4..<position + 8]
      if type.elementsEqual("IDAT".utf8) { hasPixels = true }
      if type.elementsEqual("IEND".utf8) { break }
      position += 12 + length
    }
    if !hasPixels { throw .damaged(.png, .noPixels) }
    return size
  }

  private static func header(of bytes: [UInt8]) throws(DocumentFault) -> PixelSize {
    let start = signature.count
    guard bytes.count >= start + 25 else { throw .damaged(.png, .cut) }
    let chunk = bytes[start + 4..<start + 21]
    guard bytes.bigEndian(4, at: start) == 13, chunk.starts(with: "IHDR".utf8) else {
      throw .damaged(.png, .noSize)
    }
    guard bytes.bigEndian(4, at: start + 21) == checksum(of: chunk) else {
      throw .damaged(.png, .checksum)
    }
    let fields = Array(chunk.dropFirst(4))
    guard let width = fields.bigEndian(4, at: 0), let height = fields.bigEndian(4, at: 4),
      1...0x7fff_ffff ~= width, 1...0x7fff_ffff ~= height,
      isAllowed(depth: fields[8], colourType: fields[9]),
      fields[10] == 0, fields[11] == 0, fields[12] <= 1
    else { throw .damaged(.png, .header) }
    return PixelSize(width: width, height: height)
  }

  /// The bits per sample that a colour type may have. Source: PNG, table 12.
  private static func isAllowed(depth: UInt8, colourType: UInt8) -> Bool {
    switch colourType {
    case 0: [1, 2, 4, 8, 16].contains(depth)
    case 3: [1, 2, 4, 8].contains(depth)
    case 2, 4, 6: [8, 16].contains(depth)
    default: false
    }
  }

  /// CRC-32 bit by bit; the header has 17 bytes.
  static func checksum(of bytes: some Sequence<UInt8>) -> Int {
    var remainder: UInt32 = .max
    for byte in bytes {
      remainder ^= UInt32(byte)
      for _ in 0..<8 {
        remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xedb8_8320 : remainder >> 1
      }
    }
    return Int(~remainder)
  }
}
