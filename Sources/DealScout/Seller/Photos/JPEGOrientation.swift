/// How a JPEG is to be turned to be seen upright: a number from 1, as it is, to 8, in its Exif block. Without it the
/// photos of most telephones lie on their side.
///
/// Source: Exif 2.32, sections 4.5.2 (block), 4.6.2 (directory) and 4.6.4 (tag 0112); TIFF 6.0, section 2.
enum JPEGOrientation {
  /// The length of ``segment(_:)``, in bytes.
  static let segmentBytes = 36

  private static let tag = 0x0112
  /// The type of a number of 16 bits.
  private static let short = 3
  private static let mostFields = 512

  /// What the content of an APP1 segment says; nil: nothing, or nothing that there is.
  static func read(_ content: ArraySlice<UInt8>) -> UInt8? {
    guard content.starts(with: "Exif\0\0".utf8) else { return nil }
    let file = Array(content.dropFirst(6))
    let isBigEndian: Bool
    switch file.prefix(2) {
    case [0x4d, 0x4d]: isBigEndian = true
    case [0x49, 0x49]: isBigEndian = false
    default: return nil
    }
    func number(_ length: Int, at place: Int) -> Int? {
      guard place >= 0, place <= file.count - length else { return nil }
      return isBigEndian
        ? file[place...].bigEndian(length) : file[place...].littleEndian(length)
    }
    guard number(2, at: 2) == 42, let directory = number(4, at: 4),
      let count = number(2, at: directory)
    else { return nil }
    for index in 0..<min(count, mostFields) {
      let field = directory + 2 + 12 * index
      guard number(2, at: field) == tag else { continue }
      guard number(2, at: field + 2) == short, number(4, at: field + 4) == 1,
        let value = number(2, at: field + 8), 1...8 ~= value
      else { return nil }
      return UInt8(value)
    }
    return nil
  }

  /// An APP1 segment that says this alone; nil: it need not be said.
  static func segment(_ orientation: UInt8) -> [UInt8]? {
    guard 2...8 ~= orientation else { return nil }
    // A directory of one field, and no other directory behind it.
    return [0xff, 0xe1, 0, UInt8(segmentBytes - 2)] + Array("Exif\0\0MM\0*".utf8) + [
      0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, UInt8(short), 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
    ]
  }
}
