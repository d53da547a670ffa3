import Foundation

/// The words of a title, in its order.
///
/// Case, accents, full-width forms and punctuation are folded away, and a word is cut between letters and digits:
/// `WH-1000XM4`, `wh1000xm4` and `WH 1000 XM4` are all `wh`, `1000`, `xm`, `4`.
package struct TitleWords: Hashable, Sendable {
  /// Of a longer title only the beginning is read. eBay allows 80 characters.
  package static let mostScalars = 300
  /// More words are left out.
  package static let mostWords = 60
  /// Of a longer word only the beginning is kept, in bytes.
  package static let mostBytes = 32

  package private(set) var all: [String] = []
  /// Where a word begins that was written with the one before it as one: `128GB`.
  private(set) var isJoined: [Bool] = []
  /// Where a word is the first one inside a bracket.
  private(set) var isInBracket: [Bool] = []

  package init(_ title: String) {
    var reader = Reader()
    if title.utf8.prefix(Self.mostScalars).allSatisfy({ $0 < 0x80 }) {
      for byte in title.utf8.prefix(Self.mostScalars) { reader.read(byte) }
    } else {
      let start = String(String.UnicodeScalarView(title.unicodeScalars.prefix(Self.mostScalars)))
      // Compatibility decomposition takes accents and widths apart (Unicode Standard Annex 15).
      let text = start.decomposedStringWithCompatibilityMapping
      for scalar in text.unicodeScalars.prefix(4 * Self.mostScalars) {
        if scalar.isASCII { reader.read(UInt8(scalar.value)) } else { reader.read(scalar) }
      }
    }
    reader.endWord()
    all = reader.words
    isJoined = reader.isJoined
    isInBracket = reader.isInBracket
  }

  private struct Reader {
    private enum Kind { case letter, digit, other }

    private(set) var words: [String] = []
    private(set) var isJoined: [Bool] = []
    private(set) var isInBracket: [Bool] = []
    private var word: [UInt8] = []
    private var last = Kind.other
    private var afterBracket = false
    private var joins = false

    /// An ASCII character.
    mutating func read(_ byte: UInt8) {
      switch byte {
      case 0x30...0x39: add(byte, .digit)
      case 0x61...0x7A: add(byte, .letter)
      case 0x41...0x5A: add(byte + 0x20, .letter)
      // What stands for an apostrophe parts no word: `won't` is `wont`.
      case 0x27, 0x60: break
      case 0x28, 0x5B, 0x7B:
        endWord()
        afterBracket = true
      default: endWord()
      }
    }

    /// Any other character.
    mutating func read(_ scalar: Unicode.Scalar) {
      if scalar.value == 0x2019 || scalar.properties.generalCategory == .nonspacingMark { return }
      guard scalar.properties.isAlphabetic else { return endWord() }
      for byte in String(scalar.folded).utf8 { add(byte, .letter) }
    }

    private mutating func add(_ byte: UInt8, _ kind: Kind) {
      if last != .other, last != kind {
        close()
        joins = true
      }
      last = kind
      word.append(byte)
    }

    /// Ends a word at something that parts words.
    mutating func endWord() {
      close()
      last = .other
      joins = false
    }

    private mutating func close() {
      guard !word.isEmpty else { return }
      if words.count < TitleWords.mostWords {
        // Cut inside of a character, the rest is shown by the replacement character, always the same.
        words.append(String(decoding: word.prefix(TitleWords.mostBytes), as: UTF8.self))
        isJoined.append(joins)
        isInBracket.append(afterBracket)
      }
      afterBracket = false
      word.removeAll(keepingCapacity: true)
    }
  }
}

extension Unicode.Scalar {
  /// In lower case; letters with a stroke or of two letters as they are written without them.
  fileprivate var folded: String.UnicodeScalarView {
    switch value {
    case 0xDF, 0x1E9E: "ss".unicodeScalars
    case 0xC6, 0xE6: "ae".unicodeScalars
    case 0x152, 0x153: "oe".unicodeScalars
    case 0xD8, 0xF8: "o".unicodeScalars
    case 0x141, 0x142: "l".unicodeScalars
    case 0x110, 0x111: "d".unicodeScalars
    case 0x131: "i".unicodeScalars
    default: properties.lowercaseMapping.unicodeScalars
    }
  }
}
