import Bytes
package import TollbookEvents

/// What a log goes on from whose first events are not in it: the state that a snapshot holds.
package struct LogBase: Hashable, Sendable {
  /// The commit at whose end the snapshot was taken.
  package let commit: CommitRow
  /// The tree's right edge after that commit.
  package let frontier: MerkleFrontier
  /// The name of the snapshot's file in the directory's `snapshots` folder.
  package let snapshot: String

  /// - Throws: `Damage` if the edge does not hash to the commit's root.
  package init(
    commit: CommitRow, frontier: MerkleFrontier, snapshot: String
  ) throws(Damage) {
    guard frontier.size == commit.last, commit.treeSize == commit.last,
      frontier.root == commit.root
    else {
      throw Damage(
        table: LogTables.originName, position: commit.last,
        problem: "the edge of the tree does not hash to the root of its commit")
    }
    self.commit = commit
    self.frontier = frontier
    self.snapshot = snapshot
  }

  /// The last position that is known by the snapshot alone.
  package var position: Position { commit.last }
}

/// How a log that was restored came to be.
///
/// Stored as flags (1 byte: base, without bodies), last restored position and time (8 each), and for a base its
/// position (8), its commit row, the roots of the complete subtrees (32 each) and the snapshot's name; at the end the
/// CRC-32C of all that (4).
package struct LogOrigin: Hashable, Sendable {
  /// The last position that was restored.
  package var position: Position
  package var restored: Timestamp
  /// Whether bodies named up to `position` may be missing, because what the log was restored from had none.
  package var isWithoutBodies: Bool
  /// Nil: all events are there.
  package var base: LogBase?

  package init(
    position: Position, restored: Timestamp, isWithoutBodies: Bool, base: LogBase? = nil
  ) {
    self.position = position
    self.restored = restored
    self.isWithoutBodies = isWithoutBodies
    self.base = base
  }

  static var key: [UInt8] { Array("origin".utf8) }
}

extension LogOrigin {
  var bytes: [UInt8] {
    var bytes: [UInt8] = [(base == nil ? 0 : 1) | (isWithoutBodies ? 2 : 0)]
    bytes.append(bigEndian: position)
    bytes.append(bigEndian: UInt64(bitPattern: restored.milliseconds))
    if let base {
      bytes.append(bigEndian: base.position)
      bytes.append(contentsOf: base.commit.bytes)
      for hash in base.frontier.completeSubtrees { bytes.append(contentsOf: hash) }
      bytes.append(utf8: base.snapshot)
    }
    bytes.append(bigEndian: crc32c(bytes.span))
    return bytes
  }

  init(bytes: RawSpan) throws(Damage) {
    let damage = Damage(
      table: LogTables.originName, problem: "the note of a restore does not match its checksum")
    let end = bytes.byteCount - 4
    guard end >= 17, crc32c(bytes.extracting(0..<end)) == bytes.bigEndianUInt32(at: end) else {
      throw damage
    }
    let flags = bytes.byte(at: 0)
    position = bytes.bigEndianUInt64(at: 1)
    restored = Timestamp(milliseconds: Int64(bitPattern: bytes.bigEndianUInt64(at: 9)))
    isWithoutBodies = flags & 2 != 0
    guard flags & 1 != 0 else { return }
    guard end >= 25 + CommitRow.size else { throw damage }
    let last = bytes.bigEndianUInt64(at: 17)
    let hashes = 25 + CommitRow.size
    let name = hashes + 32 * last.nonzeroBitCount
    guard name <= end else { throw damage }
    let subtrees = (0..<last.nonzeroBitCount).map { index in
      bytes.bytes(in: (hashes + 32 * index)..<(hashes + 32 * index + 32))
    }
    guard let frontier = MerkleFrontier(size: last, subtrees: subtrees),
      let snapshot = bytes.utf8String(in: name..<end)
    else { throw damage }
    base = try LogBase(
      commit: CommitRow(last: last, bytes: bytes.extracting(25..<hashes)), frontier: frontier,
      snapshot: snapshot)
  }
}
