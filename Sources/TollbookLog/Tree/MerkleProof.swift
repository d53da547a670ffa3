package import TollbookEvents

/// Checks of the proofs of RFC 9162: that a record is in a tree, and that a tree only grew.
///
/// Pure: whoever holds a root and a path of some 20 hashes needs nothing else.
package enum MerkleProof {
  /// Whether the leaf stands at `index`, from 0, in the tree of that size and root (section 2.1.3.2).
  package static func verifyInclusion(
    leaf: TreeHash, index: UInt64, size: UInt64, path: [TreeHash], root: TreeHash
  ) -> Bool {
    guard index < size, areHashes(path), leaf.count == 32 else { return false }
    var hash = leaf
    let isAtRoot = climb(path, from: index, last: size - 1) { sibling, isLeft in
      hash = isLeft ? MerkleTree.nodeHash(sibling, hash) : MerkleTree.nodeHash(hash, sibling)
    }
    return isAtRoot && hash == root
  }

  /// Whether the tree of the old size and root is what the newer one began with (section 2.1.4.2). The empty tree is the
  /// beginning of every one, without a proof.
  package static func verifyConsistency(
    oldSize: UInt64, oldRoot: TreeHash, newSize: UInt64, newRoot: TreeHash, path: [TreeHash]
  ) -> Bool {
    guard oldSize <= newSize, areHashes(path) else { return false }
    if oldSize == newSize { return path.isEmpty && oldRoot == newRoot }
    if oldSize == 0 { return path.isEmpty && oldRoot == MerkleTree.emptyRoot }
    // An old tree that is complete is its own first hash.
    let hashes = oldSize.nonzeroBitCount == 1 ? [oldRoot] + path : path
    guard let first = hashes.first else { return false }
    var node = oldSize - 1
    var last = newSize - 1
    while node & 1 == 1 {
      node >>= 1
      last >>= 1
    }
    var (old, new) = (first, first)
    let isAtRoot = climb(hashes.dropFirst(), from: node, last: last) { hash, isLeft in
      if isLeft { old = MerkleTree.nodeHash(hash, old) }
      new = isLeft ? MerkleTree.nodeHash(hash, new) : MerkleTree.nodeHash(new, hash)
    }
    return isAtRoot && old == oldRoot && new == newRoot
  }

  /// Goes from a node up towards the root, a hash of the path at a time.
  ///
  /// - Parameters:
  ///   - last: the last node of the same level.
  ///   - join: gets each hash, and whether it stands to the left of what was joined so far.
  /// - Returns: whether the path ends at the root.
  private static func climb(
    _ path: some Sequence<TreeHash>, from node: UInt64, last: UInt64,
    _ join: (_ sibling: TreeHash, _ isLeft: Bool) -> Void
  ) -> Bool {
    var (node, last) = (node, last)
    for sibling in path {
      guard last > 0 else { return false }
      let isLeft = node & 1 == 1 || node == last
      join(sibling, isLeft)
      while isLeft && node & 1 == 0 && node != 0 {
        node >>= 1
        last >>= 1
      }
      node >>= 1
      last >>= 1
    }
    return last == 0
  }

  private static func areHashes(_ path: [TreeHash]) -> Bool { path.allSatisfy { $0.count == 32 } }
}

