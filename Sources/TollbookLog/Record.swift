import Bytes
package import TollbookEvents

/// An event as stored: tag (1 byte), commit time in milliseconds (8, big-endian), protobuf payload, CRC-32C of all
/// that stands before it (4, big-endian). The whole record is a leaf of the Merkle tree, so a proof of it proves its
/// time too.
package enum Record {
  private static let headerSize = 9
  private static let checksumSize = 4

  /// The bytes of an event that happened in a commit of that time.
  package static func encode(_ event: Event, time: Timestamp) -> [UInt8] {
    let payload = event.payload
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headerSize + payload.count + checksumSize)
    bytes.append(event.kind.rawValue)
    bytes.append(bigEndian: UInt64(bitPattern: time.milliseconds))
    bytes.append(contentsOf: payload)
    bytes.append(bigEndian: crc32c(bytes.span))
    return bytes
  }

  /// The event of stored bytes, after checking them.
  ///
  /// - Parameter wall: what the clock said at the commit, which a record does not tell; nil: nobody asks for it.
  package static func decode(
    _ bytes: RawSpan, at position: Position, wall: Timestamp? = nil
  ) throws(Damage) -> RecordedEvent {
    try check(bytes, at: position)
    return try decoding(bytes, at: position, wall: wall)
  }

  /// The event of stored bytes that were checked.
  package static func decoding(
    _ bytes: RawSpan, at position: Position, wall: Timestamp? = nil
  ) throws(Damage) -> RecordedEvent {
    do throws(EventCodingError) {
      let payload = bytes.extracting(headerSize..<(bytes.byteCount - checksumSize))
      let event = try Event(tag: bytes.byte(at: 0), payload: payload)
      return RecordedEvent(
        position: position, time: time(of: bytes), wall: wall, event: event)
    } catch {
      throw Damage(table: LogTables.eventsName, position: position, problem: "\(error)")
    }
  }

  /// Checks length and checksum, without decoding.
  package static func check(_ bytes: RawSpan, at position: Position) throws(Damage) {
    guard bytes.byteCount >= headerSize + checksumSize else {
      throw Damage(
        table: LogTables.eventsName, position: position,
        problem: "a record of \(bytes.byteCount) bytes is too short")
    }
    let content = bytes.extracting(0..<(bytes.byteCount - checksumSize))
    let stored = bytes.bigEndianUInt32(at: bytes.byteCount - checksumSize)
    guard crc32c(content) == stored else {
      throw Damage(
        table: LogTables.eventsName, position: position,
        problem: "a record does not match its checksum")
    }
  }

  /// The tag of a record whose length was checked.
  package static func tag(of bytes: RawSpan) -> UInt8 { bytes.byte(at: 0) }

  /// Where the payload stands in a record whose length was checked.
  package static func payload(of bytes: RawSpan) -> Range<Int> {
    headerSize..<(bytes.byteCount - checksumSize)
  }

  /// The commit time of a record whose length was checked.
  package static func time(of bytes: RawSpan) -> Timestamp {
    Timestamp(milliseconds: Int64(bitPattern: bytes.bigEndianUInt64(at: 1)))
  }
}
