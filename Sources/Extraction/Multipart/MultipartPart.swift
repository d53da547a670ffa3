/// What the headers of one part of a form say. Source: RFC 7578, sections 4.2 and 4.4.
package struct MultipartPart: Hashable, Sendable {
  /// The name of the field, 1 to ``longestName`` bytes of UTF-8.
  ///
  /// No control character was written in it. Browsers write CR, LF and the quote as `%0D`, `%0A` and `%22`; these
  /// three are decoded, so that it may have them.
  package var name: String
  /// The name of the file that was chosen, at most ``longestName`` bytes, with the same rule. It may be empty: so
  /// browsers send a field for a file where none was chosen.
  package var filename: String?
  /// The media type as it was written, with its parameters; nil if none was.
  package var contentType: String?

  /// The longest name and the longest file name in bytes of UTF-8.
  package static let longestName = 200

  package init(name: String, filename: String? = nil, contentType: String? = nil) {
    self.name = name
    self.filename = filename
    self.contentType = contentType
  }
}

/// What a ``MultipartReader`` found: for each part its beginning, its content in any number of pieces, and its end.
package enum MultipartEvent: Hashable, Sendable {
  /// The headers of a part were read.
  case begin(MultipartPart)
  /// The next bytes of its content, never empty.
  case data([UInt8])
  /// The part is complete.
  case end
}
