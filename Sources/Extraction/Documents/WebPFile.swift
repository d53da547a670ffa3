/// The size of a WebP image, from the headers of its chunks. Source: RFC 9649, sections 2.3 to 2.7 (RIFF, VP8, VP8L,
/// VP8X, ANMF); RFC 6386, section 9.1 (VP8 frame header).
enum WebPFile {
  /// Walks the chunks, which must lie in the file. A still image in the extended format must be as large as its canvas.
  static func size(of bytes: [UInt8]) throws(DocumentFault) -> PixelSize {
    guard let length = bytes.littleEndian(4, at: 4) else { throw .damaged(.webp, .cut) }
    guard length >= 4 else { throw .damaged(.webp, .header) }
    guard length <= bytes.count - 8 else { throw .damaged(.webp, .cut) }
    let end = 8 + length
    var position = 12
    var canvas: PixelSize?
    while position < end {
      guard end - position >= 8, let length = bytes.littleEndian(4, at: position + 4),
        length <= end - position - 8
      else { throw .damaged(.webp, .cut) }
      let content = Array(bytes[position + 8..<position + 8 + min(length, 10)])
      switch String(decoding: bytes[position..<position + 4], as: UTF8.self) {
      case "VP8X":
        guard canvas == nil, position == 12, let size = extended(content) else {
          throw .damaged(.webp, .header)
        }
        canvas = size
      case "VP8 ": return try still(lossy(content), canvas)
      case "VP8L": return try still(lossless(content), canvas)
      case "ANMF":
        guard let canvas else { throw .damaged(.webp, .noSize) }
        return canvas
      default:
        // In the simple format the image is the first chunk.
        if canvas == nil { throw .damaged(.webp, .noSize) }
      }
      position += 8 + length + length % 2
    }
    throw .damaged(.webp, .noPixels)
  }

  private static func still(
    _ size: PixelSize?, _ canvas: PixelSize?
  ) throws(DocumentFault) -> PixelSize {
    guard let size else { throw .damaged(.webp, .header) }
    if let canvas, canvas != size { throw .damaged(.webp, .twoSizes) }
    return size
  }

  /// A key frame's tag (3 bytes), start code (3), and 14 bits of width and of height with 2 bits of scale each.
  private static func lossy(_ bytes: [UInt8]) -> PixelSize? {
    guard bytes.count == 10, bytes[0] & 1 == 0, bytes[3...5] == [0x9d, 0x01, 0x2a],
      let width = bytes.littleEndian(2, at: 6), let height = bytes.littleEndian(2, at: 8)
    else { return nil }
    let size = PixelSize(width: width & 0x3fff, height: height & 0x3fff)
    return size.width > 0 && size.height > 0 ? size : nil
  }

  /// A signature, then 14 bits each of width and height less 1, a bit for alpha and 3 of the version, 0.
  private static func lossless(_ bytes: [UInt8]) -> PixelSize? {
    guard bytes.first == 0x2f, let bits = bytes.littleEndian(4, at: 1), bits >> 29 == 0 else {
      return nil
    }
    return PixelSize(width: bits & 0x3fff + 1, height: bits >> 14 & 0x3fff + 1)
  }

  /// Flags (1 byte), 3 bytes of nothing, and 24 bits each of width and height less 1.
  private static func extended(_ bytes: [UInt8]) -> PixelSize? {
    guard bytes.count == 10, let width = bytes.littleEndian(3, at: 4),
      let height = bytes.littleEndian(3, at: 7)
    else { return nil }
    return PixelSize(width: width + 1, height: height + 1)
  }
}
