import TollbookEvents

/// Tells the history that a log holds from others, in which the same positions are other events.
///
/// A log that was begun is known by its first event, which holds the instant of its beginning. One that was restored is
/// known by how and when that was done: what it was restored from may have gone on.
package struct LogIdentity: Hashable, Sendable, CustomStringConvertible {
  private static let digits = 12

  /// Lower-case hexadecimal digits; none in a log without events.
  package let text: String

  fileprivate init(of bytes: [UInt8]?) {
    text = bytes.map { String(MerkleTree.leafHash($0).hexadecimal.prefix(Self.digits)) } ?? ""
  }

  /// Reads what `description` wrote; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let isOne =
      text.utf8.count == Self.digits
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    guard isOne || text.isEmpty else { return nil }
    self.text = String(text)
  }

  package var description: String { text }
}

extension LogReader {
  package func identity(
    in transaction: borrowing LogReading
  ) throws(LogError) -> LogIdentity {
    if let origin = try origin(in: transaction) { return LogIdentity(of: origin.bytes) }
    return LogIdentity(of: try record(at: 1, in: transaction))
  }
}

extension EventLog {
  package func identity() throws(LogError) -> LogIdentity {
    try read { (transaction) throws(LogError) in try reader.identity(in: transaction) }
  }
}
