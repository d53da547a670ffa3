/// A JSON text that was checked once, kept with an index of where each value stands in it.
///
/// Nothing is decoded before it is asked for and nothing is ever rewritten: the bytes of any value
/// are a range of the bytes that came in. Immutable, so it can be handed to other tasks.
///
/// Where RFC 8259 leaves a choice:
/// * an object with the same name twice is accepted and **the last one is found** (as in Python,
///   JavaScript and Java, so that whoever gets the same bytes sees the same value); `members` lists
///   all of them;
/// * bytes that are not UTF-8, and a byte order mark, are refused;
/// * half of a surrogate pair (`"\ud83d"`) is accepted and reads as U+FFFD;
/// * numbers keep their digits: whoever asks decides whether `int64` or `double` is meant;
/// * texts of 4 GiB and more are refused.
package final class JSONDocument: Sendable {
  /// The text, as it was handed in.
  package let bytes: [UInt8]
  let tape: [JSONNode]

  /// Checks `bytes` and indexes them.
  ///
  /// - Parameters:
  ///   - maximumDepth: how deeply objects and arrays may be nested: at 1, a container of scalars.
  ///   - maximumValues: how many values and names of members there may be. Each takes 16 bytes of
  ///     memory and may be as short as two bytes of text: a text that others wrote needs a bound.
  /// - Throws: where the first byte stands that cannot be right.
  package init(
    _ bytes: [UInt8], maximumDepth: Int = 512, maximumValues: Int = .max
  ) throws(JSONError) {
    var scanner = JSONScanner(maximumDepth: maximumDepth, maximumValues: maximumValues)
    try scanner.scan(bytes.span)
    self.bytes = bytes
    tape = scanner.tape
  }

  /// The value that the text is.
  package var root: JSONValue { JSONValue(document: self, index: 0) }
}
