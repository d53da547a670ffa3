import Extraction

/// A PNG without what is no part of its picture. Source: PNG (W3C Recommendation, third edition), sections 5 and 11.
///
/// Its colour profile (`iCCP`) goes too: it is compressed, of any length, and has a name in words. How its `eXIf` says
/// it is to be turned goes with it; hardly any program heeds that in a PNG.
enum PNGCleaning {
  private static let signatureBytes = 8

  /// The chunks that stay: pixels, their colours, transparency, the size of a point, and the frames of a moving
  /// picture.
  private static let kept: Set<String> = [
    "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "cHRM", "gAMA", "sBIT", "sRGB", "cICP", "bKGD", "pHYs",
    "acTL", "fcTL", "fdAT",
  ]

  static func cleaned(_ bytes: [UInt8]) throws(PhotoFault) -> [UInt8] {
    var cleaned: [UInt8] = []
    cleaned.reserveCapacity(bytes.count)
    cleaned += bytes.prefix(signatureBytes)
    var position = signatureBytes
    while position < bytes.count {
      // Length, type, content, checksum.
      guard let length = bytes[position...].bigEndian(4), length <= bytes.count - position - 12
      else { throw PhotoFault(.damaged(.png, "a chunk does not lie in the file")) }
      let end = position + 12 + length
      let type = String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)
      if kept.contains(type) { cleaned += bytes[position..<end] }
      // Nothing behind the end belongs to the picture.
      if type == "IEND" { break }
      position = end
    }
    return cleaned
  }
}
