import Foundation

/// A text in small letters, as words are looked for in it.
///
/// Two texts that Swift's `contains` finds one in the other are so byte by byte too, once both are composed (Unicode
/// Standard Annex 15, form C). To compare bytes is some ten times as fast, and most texts need not even that: they lack
/// one of the word's pairs of neighbouring bytes.
struct SearchedText: Sendable {
  let bytes: [UInt8]
  /// Where it is, each byte is a character, but for line ends, of which no word has one.
  let isASCII: Bool
  /// The pairs of neighbouring bytes, each as one of 256 bits.
  let pairs: SIMD4<UInt64>

  /// - Parameter text: in small letters.
  init(_ text: String) {
    isASCII = text.utf8.allSatisfy { $0 < 0x80 }
    // A mark that stands alone is composed with what is before it in the other text: no byte tells.
    let isMark = text.unicodeScalars.first?.properties.isGraphemeExtend ?? false
    let composed = isASCII ? text : text.precomposedStringWithCanonicalMapping
    bytes = isMark ? [] : Array(composed.utf8)
    var pairs = SIMD4<UInt64>()
    for (left, right) in zip(bytes, bytes.dropFirst()) {
      let bit = (UInt32(left) &* 0x9e37 &+ UInt32(right) &* 0x79b1) >> 4 & 255
      pairs[Int(bit >> 6)] |= 1 << UInt64(bit & 63)
    }
    self.pairs = pairs
  }

  /// Whether a word can be in a text with these pairs.
  func canBe(in others: SIMD4<UInt64>) -> Bool { pairs & others == pairs }

  /// Whether the bytes of a word are in it.
  func has(_ word: SearchedText) -> Bool {
    guard let first = word.bytes.first else { return true }
    let (text, rest) = (bytes.span, word.bytes.span)
    guard text.count >= rest.count else { return false }
    for start in 0...(text.count - rest.count) where text[start] == first {
      var length = 1
      while length < rest.count, text[start + length] == rest[length] { length += 1 }
      if length == rest.count { return true }
    }
    return false
  }
}