/// Makes the proofs of RFC 9162 over a log, from its stored tiles and, where these are too coarse, from its records.
///
/// Hashes that it has worked out it keeps, so that many proofs close to each other cost little more than one. Positions
/// count from 1 and leaves from 0: the event at position p is leaf p − 1.
package struct MerkleProver {
  private static let cacheLimit = 1 << 16

  private struct Node: Hashable {
    let level: UInt8
    let index: UInt64
  }

  private let reader: LogReader
  /// Nil: not asked for yet.
  private var base: LogBase??
  private var known: [Node: TreeHash] = [:]

  package init(_ reader: LogReader) { self.reader = reader }

  /// The path that proves the event at a position to be in the tree of the first `size` events.
  ///
  /// - Throws: `.beforeBase` if the event is not in the log.
  package mutating func inclusion(
    of position: Position, size: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> [TreeHash] {
    precondition(position > 0 && position <= size, "the tree does not hold the position")
    try require(position: position, in: transaction)
    let index = position - 1
    var path: [TreeHash] = []
    var start: UInt64 = 0
    var count = size
    while count > 1 {
      let half = Self.split(count)
      if index - start < half {
        path.append(try root(start + half, count - half, in: transaction))
        count = half
      } else {
        path.append(try root(start, half, in: transaction))
        start += half
        count -= half
      }
    }
    return path.reversed()
  }

  /// The path that proves the tree of the first `old` events to be what the tree of the first `new` ones began with.
  ///
  /// - Throws: `.beforeBase` if the old tree ends before the first event of the log.
  package mutating func consistency(
    from old: UInt64, to new: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> [TreeHash] {
    precondition(old <= new, "a tree does not shrink")
    guard old > 0, old < new else { return [] }
    try require(position: old + 1, in: transaction)
    var path: [TreeHash] = []
    var start: UInt64 = 0
    var count = new
    while old - start != count {
      let half = Self.split(count)
      if old - start <= half {
        path.append(try root(start + half, count - half, in: transaction))
        count = half
      } else {
        path.append(try root(start, half, in: transaction))
        start += half
        count -= half
      }
    }
    // What is left is a part of the old tree; its root is known already if it is all of it.
    if start > 0 { path.append(try root(start, count, in: transaction)) }
    return path.reversed()
  }

  /// The root of the tree of the first `size` events.
  ///
  /// - Throws: `.beforeBase` if that tree ends before the first event of the log.
  package mutating func root(
    size: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> TreeHash {
    guard size > 0 else { return MerkleTree.emptyRoot }
    try require(position: size + 1, in: transaction)
    return try root(0, size, in: transaction)
  }

  /// The largest power of two smaller than n.
  private static func split(_ count: UInt64) -> UInt64 {
    1 << UInt64(63 - (count - 1).leadingZeroBitCount)
  }

  private mutating func require(
    position: Position, in transaction: borrowing LogReading
  ) throws(LogError) {
    guard let base = try base(in: transaction), position <= base.position else { return }
    throw .beforeBase(base.position)
  }

  private mutating func base(
    in transaction: borrowing LogReading
  ) throws(LogError) -> LogBase? {
    if let base { return base }
    let found = try reader.base(in: transaction)
    base = .some(found)
    return found
  }

  /// The root over leaves from `start` on, which is a multiple of a power of two that is not less than `count`.
  private mutating func root(
    _ start: UInt64, _ count: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> TreeHash {
    var end = start + count
    var joined: TreeHash?
    // From the smallest complete subtree, at the right, to the largest.
    for level in UInt8(0)..<64 where count >> UInt64(level) & 1 == 1 {
      let width: UInt64 = 1 << UInt64(level)
      end -= width
      let hash = try subtree(level, end >> UInt64(level), in: transaction)
      joined = joined.map { MerkleTree.nodeHash(hash, $0) } ?? hash
    }
    return joined ?? MerkleTree.emptyRoot
  }

  /// The root of a complete subtree.
  private mutating func subtree(
    _ level: UInt8, _ index: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> TreeHash {
    let node = Node(level: level, index: index)
    if let hash = known[node] { return hash }
    let hash = try make(level, index, in: transaction)
    if known.count >= Self.cacheLimit { known = [:] }
    known[node] = hash
    return hash
  }

  private mutating func make(
    _ level: UInt8, _ index: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> TreeHash {
    if let base = try base(in: transaction), (index + 1) << UInt64(level) <= base.position {
      // Of what lies before the base, only the subtrees on its edge are known.
      guard base.position >> UInt64(level) == index + 1,
        let hash = base.frontier.subtree(level: Int(level))
      else { throw .beforeBase(base.position) }
      return hash
    }
    if level == 0 {
      guard let record = try reader.record(at: index + 1, in: transaction) else {
        throw .damaged(.missingEvent(at: index + 1))
      }
      return MerkleTree.leafHash(record)
    }
    if level % 8 == 0 { return try reader.tile(level: level, index: index, in: transaction) }
    let left = try subtree(level - 1, index * 2, in: transaction)
    return MerkleTree.nodeHash(left, try subtree(level - 1, index * 2 + 1, in: transaction))
  }
}
