/// The six kinds of JSON values.
package enum JSONKind: UInt8, Hashable, Sendable, CustomStringConvertible {
  case null, bool, number, string, array, object

  /// The kind in a sentence: "names must be an array, not a string".
  package var description: String {
    switch self {
    case .null: "null"
    case .bool: "true or false"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
