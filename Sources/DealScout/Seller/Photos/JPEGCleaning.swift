import Extraction

/// A JPEG without what is no part of its picture. Source: ITU T.81, annex B (segments); JFIF 1.02; Exif 2.32, section
/// 4.5.
///
/// Of the application segments stay the short one of JFIF, Adobe's, which says how colours are written, and the colour
/// profile; all other ones (Exif, XMP, IPTC, lists of further pictures) and all comments go. Behind the end of the
/// picture nothing stays: telephones hang a second picture or a film on there, with a place of its own. How the picture
/// is to be turned is kept in a small Exif block of our own, see ``JPEGOrientation``.
enum JPEGCleaning {
  private static let comment: UInt8 = 0xfe
  private static let startOfScan: UInt8 = 0xda
  private static let endOfImage: UInt8 = 0xd9

  static func cleaned(_ bytes: [UInt8]) throws(PhotoFault) -> [UInt8] {
    var cleaned: [UInt8] = [0xff, 0xd8]
    cleaned.reserveCapacity(bytes.count + JPEGOrientation.segmentBytes)
    var orientation: UInt8?
    var position = 2
    // Our Exif block comes where Exif wants it: first, or behind the segment of JFIF.
    var place = 2
    scan: while position < bytes.count {
      let start = position
      let marker = try marker(bytes, &position)
      switch marker {
      case endOfImage:
        cleaned += [0xff, marker]
        break scan
      case 0x01, 0xd0...0xd7:
        cleaned += [0xff, marker]
        continue
      case 0xd8: throw PhotoFault(.damaged(.jpeg, "a second picture begins within it"))
      default: break
      }
      guard let length = bytes[position...].bigEndian(2), length >= 2,
        length <= bytes.count - position
      else { throw PhotoFault(.damaged(.jpeg, "a segment does not lie in the file")) }
      let content = bytes[position + 2..<position + length]
      position += length
      switch marker {
      case 0xe0...0xef, comment:
        if marker == 0xe1, orientation == nil { orientation = JPEGOrientation.read(content) }
        guard isKept(marker, content) else { continue }
        cleaned += [0xff, marker] + bytes[(position - length)..<position]
        if marker == 0xe0, start == 2 { place = cleaned.count }
      // Frames, tables and scans; what is reserved holds no part of a picture.
      case 0xc0...0xcf, 0xda...0xdf:
        cleaned += [0xff, marker] + bytes[(position - length)..<position]
        guard marker == startOfScan else { continue }
        let end = endOfScan(bytes, from: position)
        cleaned += bytes[position..<end]
        position = end
      default: continue
      }
    }
    if let orientation, let segment = JPEGOrientation.segment(orientation) {
      cleaned.insert(contentsOf: segment, at: place)
    }
    return cleaned
  }

  /// Reads a marker and passes it: FF, any number of FF to fill, and a code that is not 0.
  private static func marker(_ bytes: [UInt8], _ position: inout Int) throws(PhotoFault) -> UInt8 {
    guard bytes[position] == 0xff else {
      throw PhotoFault(.damaged(.jpeg, "something stands between two segments"))
    }
    while position < bytes.count, bytes[position] == 0xff { position += 1 }
    guard position < bytes.count, bytes[position] != 0 else {
      throw PhotoFault(.damaged(.jpeg, "a segment has no name"))
    }
    position += 1
    return bytes[position - 1]
  }

  /// Whether an application segment or a comment stays.
  private static func isKept(_ marker: UInt8, _ content: ArraySlice<UInt8>) -> Bool {
    switch marker {
    // Without the small picture that may follow.
    case 0xe0: content.starts(with: "JFIF\0".utf8) && content.count == 14
    case 0xe2: content.starts(with: "ICC_PROFILE\0".utf8)
    case 0xee: content.starts(with: "Adobe".utf8) && content.count == 12
    default: false
    }
  }

  /// Where the next marker stands that ends coded pixels: not a stuffed zero, and no restart.
  private static func endOfScan(_ bytes: [UInt8], from start: Int) -> Int {
    var position = start
    while let found = bytes[position...].firstIndex(of: 0xff) {
      guard found + 1 < bytes.count else { return bytes.count }
      switch bytes[found + 1] {
      case 0x00, 0x01, 0xd0...0xd7: position = found + 2
      case 0xff: position = found + 1
      default: return found
      }
    }
    return bytes.count
  }
}
