/// Why compressed bytes were refused.
package enum DeflateError: Error, Hashable, Sendable {
  /// The content is longer than the caller allows.
  case tooLarge(limit: Int)
  /// The bytes are no such stream, or its checksum or length does not fit.
  case corrupted
  /// The bytes end before the stream does.
  case truncated

  /// A short bounded name for metrics and log fields, without values.
  package var label: StaticString {
    switch self {
    case .tooLarge: "too_large"
    case .corrupted: "corrupted"
    case .truncated: "truncated"
    }
  }
}

extension DeflateError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooLarge(let limit): "the content is longer than \(limit) bytes"
    case .corrupted: "the compressed bytes are damaged"
    case .truncated: "the compressed bytes end too early"
    }
  }
}
