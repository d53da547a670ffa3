import SwiftProtobuf

extension ProductSummary {
  /// As it stands in a `CacheWritten` and in the cache's row.
  package var bytes: [UInt8] {
    // Encoding fails only for missing required fields, which proto3 does not have.
    (try? serializedBytes()) ?? []
  }

  /// Reads what `bytes` wrote; an empty summary if it cannot be read.
  package init(bytes: [UInt8]) {
    self = (try? ProductSummary(serializedBytes: bytes)) ?? ProductSummary()
  }
}
