/// Why a text is not JSON, and where.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was found wrong.
  package enum Reason: String, Hashable, Sendable {
    case unexpectedEnd = "the text ends too early"
    case trailingText = "text follows after the value"
    case expectedValue = "a value is expected"
    case expectedName = "a member name in quotes is expected"
    case expectedColon = "a colon is expected"
    case expectedCommaOrBrace = "a comma or } is expected"
    case expectedCommaOrBracket = "a comma or ] is expected"
    case badNumber = "this is not a number"
    case badEscape = "this is not an escape"
    case controlCharacter = "a control character must be escaped"
    case badUTF8 = "this is not UTF-8"
    case byteOrderMark = "JSON starts without a byte order mark"
    case tooDeep = "objects and arrays are nested too deeply"
    case tooLong = "the text is too long"
    case tooManyValues = "the text has too many values"
  }

  package let reason: Reason
  /// Offset in bytes of the first byte that cannot be right; the length of the text if it ends too
  /// early.
  package let offset: Int

  package init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  package var description: String { "not JSON at byte \(offset): \(reason.rawValue)" }
}
