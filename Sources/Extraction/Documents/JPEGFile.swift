/// The size of a JPEG image, from its frame header. Source: ITU T.81, annex B (B.1.1.3 markers, B.2.2 frame header).
enum JPEGFile {
  /// Walks the segments from the start to the first scan. A missing end of the image is tolerated, as decoders do.
  static func size(of bytes: [UInt8]) throws(DocumentFault) -> PixelSize {
    var position = 2
    var size: PixelSize?
    while true {
      guard let marker = nextMarker(bytes, &position) else {
        throw .damaged(.jpeg, position < bytes.count ? .header : .cut)
      }
      switch marker {
      case 0x01, 0xd0...0xd7: continue  // TEM and RSTn stand alone.
      case 0xd8: throw .damaged(.jpeg, .header)  // A second start of an image.
      case 0xd9: throw .damaged(.jpeg, .noPixels)  // EOI before a scan.
      default: break
      }
      guard let length = bytes.bigEndian(2, at: position) else { throw .damaged(.jpeg, .cut) }
      guard length >= 2 else { throw .damaged(.jpeg, .header) }
      guard length <= bytes.count - position else { throw .damaged(.jpeg, .cut) }
      switch marker {
      // SOF0 to SOF15 without DHT, JPG and DAC, which lie between them.
      case 0xc0...0xc3, 0xc5...0xc7, 0xc9...0xcb, 0xcd...0xcf:
        let found = try frame(bytes, at: position, length: length)
        if size != nil { throw .damaged(.jpeg, .twoSizes) }
        size = found
      case 0xda:  // SOS
        guard let size else { throw .damaged(.jpeg, .noSize) }
        guard length < bytes.count - position else { throw .damaged(.jpeg, .noPixels) }
        return size
      default: break
      }
      position += length
    }
  }

  /// Reads a marker and passes it: FF, any number of FF to fill, and a code that is not 0. Nil if none stands there;
  /// `position` is then the length of the file if it ended too early.
  private static func nextMarker(_ bytes: [UInt8], _ position: inout Int) -> UInt8? {
    guard position < bytes.count, bytes[position] == 0xff else { return nil }
    while position < bytes.count, bytes[position] == 0xff { position += 1 }
    guard position < bytes.count, bytes[position] != 0 else { return nil }
    position += 1
    return bytes[position - 1]
  }

  /// Reads length (2), precision (1), lines (2), samples per line (2) and components (1, each with 3 more).
  private static func frame(
    _ bytes: [UInt8], at position: Int, length: Int
  ) throws(DocumentFault) -> PixelSize {
    guard length >= 8, let height = bytes.bigEndian(2, at: position + 3),
      let width = bytes.bigEndian(2, at: position + 5),
      let components = bytes.bigEndian(1, at: position + 7), components > 0,
      length == 8 + 3 * components, width > 0
    else { throw .damaged(.jpeg, .header) }
    // No lines: they are only counted after the first scan (DNL), which decoders rarely read.
    guard height > 0 else { throw .damaged(.jpeg, .noSize) }
    return PixelSize(width: width, height: height)
  }
}
