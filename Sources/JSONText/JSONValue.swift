/// One value in a document: a place in it, not a copy.
///
/// The readers return nil when the value is of another kind, so that a path can be written as a
/// chain:
/// `root["stats"]?["current"]?[3]?.int64`.
package struct JSONValue: Sendable {
  let document: JSONDocument
  let index: Int

  var node: JSONNode { document.tape[index] }

  package var kind: JSONKind { node.kind }

  /// Where the value stands in the document's bytes, with its quotes or brackets and no space
  /// around.
  package var range: Range<Int> { Int(node.start)..<Int(node.end) }

  /// The value exactly as it was written.
  package var bytes: ArraySlice<UInt8> { document.bytes[range] }
}

// MARK: - Scalars

extension JSONValue {
  package var isNull: Bool { node.kind == .null }

  package var bool: Bool? { node.kind == .bool ? node.trait == .yes : nil }

  /// An integer, exactly; nil for one that does not fit and for `12.0` and `1e3`, which are numbers
  /// but not written as integers.
  package var int64: Int64? {
    guard let digits = integerDigits else { return nil }
    let isNegative = document.bytes[digits.lowerBound] == UInt8(ascii: "-")
    guard let magnitude = magnitude(of: digits.dropFirst(isNegative ? 1 : 0)) else { return nil }
    guard isNegative else { return Int64(exactly: magnitude) }
    return magnitude == Int64.min.magnitude ? .min : Int64(exactly: magnitude).map { -$0 }
  }

  /// An integer that is not negative, exactly; see ``int64``. `-0` is 0.
  package var uint64: UInt64? {
    guard let digits = integerDigits else { return nil }
    guard document.bytes[digits.lowerBound] == UInt8(ascii: "-") else {
      return magnitude(of: digits)
    }
    return magnitude(of: digits.dropFirst()) == 0 ? 0 : nil
  }

  /// An integer as the machine's `Int`; see ``int64``.
  package var int: Int? { int64.flatMap(Int.init(exactly:)) }

  /// A number, to the nearest double; nil when it is too large for one.
  package var double: Double? {
    guard node.kind == .number else { return nil }
    let value = Double(String(decoding: bytes, as: UTF8.self))
    return value.flatMap { $0.isFinite ? $0 : nil }
  }

  /// A string, unescaped.
  package var string: String? {
    guard node.kind == .string else { return nil }
    let inner = document.bytes[Int(node.start) + 1..<Int(node.end) - 1]
    guard node.trait == .escaped else { return String(decoding: inner, as: UTF8.self) }
    return String(decoding: unescaped(inner), as: UTF8.self)
  }

  private var integerDigits: Range<Int>? { node.trait == .integer ? range : nil }

  private func magnitude(of digits: Range<Int>) -> UInt64? {
    var value: UInt64 = 0
    for index in digits {
      let digit = UInt64(document.bytes[index] &- UInt8(ascii: "0"))
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(digit)
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  /// Whether this string says `text`.
  func equals(_ text: String) -> Bool {
    if node.trait == .escaped { return string == text }
    let length = Int(node.end) - Int(node.start) - 2
    let other = text.utf8.span
    guard other.count == length else { return false }
    let start = Int(node.start) + 1
    for offset in 0..<length where document.bytes[start + offset] != other[offset] { return false }
    return true
  }
}
