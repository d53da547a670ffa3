import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// Roots and proofs as RFC 9162 defines them, by recursion over ranges of leaves; each range is hashed once.
private final class Reference {
  private struct Range: Hashable {
    let start: Int
    let count: Int
  }

  let leaves: [TreeHash]
  private var roots: [Range: TreeHash] = [:]

  init(_ leaves: [TreeHash]) { self.leaves = leaves }

  func root(_ start: Int, _ count: Int) -> TreeHash {
    if count == 0 { return RFC9162.hash([]) }
    if count == 1 { return leaves[start] }
    if let known = roots[Range(start: start, count: count)] { return known }
    let half = RFC9162.split(count)
    let hash = RFC9162.node(root(start, half), root(start + half, count - half))
    roots[Range(start: start, count: count)] = hash
    return hash
  }

  /// PATH(m, D[n]).
  func path(_ m: Int, _ n: Int, from start: Int = 0) -> [TreeHash] {
    if n == 1 { return [] }
    let k = RFC9162.split(n)
    return m < k
      ? path(m, k, from: start) + [root(start + k, n - k)]
      : path(m - k, n - k, from: start + k) + [root(start, k)]
  }

  /// SUBPROOF(m, D[n], b).
  func consistency(
    _ m: Int, _ n: Int, from start: Int = 0, isWhole: Bool = true
  ) -> [TreeHash] {
    if m == n { return isWhole ? [] : [root(start, n)] }
    let k = RFC9162.split(n)
    return m <= k
      ? consistency(m, k, from: start, isWhole: isWhole) + [root(start + k, n - k)]
      : consistency(m - k, n - k, from: start + k, isWhole: false) + [root(start, k)]
  }
}

