import Crypto
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// RFC 9162, section 2.1, written down as it is printed there, for the tests alone.
enum RFC9162 {
  typealias Hash = [UInt8]

  static func hash(_ bytes: [UInt8]) -> Hash { Hash(SHA256.hash(data: bytes)) }
  static func leaf(_ entry: [UInt8]) -> Hash { hash([0x00] + entry) }
  static func node(_ left: Hash, _ right: Hash) -> Hash { hash([0x01] + left + right) }

  /// The largest power of two smaller than n.
  static func split(_ n: Int) -> Int {
    var k = 1
    while k * 2 < n { k *= 2 }
    return k
  }

  /// MTH(D[n]), from the hashes of the leaves.
  static func root(_ leaves: ArraySlice<Hash>) -> Hash {
    if leaves.isEmpty { return hash([]) }
    if leaves.count == 1 { return leaves[leaves.startIndex] }
    let k = leaves.startIndex + split(leaves.count)
    return node(root(leaves[..<k]), root(leaves[k...]))
  }

  /// PATH(m, D[n]), section 2.1.3.1.
  static func path(_ m: Int, _ leaves: ArraySlice<Hash>) -> [Hash] {
    if leaves.count == 1 { return [] }
    let k = split(leaves.count)
    let middle = leaves.startIndex + k
    return m < k
      ? path(m, leaves[..<middle]) + [root(leaves[middle...])]
      : path(m - k, leaves[middle...]) + [root(leaves[..<middle])]
  }

  /// SUBPROOF(m, D[n], b), section 2.1.4.1.
  static func consistency(_ m: Int, _ leaves: ArraySlice<Hash>, _ isWhole: Bool = true) -> [Hash] {
    if m == leaves.count { return isWhole ? [] : [root(leaves)] }
    let k = split(leaves.count)
    let middle = leaves.startIndex + k
    return m <= k
      ? consistency(m, leaves[..<middle], isWhole) + [root(leaves[middle...])]
      : consistency(m - k, leaves[middle...], false) + [root(leaves[..<middle])]
  }

  /// Section 2.1.3.2.
  static func isIncluded(
    _ leaf: Hash, at index: Int, in root: Hash, size: Int, by path: [Hash]
  ) -> Bool {
    guard index < size else { return false }
    var (fn, sn, r) = (index, size - 1, leaf)
    for p in path {
      if sn == 0 { return false }
      if fn & 1 == 1 || fn == sn {
        r = node(p, r)
        while fn & 1 == 0 && fn != 0 { (fn, sn) = (fn >> 1, sn >> 1) }
      } else {
        r = node(r, p)
      }
      (fn, sn) = (fn >> 1, sn >> 1)
    }
    return sn == 0 && r == root
  }

  /// Section 2.1.4.2.
  static func isGrown(
    from first: Hash, size firstSize: Int, to second: Hash, size secondSize: Int, by proof: [Hash]
  ) -> Bool {
    if firstSize == secondSize { return proof.isEmpty && first == second }
    guard firstSize > 0, firstSize < secondSize else { return false }
    var path = proof
    if firstSize & (firstSize - 1) == 0 { path.insert(first, at: 0) }
    guard let start = path.first else { return false }
    var (fn, sn) = (firstSize - 1, secondSize - 1)
    while fn & 1 == 1 { (fn, sn) = (fn >> 1, sn >> 1) }
    var (fr, sr) = (start, start)
    for c in path.dropFirst() {
      if sn == 0 { return false }
      if fn & 1 == 1 || fn == sn {
        (fr, sr) = (node(c, fr), node(c, sr))
        while fn & 1 == 0 && fn != 0 { (fn, sn) = (fn >> 1, sn >> 1) }
      } else {
        sr = node(sr, c)
      }
      (fn, sn) = (fn >> 1, sn >> 1)
    }
    return fr == first && sr == second && sn == 0
  }
}

@Suite struct MerkleTests {
  @Test func `hashes are those of the RFC`() {
    #expect(
      MerkleTree.emptyRoot.hexadecimal
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    // The leaf of no bytes, as certificate transparency's own tests have it.
    #expect(
      MerkleTree.leafHash([]).hexadecimal
        == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    #expect(MerkleTree.leafHash([1, 2, 3]) == RFC9162.leaf([1, 2, 3]))
    let (one, two) = (RFC9162.leaf([1]), RFC9162.leaf([2]))
    #expect(MerkleTree.nodeHash(one, two) == RFC9162.node(one, two))
    #expect(MerkleTree.nodeHash(one, two) != MerkleTree.nodeHash(two, one))
  }

