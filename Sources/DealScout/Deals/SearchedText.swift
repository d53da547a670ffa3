import Foundation

/// A text, as words are looked for in it whatever letters are small.
///
/// Two texts in small letters that Swift's `contains` finds one in the other are so byte by byte too, once both are composed
/// (Unicode Standard Annex 15, form C). To compare bytes is some ten times as fast, and most texts need not even that:
/// they lack one of the word's pairs of neighbouring bytes.
struct SearchedText: Sendable {
  /// Composed, and in small letters but for those of ASCII.
  private let bytes: ArraySlice<UInt8>
  /// Where it is, each byte is a character, but for line ends, of which no word has one.
  let isASCII: Bool

  init(bytes: ArraySlice<UInt8>, isASCII: Bool) {
    self.bytes = bytes
    self.isASCII = isASCII
  }

  /// - Parameter word: in small letters.
  init(word: String) {
    isASCII = word.utf8.allSatisfy { $0 < 0x80 }
    // A mark that stands alone is composed with what is before it in the other text: no byte tells.
    let isMark = word.unicodeScalars.first?.properties.isGraphemeExtend ?? false
    bytes = isMark ? [] : ArraySlice((isASCII ? word : Self.composed(word)).utf8)
  }

  static func composed(_ text: String) -> String { text.precomposedStringWithCanonicalMapping }

  /// The pairs of neighbouring bytes, each as one of 256 bits.
  var pairs: SIMD4<UInt64> {
    var pairs = SIMD4<UInt64>()
    for (left, right) in zip(bytes, bytes.dropFirst()) {
      let (left, right) = (UInt32(Self.small(left)), UInt32(Self.small(right)))
      let bit = (left &* 0x9e37 &+ right &* 0x79b1) >> 4 & 255
      pairs[Int(bit >> 6)] |= 1 << UInt64(bit & 63)
    }
    return pairs
  }

  /// Whether the bytes of a word are in it.
  func has(_ word: SearchedText) -> Bool {
    guard let first = word.bytes.first else { return true }
    let (text, rest) = (bytes.span, word.bytes.span)
    guard text.count >= rest.count else { return false }
    for start in 0...(text.count - rest.count) where Self.small(text[start]) == first {
      var length = 1
      while length < rest.count, Self.small(text[start + length]) == rest[length] { length += 1 }
      if length == rest.count { return true }
    }
    return false
  }

  private static func small(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
}
