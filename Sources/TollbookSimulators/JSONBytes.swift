/// Writes JSON straight into bytes. Integers are written as integers; commas set themselves.
package struct JSONBytes: Sendable {
  /// What was written so far.
  package private(set) var bytes: [UInt8] = []

  /// An empty text with room for `capacity` bytes.
  package init(capacity: Int = 256) {
    bytes.reserveCapacity(capacity)
  }

  /// Writes a comma unless a value is expected here anyway.
  private mutating func separate() {
    switch bytes.last {
    case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): break
    default: bytes.append(UInt8(ascii: ","))
    }
  }

  /// Writes an object around what `body` writes.
  package mutating func object(_ body: (inout JSONBytes) -> Void) {
    separate()
    bytes.append(UInt8(ascii: "{"))
    body(&self)
    bytes.append(UInt8(ascii: "}"))
  }

  /// Writes an array around what `body` writes.
  package mutating func array(_ body: (inout JSONBytes) -> Void) {
    separate()
    bytes.append(UInt8(ascii: "["))
    body(&self)
    bytes.append(UInt8(ascii: "]"))
  }

  /// Writes the name of a member; its value must follow.
  package mutating func key(_ name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
  }

  /// Writes an integer.
  package mutating func int(_ value: Int) {
    separate()
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    let start = bytes.count
    repeat {
      bytes.append(48 + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    var low = start
    var high = bytes.count - 1
    while low < high {
      bytes.swapAt(low, high)
      low += 1
      high -= 1
    }
  }

  /// Writes a number with a fraction: 0 is `0.0`, 1250 is `1.25`.
  package mutating func decimal(thousandths: Int) {
    var digits = String(thousandths.magnitude % 1000 + 1000).dropFirst()
    while digits.count > 1, digits.last == "0" { digits.removeLast() }
    let sign = thousandths < 0 ? "-" : ""
    raw("\(sign)\(thousandths.magnitude / 1000).\(digits)".utf8)
  }

  /// Writes a string, escaped.
  package mutating func string(_ value: String) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0..<32:
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(byte < 16 ? 48 : 49)
        let low = byte & 15
        bytes.append(low < 10 ? 48 + low : 87 + low)
      default:
        bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Writes `true` or `false`.
  package mutating func bool(_ value: Bool) {
    separate()
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  /// Writes `null`.
  package mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
  }

  /// Writes bytes that are JSON already, as they are.
  package mutating func raw(_ json: some Sequence<UInt8>) {
    separate()
    bytes.append(contentsOf: json)
  }

  /// Writes an array of integers, or `null`.
  package mutating func ints(_ values: [Int]?) {
    guard let values else { return null() }
    array { json in
      for value in values { json.int(value) }
    }
  }

  /// Writes an integer member, or `null`.
  package mutating func member(_ name: String, _ value: Int?) {
    key(name)
    if let value { int(value) } else { null() }
  }

  /// Writes a string member, or `null`.
  package mutating func member(_ name: String, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  /// Writes a truth member, or `null`.
  package mutating func member(_ name: String, _ value: Bool?) {
    key(name)
    if let value { bool(value) } else { null() }
  }

  /// Writes a member that is an array of integers, or `null`.
  package mutating func member(_ name: String, _ values: [Int]?) {
    key(name)
    ints(values)
  }

  /// Writes a member that is an array of strings, or `null`.
  package mutating func member(_ name: String, _ values: [String]?) {
    key(name)
    guard let values else { return null() }
    array { json in
      for value in values { json.string(value) }
    }
  }

  /// Writes `null` members.
  package mutating func nullMembers(_ names: String...) {
    for name in names {
      key(name)
      null()
    }
  }
}