  @Test(arguments: 0...600)
  func `the root of a growing tree is the RFC's at every size`(size: Int) {
    let leaves = (0..<size).map { RFC9162.leaf([UInt8($0 % 251), UInt8($0 / 251)]) }
    var frontier = MerkleFrontier()
    for leaf in leaves { _ = frontier.append(leaf) }
    #expect(frontier.size == UInt64(size))
    #expect(frontier.root == RFC9162.root(leaves[...]))
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `roots and tiles of larger trees are the RFC's`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let size = seed == 1 ? 65_537 : random.int(700...9_000)
    let leaves = (0..<size).map { RFC9162.leaf([UInt8($0 & 255), UInt8($0 >> 8 & 255)]) }
    var frontier = MerkleFrontier()
    var tiles: [MerkleFrontier.Tile] = []
    for leaf in leaves { tiles += frontier.append(leaf) }

    #expect(frontier.root == RFC9162.root(leaves[...]))
    #expect(tiles.count == size / 256 + size / 65_536)
    for tile in tiles {
      let width = 1 << Int(tile.level)
      let start = Int(tile.index) * width
      #expect(tile.hash == RFC9162.root(leaves[start..<start + width]))
    }
    #expect(Set(tiles.map { [UInt64($0.level), $0.index] }).count == tiles.count)
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func `every commit seals the root of all records so far, and the roots prove each other`(
    seed: UInt64
  ) async throws {
    var random = SeededGenerator(seed: seed)
    let folder = try TemporaryFolder()
    let log = try folder.openLog()
    defer { log.close() }
    while log.head < 300 {
      try await log.append((0..<random.int(1...20)).map { note("\(seed).\($0)") })
    }
    let leaves = try log.records().map(RFC9162.leaf)
    let commits = try log.commits()
    for commit in commits {
      let size = Int(commit.treeSize)
      #expect(commit.treeSize == commit.last)
      #expect(commit.root == RFC9162.root(leaves[..<size]))
      let index = random.int(0...size - 1)
      let path = RFC9162.path(index, leaves[..<size])
      #expect(
        RFC9162.isIncluded(leaves[index], at: index, in: commit.root, size: size, by: path))
      let other = leaves[(index + 1) % leaves.count]
      #expect(!RFC9162.isIncluded(other, at: index, in: commit.root, size: size, by: path))
      let later = random.pick(commits.filter { $0.last >= commit.last })
      let proof = RFC9162.consistency(size, leaves[..<Int(later.treeSize)])
      #expect(
        RFC9162.isGrown(
          from: commit.root, size: size, to: later.root, size: Int(later.treeSize), by: proof))
    }
    #expect(log.root == commits.last?.root)
  }

  /// Sizes at which a stored hash is not yet, just, or already there.
  @Test func `a restart finds the same right edge around every stored hash`() async throws {
    let folder = try TemporaryFolder()
    var leaves: [RFC9162.Hash] = []
    for size in [1, 254, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_793] {
      leaves += try await Self.grow(in: folder, from: leaves.count, to: size)
      #expect(try Self.rootAfterRestart(in: folder) == RFC9162.root(leaves[...]))
    }
  }

  /// Appends up to a size, and returns the leaves of what it appended.
  private static func grow(
    in folder: TemporaryFolder, from start: Int, to size: Int
  ) async throws -> [RFC9162.Hash] {
    let log = try folder.openLog()
    defer { log.close() }
    #expect(log.head == UInt64(start))
    try await log.append((start..<size).map { note("\($0)") })
    return try log.read { (transaction) throws(LogError) in
      var leaves: [RFC9162.Hash] = []
      for position in UInt64(start + 1)...UInt64(size) {
        leaves.append(RFC9162.leaf(try log.reader.record(at: position, in: transaction) ?? []))
      }
      return leaves
    }
  }

  private static func rootAfterRestart(in folder: TemporaryFolder) throws -> TreeHash {
    let log = try folder.openLog()
    defer { log.close() }
    try log.read { (transaction) throws(LogError) in
      let frontier = try log.reader.frontier(size: log.head, in: transaction)
      #expect(frontier.root == log.root)
      #expect(frontier.size == log.head)
    }
    return log.root
  }
}