@Suite struct MerkleProofTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func log(of events: Int) async throws -> (log: EventLog, reference: Reference) {
    let log = try folder.openLog()
    for start in stride(from: 0, to: events, by: 5_000) {
      try await log.append((start..<min(start + 5_000, events)).map { note("\($0)") })
    }
    return (log, Reference(try log.records().map(RFC9162.leaf)))
  }

  @Test func `the checks accept what the RFC's known trees prove`() throws {
    // The tree of certificate transparency's own tests: leaves of 0, 1, 1, 2, 2, 4, 8 and 16 bytes.
    let leaves = [
      [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], Array(0x40...0x43), Array(0x50...0x57),
      Array(0x60...0x6f) as [UInt8],
    ].map { MerkleTree.leafHash($0) }
    let reference = Reference(leaves)
    let roots = [
      1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    for (size, root) in roots { #expect(reference.root(0, size).hexadecimal == root) }
    #expect(
      reference.path(0, 8).map(\.hexadecimal) == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
      ])
    for size in 1...8 {
      for index in 0..<size {
        #expect(
          MerkleProof.verifyInclusion(
            leaf: leaves[index], index: UInt64(index), size: UInt64(size),
            path: reference.path(index, size), root: reference.root(0, size)))
      }
    }
  }

  @Test func `every proof of every small tree is the RFC's and proves`() async throws {
    let (log, reference) = try await log(of: 300)
    defer { log.close() }
    var prover = MerkleProver(log.reader)
    var wrong = 0
    try log.read { (transaction) throws(LogError) in
      for size in (1...130) + [131, 191, 192, 193, 255, 256, 257, 299, 300] {
        let root = reference.root(0, size)
        if try prover.root(size: UInt64(size), in: transaction) != root { wrong += 1 }
        for index in 0..<size {
          let path = try prover.inclusion(
            of: UInt64(index + 1), size: UInt64(size), in: transaction)
          let proves = MerkleProof.verifyInclusion(
            leaf: reference.leaves[index], index: UInt64(index), size: UInt64(size), path: path,
            root: root)
          if path != reference.path(index, size) || !proves { wrong += 1 }
        }
        for old in 0...size {
          let path = try prover.consistency(from: UInt64(old), to: UInt64(size), in: transaction)
          let proves = MerkleProof.verifyConsistency(
            oldSize: UInt64(old), oldRoot: reference.root(0, old), newSize: UInt64(size),
            newRoot: root, path: path)
          if old > 0, path != reference.consistency(old, size) { wrong += 1 }
          if !proves { wrong += 1 }
        }
      }
    }
    #expect(wrong == 0)
  }

  @Test(.timeLimit(.minutes(30)))
  func `proofs over tiles are the RFC's`() async throws {
    let (log, reference) = try await log(of: 70_000)
    defer { log.close() }
    var random = SeededGenerator(seed: 9_162)
    let edges = [1, 255, 256, 257, 65_535, 65_536, 65_537, 69_888, 69_999, 70_000]
    try log.read { (transaction) throws(LogError) in
      for round in 0..<150 {
        // A prover of its own: what it finds is not what it remembers.
        var prover = MerkleProver(log.reader)
        let size = round < edges.count ? edges[round] : random.int(1...70_000)
        let position = random.int(1...size)
        let old = round % 3 == 0 ? min(size, random.pick(edges)) : random.int(1...size)
        let included = try prover.inclusion(
          of: UInt64(position), size: UInt64(size), in: transaction)
        #expect(included == reference.path(position - 1, size))
        let grown = try prover.consistency(from: UInt64(old), to: UInt64(size), in: transaction)
        #expect(grown == reference.consistency(old, size))
        let root = try prover.root(size: UInt64(size), in: transaction)
        #expect(root == reference.root(0, size))
      }
    }
  }

  @Test func `no flipped bit of a proof passes, nor a proof of something else`() async throws {
    let (log, reference) = try await log(of: 40)
    defer { log.close() }
    for (index, size) in [(0, 1), (0, 40), (13, 40), (39, 40), (31, 37)] {
      let leaf = reference.leaves[index]
      let root = reference.root(0, size)
      let path = reference.path(index, size)
      func proves(_ leaf: TreeHash, _ index: Int, _ size: Int, _ path: [TreeHash]) -> Bool {
        MerkleProof.verifyInclusion(
          leaf: leaf, index: UInt64(index), size: UInt64(size), path: path, root: root)
      }
      #expect(proves(leaf, index, size, path))
      var passed = 0
      for place in path.indices {
        for bit in 0..<256 {
          var flipped = path
          flipped[place][bit / 8] ^= 1 << UInt8(bit % 8)
          if proves(leaf, index, size, flipped) { passed += 1 }
        }
      }
      for bit in 0..<256 {
        var flipped = leaf
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        if proves(flipped, index, size, path) { passed += 1 }
      }
      for other in 0..<size where other != index {
        if proves(leaf, other, size, path) { passed += 1 }
      }
      #expect(passed == 0)
      #expect(!proves(leaf, size, size, path))
      #expect(!proves(leaf, index, size, path + [root]))
      #expect(path.isEmpty || !proves(leaf, index, size, Array(path.dropLast())))
      #expect(path.isEmpty || !proves(leaf, index, size, [path[0] + [0]] + path.dropFirst()))
    }
  }

  @Test func `no flipped bit of a proof of growth passes`() async throws {
    let (log, reference) = try await log(of: 40)
    defer { log.close() }
    for (old, size) in [(1, 2), (7, 40), (8, 40), (32, 33), (39, 40), (40, 40)] {
      let path = reference.consistency(old, size)
      let oldRoot = reference.root(0, old)
      func proves(_ old: Int, _ oldRoot: TreeHash, _ path: [TreeHash]) -> Bool {
        MerkleProof.verifyConsistency(
          oldSize: UInt64(old), oldRoot: oldRoot, newSize: UInt64(size),
          newRoot: reference.root(0, size), path: path)
      }
      #expect(proves(old, oldRoot, path))
      var passed = 0
      for bit in 0..<(256 * (path.count + 1)) {
        var (changed, root) = (path, oldRoot)
        if bit / 256 < path.count {
          changed[bit / 256][bit % 256 / 8] ^= 1 << UInt8(bit % 8)
        } else {
          root[bit % 256 / 8] ^= 1 << UInt8(bit % 8)
        }
        if proves(old, root, changed) { passed += 1 }
      }
      #expect(passed == 0)
      #expect(!proves(size + 1, oldRoot, path))
      #expect(!proves(old, oldRoot, path + [oldRoot]))
      #expect(path.isEmpty || !proves(old, oldRoot, []))
    }
    #expect(
      !MerkleProof.verifyConsistency(
        oldSize: 0, oldRoot: reference.root(0, 1), newSize: 3, newRoot: reference.root(0, 3),
        path: []))
  }

  @Test(arguments: [1, 5, 255, 256, 257, 300, 511, 512, 700])
  func `a log with a base proves what came after it, and refuses what came before`(
    events: UInt64
  ) async throws {
    let original = try folder.openLog("original")
    var written = 0
    while written < 1_500 {
      let count = min(1 + written % 9, 1_500 - written)
      try await original.append((0..<count).map { note("\(written + $0)") })
      written += count
    }
    let records = try original.records()
    let commits = try original.commits()
    original.close()
    let reference = Reference(records.map(RFC9162.leaf))
    let at = try #require(commits.firstIndex { $0.last >= events })
    var frontier = MerkleFrontier()
    for leaf in reference.leaves.prefix(Int(commits[at].last)) { _ = frontier.append(leaf) }
    let base = try LogBase(commit: commits[at], frontier: frontier, snapshot: "a.snapshot")
    do {
      let importer = try LogImporter(folder.own("restored"), options: .scratch)
      try importer.begin(
        LogOrigin(
          position: base.position, restored: .testStart, isWithoutBodies: true, base: base))
      try importer.append(
        commits[(at + 1)...].map { row in
          SealedCommit(row: row, records: Array(records[Int(row.first) - 1..<Int(row.last)]))
        })
    }
    let log = try folder.openLog("restored")
    defer { log.close() }
    var random = SeededGenerator(seed: events)
    var prover = MerkleProver(log.reader)
    try log.read { (transaction) throws(LogError) in
      for round in 0..<60 {
        let size = round == 0 ? base.position : UInt64(random.int(Int(base.position)...1_500))
        let root = try prover.root(size: size, in: transaction)
        #expect(root == reference.root(0, Int(size)))
        let old = round == 1 ? base.position : UInt64(random.int(Int(base.position)...Int(size)))
        if old > 0 {
          let grown = try prover.consistency(from: old, to: size, in: transaction)
          #expect(grown == reference.consistency(Int(old), Int(size)))
        }
        guard size > base.position else { continue }
        let position = UInt64(random.int(Int(base.position) + 1...Int(size)))
        let included = try prover.inclusion(of: position, size: size, in: transaction)
        #expect(included == reference.path(Int(position) - 1, Int(size)))
      }
    }
    func refused(
      _ body: (inout MerkleProver, borrowing ReadTransaction) throws(LogError) -> Void
    ) -> Bool {
      do throws(LogError) {
        try log.read { (transaction) throws(LogError) in try body(&prover, transaction) }
        return false
      } catch { return error == .beforeBase(base.position) }
    }
    #expect(
      refused { (prover, transaction) throws(LogError) in
        _ = try prover.inclusion(of: base.position, size: 1_500, in: transaction)
      })
    #expect(
      base.position == 1
        || refused { (prover, transaction) throws(LogError) in
          _ = try prover.consistency(from: base.position - 1, to: 1_500, in: transaction)
        })
  }
}
