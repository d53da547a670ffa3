/// How much of a multipart body is read before it is refused.
package struct MultipartLimits: Hashable, Sendable {
  /// The longest headers of one part in bytes, with their line ends.
  package var headerBytes: Int
  /// The greatest number of parts.
  package var parts: Int
  /// The longest content of one part in bytes.
  package var partBytes: Int
  /// The longest content of parts of some names in bytes, instead of ``partBytes``.
  package var partBytesByName: [String: Int]
  /// The longest body in bytes, with boundaries and headers.
  package var bodyBytes: Int

  /// Limits; a negative one is 0.
  package init(
    headerBytes: Int = 4_096, parts: Int = 32, partBytes: Int = 14_000_000,
    partBytesByName: [String: Int] = [:], bodyBytes: Int = 16_000_000
  ) {
    self.headerBytes = max(headerBytes, 0)
    self.parts = max(parts, 0)
    self.partBytes = max(partBytes, 0)
    self.partBytesByName = partBytesByName.mapValues { max($0, 0) }
    self.bodyBytes = max(bodyBytes, 0)
  }

  /// The longest content of a part of this name in bytes.
  package func partBytes(of name: String) -> Int { partBytesByName[name] ?? partBytes }
}
