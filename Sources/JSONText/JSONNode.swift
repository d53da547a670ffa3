/// One value on the tape of a document, in the order of the text: a container, then what is in it.
/// In an object a member is two nodes, its name and its value.
struct JSONNode {
  /// First byte and the one after the last, quotes and brackets included.
  var start: UInt32
  var end: UInt32
  /// Index of the first node that is not inside this one.
  var next: UInt32
  var kind: JSONKind
  var trait: Trait

  /// What need not be found out twice.
  enum Trait: UInt8 {
    case none
    /// A string with at least one escape.
    case escaped
    /// A number without fraction and exponent.
    case integer
    /// The value `true`.
    case yes
  }
}
