import Bytes
import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive

@Suite struct RestoreTests {
  private let lab: SnapshotLab

  init() throws { lab = try SnapshotLab(seed: 21) }

  /// A history of two parts with a snapshot between them; closed again.
  private func history(
    _ before: UInt64 = 120, _ after: UInt64 = 80, bodies: Bool = true
  ) async throws -> (taken: SnapshotManifest, state: StateDigest, head: Position) {
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(before, to: log)
    let taken = try lab.write(log, bodies: bodies)
    try lab.export(log, name: "early.export")
    try await lab.append(after, to: log)
    try lab.export(log, name: "all.export")
    try lab.export(log, bodies: false, name: "bare.export")
    try lab.export(log, from: taken.position + 1, name: "tail.export")
    try lab.export(log, from: taken.position / 2, name: "overlap.export")
    return (taken, try log.stateDigest(), log.head)
  }

  private func problem(
    snapshot: String? = nil, export: String? = nil, to name: String = "restored"
  ) -> RestoreProblem? {
    do { try lab.restore(snapshot: snapshot, export: export, to: name) } catch {
      return error as? RestoreProblem
    }
    return nil
  }

  /// What lies in the lab's folder beside what `history` made.
  private func leftovers() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: lab.folder.path)
      .filter { $0.contains("restor") }.sorted()
  }

  // MARK: What comes back

  @Test func `a snapshot alone gives its own state, and the log goes on from there`() async throws {
    let (taken, _, _) = try await history()

    let outcome = try lab.restore(snapshot: "a.snapshot")

    #expect(outcome.state == taken.state)
    #expect(outcome.head == taken.position)
    #expect(outcome.rows == taken.rows)
    #expect(outcome.bodies == taken.bodies?.stored)
    #expect(outcome.events == 0)
    #expect(!outcome.isWithoutBodies)
    let name = SnapshotShelf.name(of: taken.position)
    #expect(outcome.base == .init(position: taken.position, snapshot: name))
    #expect(try DataDirectory.base(of: lab.path("restored")) == outcome.base)
    #expect(try DataDirectory.mode(of: lab.path("restored")) == .simulated)
    let marker = try String(contentsOfFile: lab.path("restored/tollbook.format"), encoding: .utf8)
    #expect(
      marker
        == "tollbook format \(DataDirectory.format) simulated base \(taken.position) \(name)\n")
    let shelf = try SnapshotShelf(directory: lab.path("restored")).list()
    #expect(shelf.map(\.file) == [name])
    #expect(shelf.first?.isBase == true)
    try goesOn(from: outcome)
    #expect(try leftovers() == ["restored"])
  }

  private func goesOn(from outcome: Restore.Outcome) throws {
    let log = try lab.open("restored")
    defer { log.close() }
    #expect(log.head == outcome.head)
    #expect(try log.stateDigest() == outcome.state)
    #expect(try LogVerifier(log).verify().damages.isEmpty)
  }

  @Test func `a restored log takes new events, snapshots and another restore`() async throws {
    _ = try await history()
    let outcome = try lab.restore(snapshot: "a.snapshot", export: "tail.export")
    let again = try await grown("restored", after: outcome)
    let copied = try lab.restore(snapshot: "again.snapshot", to: "restored-again")
    #expect(copied.state == again.state)
  }

  private func grown(
    _ name: String, after outcome: Restore.Outcome
  ) async throws -> SnapshotManifest {
    let log = try lab.open(name)
    defer { log.close() }
    try await lab.append(30, to: log)
    #expect(log.head > outcome.head)
    #expect(try LogVerifier(log).verify().damages.isEmpty)
    return try lab.write(log, bodies: true, to: "again.snapshot")
  }

  @Test(
    arguments: [
      (nil, "all.export"), ("a.snapshot", "all.export"), ("a.snapshot", "bare.export"),
      ("a.snapshot", "tail.export"), ("a.snapshot", "overlap.export"),
    ] as [(String?, String)])
  func `whatever is given, the end is the state that was lost`(
    snapshot: String?, export: String
  ) async throws {
    let (taken, state, head) = try await history()

    let outcome = try lab.restore(snapshot: snapshot, export: export)

    #expect(outcome.state == state)
    #expect(outcome.head == head)
    let isComplete = export != "tail.export" && export != "overlap.export"
    #expect((outcome.base == nil) == isComplete)
    #expect(outcome.events == (isComplete ? head : head - taken.position))
    #expect(outcome.isWithoutBodies == (export == "bare.export"))
    try goesOn(from: outcome)
  }

  @Test func `bodies that were pruned after the snapshot do not come back`() async throws {
    let body = Body(Array("to be pruned".utf8))
    try await pruned(body)
    _ = try lab.restore(snapshot: "a.snapshot", export: "all.export")
    let log = try lab.open("restored")
    defer { log.close() }
    let found = try log.read { (transaction) throws(LogError) in
      try log.reader.body(digest: body.digest, in: transaction)
    }
    #expect(found == nil)
  }

  /// A body that is in the snapshot, and not needed and removed later.
  private func pruned(_ body: Body) async throws {
    let log = try lab.open()
    defer { log.close() }
    var written = CacheWritten()
    written.resource = "shared/keepa.product/1/B000000001"
    written.presence = .present
    written.body = Data(body.digest)
    let position = try await log.append([.cacheWritten(written)], bodies: [body]).answer
    let manifest = try lab.write(log, bodies: true)
    #expect(manifest.bodies?.stored == 1)
    var evicted = CacheEvicted()
    evicted.resource = written.resource
    evicted.written = position
    var pruned = BodiesPruned()
    pruned.bodies = [Data(body.digest)]
    try await log.append([.cacheEvicted(evicted)])
    try await log.append([.bodiesPruned(pruned)], prunedBodies: [body.digest])
    try lab.export(log, name: "all.export")
  }

  @Test func `a snapshot without bodies says that they are missing`() async throws {
    let (taken, _, _) = try await history(bodies: false)
    let outcome = try lab.restore(snapshot: "a.snapshot")
    #expect(outcome.state == taken.state)
    #expect(outcome.isWithoutBodies)
    let log = try lab.open("restored")
    defer { log.close() }
    let origin = try log.read { (transaction) throws(LogError) in
      try log.reader.origin(in: transaction)
    }
    #expect(origin?.isWithoutBodies == true)
    #expect(origin?.restored == lab.time.now)
    let portable = try lab.write(log, bodies: true, to: "b.snapshot")
    #expect(portable.bodies?.stored == 0)
    #expect((portable.bodies?.absent ?? 0) > 0)
  }

  // MARK: What is refused

  @Test func `nothing is restored over something`() async throws {
    _ = try await history()
    let before = try lab.folder.contents()
    guard case .holdsData? = problem(snapshot: "a.snapshot", to: "data") else {
      Issue.record("a data directory was restored over")
      return
    }
    #expect(try lab.folder.contents() == before)
    // An empty folder is nothing.
    try FileManager.default.createDirectory(
      atPath: lab.path("restored"), withIntermediateDirectories: false)
    #expect(problem(snapshot: "a.snapshot") == nil)
    guard case .holdsData? = problem(snapshot: "a.snapshot") else {
      Issue.record("what was restored was restored over")
      return
    }
  }

  @Test func `a damaged or cut snapshot leaves nothing behind`() async throws {
    _ = try await history()
    let url = URL(fileURLWithPath: lab.path("a.snapshot"))
    let bytes = try Data(contentsOf: url)
    for place in stride(from: 30, to: bytes.count, by: bytes.count / 20) {
      var damaged = bytes
      damaged[place] ^= 4
      try damaged.write(to: url)
      guard case .snapshot(.damaged)? = problem(snapshot: "a.snapshot") else {
        Issue.record("byte \(place)")
        continue
      }
      try bytes.prefix(place).write(to: url)
      guard case .snapshot(.cut)? = problem(snapshot: "a.snapshot", export: "all.export") else {
        Issue.record("cut at \(place)")
        continue
      }
    }
    #expect(try leftovers() == [])
  }

  @Test func `an export that does not go with the snapshot is refused`() async throws {
    let (taken, _, head) = try await history()
    try await exportLater(from: taken.position + 20)
    switch problem(snapshot: "a.snapshot", export: "late.export") {
    case .gap(_, let first, let last)?:
      #expect(first > last + 1)
      #expect(last == taken.position)
    case let problem: Issue.record("\(String(describing: problem))")
    }
    switch problem(export: "tail.export") {
    case .beginsLater(_, let first)?: #expect(first == taken.position + 1)
    case let problem: Issue.record("\(String(describing: problem))")
    }
    #expect(head > taken.position)
    #expect(try leftovers() == [])
  }

  private func exportLater(from first: Position) async throws {
    let log = try lab.open()
    defer { log.close() }
    try lab.export(log, from: first, name: "late.export")
    try lab.write(log, to: "late.snapshot")
  }

  @Test func `an export that ends before the snapshot is refused`() async throws {
    let (taken, _, head) = try await history()
    try await exportLater(from: taken.position + 1)
    switch problem(snapshot: "late.snapshot", export: "early.export") {
    case .endsBefore(_, let last, let snapshot)?:
      #expect(last == taken.position)
      #expect(snapshot == head)
    case let problem: Issue.record("\(String(describing: problem))")
    }
    #expect(try leftovers() == [])
  }

  @Test(arguments: ["all.export", "tail.export"])
  func `a snapshot and an export of different logs are refused`(export: String) async throws {
    let (taken, _, _) = try await history()
    let other = try SnapshotLab(seed: 99)
    try await other.writeOther(at: taken.position, to: lab.path("other.snapshot"))
    switch problem(snapshot: "other.snapshot", export: export) {
    case .otherLog(_, _, let position)?: #expect(position == taken.position)
    case let problem: Issue.record("\(String(describing: problem))")
    }
    #expect(try leftovers() == [])
  }

  @Test func `views of another version are refused unless the log is complete`() async throws {
    let (taken, state, head) = try await history()
    let path = lab.path("a.snapshot")
    try Self.renameView(in: path)
    guard case .snapshot(.otherViews(_, let theirs, _))? = problem(snapshot: "a.snapshot") else {
      Issue.record("a view of another version was loaded")
      return
    }
    #expect(theirs.contains("ledger@0"))
    #expect(try leftovers() == [])
    let outcome = try lab.restore(snapshot: "a.snapshot", export: "all.export")
    #expect(outcome.state == state)
    #expect(outcome.head == head)
    #expect(outcome.rows < taken.rows)
  }

  /// Gives the ledger's view in a snapshot another version, with digests and checksums that fit.
  private static func renameView(in path: String) throws {
    let reader = try SnapshotReader(path: path)
    var manifest = reader.manifest
    let index = try #require(manifest.views.firstIndex { $0.id.hasPrefix("ledger@") })
    var digester = ViewDigester()
    var views: [[SnapshotPortion]] = manifest.views.map { _ in [] }
    var bodies: [SnapshotPortion] = []
    while let portion = try reader.next() {
      if case .rows(let view, _, _) = portion {
        views[view].append(portion)
      } else {
        bodies.append(portion)
      }
    }
    for table in manifest.views[index].tables.indices {
      let name = manifest.views[index].tables[table].name
      let other = "ledger@0." + name.drop { $0 != "." }.dropFirst()
      manifest.views[index].tables[table].name = other
      digester.begin(table: other)
      for case .rows(_, table, let rows) in views[index] {
        for row in rows {
          row.key.withRawSpan { key in row.value.withRawSpan { digester.add(key: key, value: $0) } }
        }
      }
      digester.endTable()
    }
    digester.begin(table: LogTables.parkedName)
    digester.endTable()
    manifest.views[index].digest = ViewDigest(
      view: "ledger@0", rows: manifest.views[index].digest.rows, digest: digester.finish())
    try rewrite(path, manifest, views.flatMap(\.self) + bodies)
  }

  private static func rewrite(
    _ path: String, _ manifest: SnapshotManifest, _ portions: [SnapshotPortion]
  ) throws {
    var output = try SnapshotOutput(path: path)
    try output.write(.manifest, manifest.json)
    for portion in portions {
      var content: [UInt8] = []
      switch portion {
      case .rows(let view, let table, let rows):
        content = [UInt8(view), UInt8(table)]
        for row in rows {
          content.append(bigEndian: UInt32(row.key.count))
          content.append(bigEndian: UInt32(row.value.count))
          content += row.key + row.value
        }
        try output.write(.rows, content)
      case .bodies(let bodies):
        for body in bodies {
          content += body.digest
          content.append(bigEndian: UInt32(body.row.count))
          content += body.row
        }
        try output.write(.bodies, content)
      }
    }
    _ = try output.finish()
  }

  // MARK: Ends

  @Test func `what a killed restore left is removed by the next, what one builds now is not`()
    async throws
  {
    _ = try await history()
    let dead = "restored.restoring-00000000"
    try FileManager.default.createDirectory(
      atPath: lab.path(dead), withIntermediateDirectories: false)
    try Data("half".utf8).write(to: URL(fileURLWithPath: lab.path("\(dead)/data.mdb")))
    let living = try lab.folder.own("restored.restoring-11111111")
    guard case .underWay(let path)? = problem(snapshot: "a.snapshot") else {
      Issue.record("a restore under way was not seen")
      return
    }
    #expect(path == living.path)
    try FileManager.default.removeItem(atPath: living.path)
    #expect(problem(snapshot: "a.snapshot") == nil)
    #expect(try leftovers() == ["restored"])
  }

  @Test func `a restore that is stopped leaves nothing`() async throws {
    _ = try await history()
    for stop in 1...3 {
      var told = 0
      let restore = Restore(
        snapshot: lab.path("a.snapshot"),
        export: try ExportedCommits(path: lab.path("all.export")), to: lab.path("restored"),
        time: lab.time.source, options: .scratch
      ) { _ throws(RestoreProblem) in
        told += 1
        if told == stop { throw .stopped }
      }
      let problem = #expect(throws: RestoreProblem.self) { try restore.run() }
      guard case .stopped? = problem else {
        Issue.record("\(String(describing: problem))")
        continue
      }
      #expect(try leftovers() == [])
    }
  }
}

extension SnapshotLab {
  /// Writes a snapshot of this lab's history at exactly that position.
  fileprivate func writeOther(at position: Position, to path: String) async throws {
    let log = try open()
    defer { log.close() }
    while log.head < position {
      var note = CredentialAdded()
      note.credential = "other \(log.head)"
      try await log.append([.credentialAdded(note)])
    }
    let writer = SnapshotWriter(
      log: log, request: SnapshotRequest(), watch: { _ throws(SnapshotProblem) in })
    _ = try writer.write(to: path)
  }
}
