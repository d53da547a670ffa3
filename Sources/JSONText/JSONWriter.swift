/// Writes JSON into a byte buffer of its own, every member in the order in which it is written.
///
/// ```swift
/// var json = JSONWriter()
/// json.object { json in
///   json.field("name", name)
///   json.field("price", price)  // an Int64? that is nil writes null
///   json.array("results", results) { json, result in
///     json.object { $0.field("name", result.name) }
///   }
/// }
/// return json.bytes
/// ```
///
/// The writer puts commas and quotes; what it cannot know is whether members stand in an object and
/// values in an array, so a nonsensical order of calls writes nonsense. Inside a closure use the
/// writer that the closure is given: the outer one is being changed and the compiler says so.
package struct JSONWriter: Sendable {
  /// How the text is laid out.
  package enum Layout: Sendable {
    /// No white space at all.
    case compact
    /// For people: one member or element per line, two spaces per level.
    case indented
  }

  /// What has been written so far: UTF-8, complete once every object and array is closed.
  package private(set) var bytes: [UInt8]

  private let layout: Layout
  private var depth = 0
  /// Whether a value stands before the place where the next one goes, on the same level.
  private var follows = false
  /// Whether a name was just written, so that what comes next is its value.
  private var named = false

  /// An empty writer with room for `capacity` bytes before its buffer has to grow.
  package init(layout: Layout = .compact, capacity: Int = 256) {
    self.layout = layout
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// The text written so far.
  package var string: String { String(decoding: bytes, as: UTF8.self) }
}

// MARK: - Values

extension JSONWriter {
  /// Writes one value, as an element of an array or as the whole document.
  package mutating func value(_ value: some JSONWritable) {
    value.write(to: &self)
  }

  /// Writes a value, or `null` if there is none.
  package mutating func value<Value: JSONWritable>(_ value: Value?) {
    if let value { value.write(to: &self) } else { null() }
  }

  package mutating func null() {
    beginValue()
    append("null")
    follows = true
  }

  package mutating func bool(_ value: Bool) {
    beginValue()
    append(value ? "true" : "false")
    follows = true
  }

  /// Writes a string in quotes. Escapes what JSON demands and nothing more.
  package mutating func string(_ value: String) {
    beginValue()
    appendQuoted(value)
    follows = true
  }

  package mutating func integer(_ value: Int64) {
    beginValue()
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDigits(value.magnitude)
    follows = true
  }

  package mutating func integer(_ value: UInt64) {
    beginValue()
    appendDigits(value)
    follows = true
  }

  /// Writes the shortest decimal that reads back as the same number. JSON has no infinity and no
  /// "not a number": both become `null`.
  package mutating func double(_ value: Double) {
    guard value.isFinite else { return null() }
    beginValue()
    append(value.description)
    follows = true
  }

  /// Writes bytes that already are one JSON value, unchanged and unchecked.
  package mutating func raw(_ json: some Collection<UInt8>) {
    beginValue()
    bytes.append(contentsOf: json)
    follows = true
  }
}

// MARK: - Objects and arrays

extension JSONWriter {
  /// Writes an object whose members `body` writes with `field`, `object(_:)` and `array(_:)`.
  package mutating func object<E: Error>(
    _ body: (inout JSONWriter) throws(E) -> Void
  ) throws(E) {
    beginObject()
    try body(&self)
    endObject()
  }

  /// Writes an array whose elements `body` writes with `value`, `object` and `array`.
  package mutating func array<E: Error>(
    _ body: (inout JSONWriter) throws(E) -> Void
  ) throws(E) {
    beginArray()
    try body(&self)
    endArray()
  }

  /// Writes an array with one value for each item, which `body` writes.
  package mutating func array<Items: Sequence, E: Error>(
    _ items: Items, _ body: (inout JSONWriter, Items.Element) throws(E) -> Void
  ) throws(E) {
    beginArray()
    for item in items { try body(&self, item) }
    endArray()
  }

  /// Writes an array of plain values.
  package mutating func array<Items: Sequence>(_ items: Items) where Items.Element: JSONWritable {
    beginArray()
    for item in items { item.write(to: &self) }
    endArray()
  }

  package mutating func beginObject() { open(UInt8(ascii: "{")) }
  package mutating func endObject() { close(UInt8(ascii: "}")) }
  package mutating func beginArray() { open(UInt8(ascii: "[")) }
  package mutating func endArray() { close(UInt8(ascii: "]")) }
}

// MARK: - Members of an object

extension JSONWriter {
  /// Writes a member's name; its value must come next.
  package mutating func name(_ name: String) {
    separate()
    appendQuoted(name)
    bytes.append(UInt8(ascii: ":"))
    if layout == .indented { bytes.append(UInt8(ascii: " ")) }
    named = true
  }

  /// Writes a member.
  package mutating func field(_ name: String, _ value: some JSONWritable) {
    self.name(name)
    value.write(to: &self)
  }

  /// Writes a member; its value is `null` if there is none.
  package mutating func field<Value: JSONWritable>(_ name: String, _ value: Value?) {
    self.name(name)
    self.value(value)
  }

  /// Writes a member only if there is a value.
  package mutating func fieldIfPresent<Value: JSONWritable>(_ name: String, _ value: Value?) {
    if let value { field(name, value) }
  }

  /// Writes a member whose value is `json`: bytes that already are one JSON value.
  package mutating func rawField(_ name: String, _ json: some Collection<UInt8>) {
    self.name(name)
    raw(json)
  }

  /// Writes members: bytes that already are members of an object, one or more, with commas between them.
  package mutating func rawMembers(_ members: some Collection<UInt8>) {
    if follows { bytes.append(UInt8(ascii: ",")) }
    bytes.append(contentsOf: members)
    follows = true
  }

  /// Writes a member that is `null`.
  package mutating func nullField(_ name: String) {
    self.name(name)
    null()
  }

  /// Writes a member that is an object.
  package mutating func object<E: Error>(
    _ name: String, _ body: (inout JSONWriter) throws(E) -> Void
  ) throws(E) {
    self.name(name)
    try object(body)
  }

  /// Writes a member that is an array.
  package mutating func array<E: Error>(
    _ name: String, _ body: (inout JSONWriter) throws(E) -> Void
  ) throws(E) {
    self.name(name)
    try array(body)
  }

  /// Writes a member that is an array with one value for each item, which `body` writes.
  package mutating func array<Items: Sequence, E: Error>(
    _ name: String, _ items: Items,
    _ body: (inout JSONWriter, Items.Element) throws(E) -> Void
  ) throws(E) {
    self.name(name)
    try array(items, body)
  }

  /// Writes a member that is an array of plain values.
  package mutating func array<Items: Sequence>(_ name: String, _ items: Items)
  where Items.Element: JSONWritable {
    self.name(name)
    array(items)
  }
}

// MARK: - Members of the types that most have

// The same as above, written out: a generic call into another module looks its type up each time.
extension JSONWriter {
  package mutating func field(_ name: String, _ value: String) {
    self.name(name)
    string(value)
  }

  package mutating func field(_ name: String, _ value: String?) {
    self.name(name)
    if let value { string(value) } else { null() }
  }

  package mutating func field(_ name: String, _ value: Int64) {
    self.name(name)
    integer(value)
  }

  package mutating func field(_ name: String, _ value: Int64?) {
    self.name(name)
    if let value { integer(value) } else { null() }
  }

  package mutating func field(_ name: String, _ value: Int) {
    self.name(name)
    integer(Int64(value))
  }

  package mutating func field(_ name: String, _ value: Int?) {
    self.name(name)
    if let value { integer(Int64(value)) } else { null() }
  }

  package mutating func field(_ name: String, _ value: Double) {
    self.name(name)
    double(value)
  }

  package mutating func field(_ name: String, _ value: Double?) {
    self.name(name)
    if let value { double(value) } else { null() }
  }

  package mutating func field(_ name: String, _ value: Bool) {
    self.name(name)
    bool(value)
  }

  package mutating func field(_ name: String, _ value: Bool?) {
    self.name(name)
    if let value { bool(value) } else { null() }
  }
}

// MARK: - Bytes

extension JSONWriter {
  private mutating func open(_ bracket: UInt8) {
    beginValue()
    bytes.append(bracket)
    depth += 1
    follows = false
  }

  private mutating func close(_ bracket: UInt8) {
    depth -= 1
    if follows { breakLine() }
    bytes.append(bracket)
    follows = true
  }

  private mutating func beginValue() {
    if named { named = false } else { separate() }
  }

  private mutating func separate() {
    if follows {
      bytes.append(UInt8(ascii: ","))
      follows = false
    }
    if depth > 0 { breakLine() }
  }

  private mutating func breakLine() {
    guard layout == .indented else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
  }

  private mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func appendDigits(_ value: UInt64) {
    if value < 10 { return bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value)) }
    var digits = [20 of UInt8](repeating: 0)
    var start = 20
    var rest = value
    while rest > 0 {
      start -= 1
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
      digits[start] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: remainder)
      rest = quotient
    }
    for index in start..<20 { bytes.append(digits[index]) }
  }

  private mutating func appendQuoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    if Self.isPlain(text) {
      bytes.append(contentsOf: text.utf8)
    } else {
      for byte in text.utf8 { appendEscaped(byte) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Whether a text can stand between quotes as it is.
  private static func isPlain(_ text: String) -> Bool {
    let utf8 = text.utf8.span
    var odd = false
    for index in utf8.indices {
      let byte = utf8[index]
      let special = byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
      odd = odd || special
    }
    return !odd
  }

  private mutating func appendEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case UInt8(ascii: "\n"): append("\\n")
    case UInt8(ascii: "\r"): append("\\r")
    case UInt8(ascii: "\t"): append("\\t")
    case 0x08: append("\\b")
    case 0x0C: append("\\f")
    case 0x00..<0x20:
      append("\\u00")
      bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
      let low = byte & 0x0F
      bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
    default: bytes.append(byte)
    }
  }
}
