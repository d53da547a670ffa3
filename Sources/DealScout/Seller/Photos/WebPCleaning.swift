import Extraction

/// A WebP without what is no part of its picture. Source: RFC 9649, sections 2.3 to 2.7.
///
/// How its EXIF chunk says it is to be turned goes with it; hardly any program heeds that in a WebP.
enum WebPCleaning {
  private static let headerBytes = 12
  /// The chunks that stay: pixels, transparency, frames, and the colour profile.
  private static let kept: Set<String> = [
    "VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP",
  ]
  /// Of a `VP8X` chunk: that EXIF or XMP chunks follow.
  private static let metadataFlags: UInt8 = 0x08 | 0x04

  static func cleaned(_ bytes: [UInt8]) throws(PhotoFault) -> [UInt8] {
    guard let length = bytes.dropFirst(4).littleEndian(4), length >= 4, length <= bytes.count - 8
    else { throw PhotoFault(.damaged(.webp, "it ends too early")) }
    let end = 8 + length
    var cleaned = Array(bytes.prefix(headerBytes))
    cleaned.reserveCapacity(end)
    var position = headerBytes
    while position < end {
      guard end - position >= 8, let length = bytes[(position + 4)...].littleEndian(4),
        length <= end - position - 8
      else { throw PhotoFault(.damaged(.webp, "a chunk does not lie in the file")) }
      let type = String(decoding: bytes[position..<position + 4], as: UTF8.self)
      // The byte that makes its length even may be missing from the last one.
      let next = min(position + 8 + length + length % 2, end)
      if kept.contains(type) {
        let start = cleaned.count
        cleaned += try cleanedChunk(bytes[position..<next], type)
        if (cleaned.count - start) % 2 == 1 { cleaned.append(0) }
        if type == "VP8X", length > 0 { cleaned[start + 8] &= ~metadataFlags }
      }
      position = next
    }
    let size = cleaned.count - 8
    for index in 0..<4 { cleaned[4 + index] = UInt8(truncatingIfNeeded: size >> (8 * index)) }
    return cleaned
  }

  /// A chunk as it stays. A frame of a moving picture (`ANMF`) has chunks of its own behind its first 16 bytes.
  private static func cleanedChunk(
    _ chunk: ArraySlice<UInt8>, _ type: String
  ) throws(PhotoFault) -> [UInt8] {
    guard type == "ANMF", let length = chunk.dropFirst(4).littleEndian(4) else {
      return Array(chunk)
    }
    let content = chunk.dropFirst(8).prefix(length)
    guard content.count >= 16 else {
      throw PhotoFault(.damaged(.webp, "a frame ends too early"))
    }
    var cleaned = Array(content.prefix(16))
    var rest = content.dropFirst(16)
    while !rest.isEmpty {
      guard rest.count >= 8, let length = rest.dropFirst(4).littleEndian(4),
        length <= rest.count - 8
      else { throw PhotoFault(.damaged(.webp, "a frame has a chunk that does not lie in it")) }
      let whole = rest.prefix(8 + length + length % 2)
      if ["ALPH", "VP8 ", "VP8L"].contains(String(decoding: whole.prefix(4), as: UTF8.self)) {
        cleaned += whole
        if whole.count % 2 == 1 { cleaned.append(0) }
      }
      rest = rest.dropFirst(whole.count)
    }
    var head = Array(chunk.prefix(8))
    for index in 0..<4 { head[4 + index] = UInt8(truncatingIfNeeded: cleaned.count >> (8 * index)) }
    return head + cleaned
  }
}
