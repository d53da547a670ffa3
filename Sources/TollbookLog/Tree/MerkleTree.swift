import Crypto

/// A SHA-256 hash of the tree: 32 bytes.
package typealias TreeHash = [UInt8]

/// The hashes of RFC 9162 section 2.1.1.
package enum MerkleTree {
  /// The root of the empty tree: the hash of nothing.
  package static let emptyRoot = TreeHash(SHA256.hash(data: [UInt8]()))

  /// `HASH(0x00 || record)`.
  package static func leafHash(_ record: [UInt8]) -> TreeHash {
    // SAFETY: the view does not outlive the call.
    unsafe leafHash(record.span.bytes)
  }

  /// `HASH(0x00 || record)`.
  package static func leafHash(_ record: RawSpan) -> TreeHash {
    var hasher = leafHasher
    // SAFETY: read during the call.
    unsafe record.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
    return hasher.finalize().hash
  }

  /// `HASH(0x01 || left || right)`.
  package static func nodeHash(_ left: TreeHash, _ right: TreeHash) -> TreeHash {
    var hasher = nodeHasher
    // SAFETY: read during the calls.
    unsafe left.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
    unsafe right.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
    return hasher.finalize().hash
  }

  // Hashers that have eaten the prefix byte: copying one is cheaper than hashing the byte again.
  private static let leafHasher = hasher(after: 0x00)
  private static let nodeHasher = hasher(after: 0x01)

  private static func hasher(after prefix: UInt8) -> SHA256 {
    var hasher = SHA256()
    hasher.update(data: [prefix])
    return hasher
  }
}

extension SHA256Digest {
  /// Copied at once: as a sequence it would be copied twice and byte by byte.
  fileprivate var hash: TreeHash {
    // SAFETY: copied during the call.
    unsafe withUnsafeBytes { unsafe TreeHash($0) }
  }
}

/// The right edge of a growing RFC 9162 tree: the root of each complete subtree, which is all that appending needs.
///
/// A tree of n leaves has one complete subtree for each bit set in n. Every 256 leaves a subtree of level 8 is complete,
/// every 65,536 one of level 16, and so on: those are the *tiles* that the log stores, so that a proof or a restart
/// hashes a few hundred records and not all of them.
package struct MerkleFrontier: Hashable, Sendable {
  /// A complete subtree worth keeping: its hash, the level of its root (8, 16, 24 …) and its index on that level.
  package struct Tile: Hashable, Sendable {
    package let level: UInt8
    package let index: UInt64
    package let hash: TreeHash
  }

  package private(set) var size: UInt64
  /// By level; set where `size` has that bit.
  private var subtrees: [TreeHash?]

  package init() {
    size = 0
    subtrees = []
  }

  /// The edge of a tree of that size, from the roots of its complete subtrees, the largest first: one for each bit set.
  package init?(size: UInt64, subtrees hashes: [TreeHash]) {
    guard hashes.count == size.nonzeroBitCount, hashes.allSatisfy({ $0.count == 32 }) else {
      return nil
    }
    self.size = size
    var rest = hashes[...]
    subtrees = Array(repeating: nil, count: 64 - size.leadingZeroBitCount)
    for level in subtrees.indices.reversed() where size >> UInt64(level) & 1 == 1 {
      subtrees[level] = rest.removeFirst()
    }
  }

  /// The roots of its complete subtrees, the largest first.
  package var completeSubtrees: [TreeHash] { subtrees.reversed().compactMap(\.self) }

  /// The root of the complete subtree of that level, if the edge holds one.
  package func subtree(level: Int) -> TreeHash? {
    subtrees.indices.contains(level) ? subtrees[level] : nil
  }

  /// Adds a leaf and returns the tiles that it completes, lowest first: mostly none.
  package mutating func append(_ leaf: TreeHash) -> [Tile] {
    append(subtree: leaf, level: 0)
  }

  /// Adds a complete subtree of 2^level leaves; `size` must be a multiple of that.
  @discardableResult
  package mutating func append(subtree: TreeHash, level: Int) -> [Tile] {
    precondition(size & ((1 << UInt64(level)) - 1) == 0, "the subtree does not fit the edge")
    var carried = subtree
    var level = level
    var tiles: [Tile] = []
    size += 1 << UInt64(level)
    while true {
      if level > 0 && level % 8 == 0 {
        tiles.append(
          Tile(level: UInt8(level), index: (size >> UInt64(level)) - 1, hash: carried))
      }
      while subtrees.count <= level { subtrees.append(nil) }
      guard let left = subtrees[level] else { break }
      carried = MerkleTree.nodeHash(left, carried)
      subtrees[level] = nil
      level += 1
    }
    subtrees[level] = carried
    return tiles
  }

  /// The root over all leaves so far: the subtrees joined from the smallest to the largest.
  package var root: TreeHash {
    var joined: TreeHash?
    for subtree in subtrees {
      guard let subtree else { continue }
      joined = joined.map { MerkleTree.nodeHash(subtree, $0) } ?? subtree
    }
    return joined ?? MerkleTree.emptyRoot
  }
}
