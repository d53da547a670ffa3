extension Fragment {
  /// The fragment of several contents one after the other, from theirs. Nothing is inflated or compressed.
  package init(joining parts: [Fragment]) {
    self.init(bytes: [], rawLength: 0, crc32: 0)
    bytes.reserveCapacity(parts.reduce(0) { $0 + $1.bytes.count })
    for part in parts {
      bytes += part.bytes
      crc32 = gzipChecksum(of: crc32, followedBy: part.crc32, length: part.rawLength)
      rawLength += part.rawLength
    }
  }
}
