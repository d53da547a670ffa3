import TollbookSimulators

/// Small pictures with much beside them.
enum SamplePhotos {
  /// Stands in all that is no part of a picture, and nowhere else.
  static let place = Array("PLACE 51.4779,-0.0015".utf8)

  // MARK: JPEG

  static func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
    let length = content.count + 2
    return [0xff, marker, UInt8(length >> 8), UInt8(length & 0xff)] + content
  }

  /// An Exif block that says how the picture is to be turned, and where it was taken.
  static func exif(orientation: UInt8, isBigEndian: Bool = true) -> [UInt8] {
    func number(_ value: Int, _ length: Int) -> [UInt8] {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return isBigEndian ? bytes.reversed() : bytes
    }
    let field: (Int, Int, Int, [UInt8]) -> [UInt8] = { tag, type, count, value in
      number(tag, 2) + number(type, 2) + number(count, 4) + value
    }
    return Array("Exif\0\0".utf8) + Array((isBigEndian ? "MM" : "II").utf8) + number(42, 2)
      + number(8, 4) + number(2, 2)
      + field(0x0112, 3, 1, number(Int(orientation), 2) + [0, 0])
      + field(0x010e, 2, place.count, number(38, 4)) + number(0, 4) + place
  }

  /// A JPEG of 4 by 3 points. What is coded in it is invented: nobody decodes it.
  static func jpeg(
    exif: [UInt8]? = exif(orientation: 6), hasJFIF: Bool = true, isWhole: Bool = true
  ) -> [UInt8] {
    var file: [UInt8] = [0xff, 0xd8]
    if hasJFIF {
      file += segment(0xe0, Array("JFIF\0".utf8) + [1, 2, 0, 0, 1, 0, 1, 0, 0])
    }
    if let exif { file += segment(0xe1, exif) }
    file += segment(0xe1, Array("http://ns.adobe.com/xap/1.0/\0".utf8) + place)
    file += segment(0xe2, Array("ICC_PROFILE\0".utf8) + [1, 1, 7, 7, 7])
    file += segment(0xe2, Array("MPF\0".utf8) + place)
    file += segment(0xed, Array("Photoshop 3.0\0".utf8) + place)
    file += segment(0xfe, place)
    file += segment(0xdb, [0] + [UInt8](repeating: 1, count: 64))
    file += segment(0xc0, [8, 0, 3, 0, 4, 1, 1, 0x11, 0])
    file += segment(0xc4, [0] + [UInt8](repeating: 0, count: 16))
    file += segment(0xda, [1, 1, 0, 0, 63, 0])
    file += [0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56, 0x78]
    if isWhole {
      // Behind the end lies a second picture with a place of its own.
      file += [0xff, 0xd9] + [0xff, 0xd8] + segment(0xe1, place) + [0xff, 0xd9]
    }
    return file
  }

  // MARK: PNG

  static func png(_ number: Int = 1, writing: String? = nil) -> [UInt8] {
    var photo = DrawnPhoto(number: number)
    photo.writing = writing
    let text = String(decoding: place, as: UTF8.self)
    return PhotoDrawing.png(photo, texts: [("Comment", text), ("Location", text)])
  }

  /// The header of a PNG and a row of nothing, which promises more points than any memory holds.
  static func pngBomb(side: UInt32) -> [UInt8] {
    var header = Array("IHDR".utf8)
    for shift in [24, 16, 8, 0] { header.append(UInt8(truncatingIfNeeded: side >> UInt32(shift))) }
    for shift in [24, 16, 8, 0] { header.append(UInt8(truncatingIfNeeded: side >> UInt32(shift))) }
    header += [8, 2, 0, 0, 0]
    return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13] + header + crc(header)
      + [0, 0, 0, 4] + Array("IDAT".utf8) + [0, 0, 0, 0] + [0, 0, 0, 0]
  }

  private static func crc(_ bytes: [UInt8]) -> [UInt8] {
    var sum: UInt32 = .max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
    }
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ~sum >> UInt32($0)) }
  }

  // MARK: WebP

  static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
    let length = content.count
    return Array(type.utf8)
      + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + content
      + (length % 2 == 1 ? [0] : [])
  }

  /// A WebP of 4 by 3 points in the extended format. What is coded in it is invented.
  static func webp() -> [UInt8] {
    let pixels: [UInt8] = [0x2f, 3, 0x80, 0, 0, 0x55]
    let chunks =
      chunk("VP8X", [0x2c, 0, 0, 0, 3, 0, 0, 2, 0, 0]) + chunk("ICCP", [1, 2, 3])
      + chunk("VP8L", pixels) + chunk("EXIF", place) + chunk("XMP ", place) + chunk("ABCD", place)
    return chunk("RIFF", Array("WEBP".utf8) + chunks) + place
  }
}
