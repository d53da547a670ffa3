/// The bytes of a key in memory, hashed and compared as one block: in the order of keys in a table.
package struct KeyBytes: Hashable, Comparable, Sendable {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes.span) }

  package static func == (left: KeyBytes, right: KeyBytes) -> Bool {
    left.bytes.withRawSpan { $0.elementsEqual(right.bytes) }
  }

  package static func < (left: KeyBytes, right: KeyBytes) -> Bool {
    left.bytes.withRawSpan { $0.lexicographicallyPrecedes(right.bytes.span) }
  }
}
