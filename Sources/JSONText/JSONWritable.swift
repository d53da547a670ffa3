/// A value that knows how to write itself as one JSON value.
package protocol JSONWritable {
  /// Writes exactly one value.
  func write(to json: inout JSONWriter)
}

extension String: JSONWritable {
  package func write(to json: inout JSONWriter) { json.string(self) }
}

extension Bool: JSONWritable {
  package func write(to json: inout JSONWriter) { json.bool(self) }
}

extension Int: JSONWritable {
  package func write(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int32: JSONWritable {
  package func write(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int64: JSONWritable {
  package func write(to json: inout JSONWriter) { json.integer(self) }
}

extension UInt32: JSONWritable {
  package func write(to json: inout JSONWriter) { json.integer(UInt64(self)) }
}

extension UInt64: JSONWritable {
  package func write(to json: inout JSONWriter) { json.integer(self) }
}

extension Double: JSONWritable {
  package func write(to json: inout JSONWriter) { json.double(self) }
}

/// Bytes that already are one JSON value, and are written as they are.
package struct JSONFragment: JSONWritable, Hashable, Sendable {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package func write(to json: inout JSONWriter) { json.raw(bytes) }
}
