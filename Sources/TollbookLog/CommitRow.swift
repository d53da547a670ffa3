import Bytes
package import TollbookEvents

/// What seals a commit: which positions it holds, when it was made and the root of the tree that it leaves.
///
/// Stored under its last position as first position, wall clock, commit time, size of the tree (8 bytes each,
/// big-endian), root (32) and CRC-32C of all that (4).
package struct CommitRow: Hashable, Sendable {
  package let first: Position
  package let last: Position
  /// What the clock said. It may run backwards.
  package let wall: Timestamp
  /// The clock, but never before the commit before it.
  package let time: Timestamp
  /// Leaves of the tree after this commit.
  package let treeSize: UInt64
  /// RFC 9162 root over all records up to `last`.
  package let root: TreeHash

  static let size = 4 * 8 + 32 + 4

  /// The row as it is stored.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.size)
    bytes.append(bigEndian: first)
    bytes.append(bigEndian: UInt64(bitPattern: wall.milliseconds))
    bytes.append(bigEndian: UInt64(bitPattern: time.milliseconds))
    bytes.append(bigEndian: treeSize)
    bytes.append(contentsOf: root)
    bytes.append(bigEndian: crc32c(bytes.span))
    return bytes
  }

  package init(
    first: Position, last: Position, wall: Timestamp, time: Timestamp, treeSize: UInt64,
    root: TreeHash
  ) {
    self.first = first
    self.last = last
    self.wall = wall
    self.time = time
    self.treeSize = treeSize
    self.root = root
  }

  /// Reads a stored row and checks its checksum.
  package init(last: Position, bytes: RawSpan) throws(Damage) {
    try Self.check(bytes, last: last)
    first = Self.first(of: bytes)
    self.last = last
    wall = Self.wall(of: bytes)
    time = Self.time(of: bytes)
    treeSize = bytes.bigEndianUInt64(at: 24)
    root = bytes.bytes(in: 32..<64)
  }

  /// Checks length and checksum of a stored row.
  static func check(_ bytes: RawSpan, last: Position) throws(Damage) {
    guard bytes.byteCount == size,
      crc32c(bytes.extracting(0..<(size - 4))) == bytes.bigEndianUInt32(at: size - 4)
    else {
      throw Damage(
        table: LogTables.commitsName, position: last,
        problem: "the seal of a commit does not match its checksum")
    }
  }

  /// The first position of a row that was checked.
  static func first(of bytes: RawSpan) -> Position { bytes.bigEndianUInt64(at: 0) }

  /// The wall clock of a row that was checked.
  static func wall(of bytes: RawSpan) -> Timestamp {
    Timestamp(milliseconds: Int64(bitPattern: bytes.bigEndianUInt64(at: 8)))
  }

  /// The commit time of a row that was checked.
  static func time(of bytes: RawSpan) -> Timestamp {
    Timestamp(milliseconds: Int64(bitPattern: bytes.bigEndianUInt64(at: 16)))
  }
}
