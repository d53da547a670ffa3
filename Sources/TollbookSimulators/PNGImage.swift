private import Deflate

/// A picture of up to 256 colours, one byte per point, that can be written as a PNG.
///
/// Format: the PNG specification (ISO/IEC 15948), colour type 3.
struct PNGImage: Sendable, Equatable {
  /// A colour of the palette.
  struct Color: Sendable, Equatable {
    let red: UInt8
    let green: UInt8
    let blue: UInt8

    /// A colour from `0xRRGGBB`.
    init(_ value: UInt32) {
      red = UInt8(truncatingIfNeeded: value >> 16)
      green = UInt8(truncatingIfNeeded: value >> 8)
      blue = UInt8(truncatingIfNeeded: value)
    }
  }

  let width: Int
  let height: Int
  let palette: [Color]
  /// Places in the palette, row by row from the top.
  private(set) var points: [UInt8]

  /// A picture all in the first colour of the palette.
  init(width: Int, height: Int, palette: [Color]) {
    precondition(width > 0 && height > 0 && (1...256).contains(palette.count))
    self.width = width
    self.height = height
    self.palette = palette
    points = Array(repeating: 0, count: width * height)
  }

  /// Paints a point; outside of the picture nothing happens.
  mutating func paint(_ x: Int, _ y: Int, _ color: UInt8) {
    guard (0..<width).contains(x), (0..<height).contains(y) else { return }
    points[y * width + x] = color
  }

  /// The first bytes of every file.
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  /// A text that lies in the file beside the picture, under a keyword; Latin-1 without zeros.
  struct Text: Sendable, Equatable {
    let keyword: String
    let content: [UInt8]
  }

  /// The file.
  func encoded(texts: [Text] = []) -> [UInt8] {
    var header: [UInt8] = []
    header.append(bigEndian: UInt32(width))
    header.append(bigEndian: UInt32(height))
    // Eight bits per point, palette, and the only methods of compression, filtering, interlacing.
    header += [8, 3, 0, 0, 0]
    var rows: [UInt8] = []
    rows.reserveCapacity((width + 1) * height)
    for row in 0..<height {
      rows.append(0)  // This row is not filtered.
      rows += points[row * width..<(row + 1) * width]
    }
    return Self.signature
      + Self.chunk("IHDR", header)
      + Self.chunk("PLTE", palette.flatMap { [$0.red, $0.green, $0.blue] })
      + texts.flatMap { Self.chunk("tEXt", Array($0.keyword.utf8) + [0] + $0.content) }
      + Self.chunk("IDAT", Self.zlib(rows))
      + Self.chunk("IEND", [])
  }

  /// Length, name, content, checksum of name and content.
  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    var chunk: [UInt8] = []
    chunk.append(bigEndian: UInt32(content.count))
    let named = Array(name.utf8) + content
    chunk += named
    chunk.append(bigEndian: checksum(named))
    return chunk
  }

  /// A zlib stream: the deflated bytes of a gzip file between zlib's own header and checksum
  /// (RFC 1950; RFC 1952: ten bytes before, eight after, since `gzip` writes no optional fields).
  private static func zlib(_ content: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    stream += gzip(content, level: 6).dropFirst(10).dropLast(8)
    var low: UInt32 = 1
    var high: UInt32 = 0
    for byte in content {
      low = (low + UInt32(byte)) % 65_521
      high = (high + low) % 65_521
    }
    stream.append(bigEndian: high << 16 | low)
    return stream
  }

  /// The CRC-32 of a chunk.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.reduce(0xffff_ffff as UInt32) { sum, byte in
      table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8
    } ^ 0xffff_ffff
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 1 ? 0xedb8_8320 ^ sum >> 1 : sum >> 1 }
  }
}

extension [UInt8] {
  fileprivate mutating func append(bigEndian number: UInt32) {
    for shift in stride(from: 24, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: number >> UInt32(shift)))
    }
  }
}
