/// What is taken from Keepa at most, so that no answer, however long, fills the memory or the log.
/// Far above what a true answer holds: a hundred products of the usual length, the most that one
/// call brings, are 5 MB and some 700,000 values.
package enum KeepaLimits {
  /// The longest answer, before and after decompression, in bytes.
  package static let body = 128 << 20
  /// All answers that come in at the same time together, as they come, in bytes.
  package static let bodies = 256 << 20
  /// The values and names of members of one answer; 16 bytes of memory each.
  package static let values = 16 << 20
  /// The products that are kept of one answer though nobody asked for them: as many as a call may ask for.
  package static let unasked = 100
  /// The longest text of a summary or an error message, in Unicode scalars.
  package static let text = 1_000
}
