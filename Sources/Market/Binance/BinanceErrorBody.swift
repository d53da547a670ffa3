import JSONText
import TollbookEvents

/// What a refusal says: `{"code": -1121, "msg": "Invalid symbol."}` (errors.md), or something else.
struct BinanceErrorBody: Hashable, Sendable {
  /// Longer bodies are not read: errors are short.
  private static let mostBytes = 64 << 10
  private static let codes: ClosedRange<Int64> = -1_000_000...1_000_000

  let code: Int64?
  /// On one line; empty: there is none.
  let message: String
  /// Whether it is a page for a browser.
  let isPage: Bool

  init(_ body: [UInt8]) {
    let first = body.first { !Self.isSpace($0) }
    isPage = first == UInt8(ascii: "<")
    guard first == UInt8(ascii: "{"), body.count <= Self.mostBytes,
      let root = try? JSONDocument(body, maximumDepth: 8, maximumValues: 1_000).root,
      let code = root["code"]?.int64, Self.codes.contains(code)
    else {
      code = nil
      message = ""
      return
    }
    self.code = code
    // A text that is cut ends with one more character.
    message = (root["msg"]?.string ?? "").inOneLine(atMost: BinanceFailure.mostText - 1)
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  /// The instant in "IP banned until 1790000000123"; nil: none is told.
  var bannedUntil: Int64? {
    guard let range = message.firstRange(of: "banned until ") else { return nil }
    let digits = message[range.upperBound...].utf8.prefix { 0x30...0x39 ~= $0 }
    guard 1...15 ~= digits.count, let instant = Int64(Substring(digits)),
      BinanceTime.range.contains(instant)
    else { return nil }
    return instant
  }

  /// The exchange refuses places with these words, of which its documents say nothing.
  var isOfRegion: Bool { message.contains("restricted location") }
}
