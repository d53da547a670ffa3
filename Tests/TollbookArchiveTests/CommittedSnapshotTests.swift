import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive

/// The small snapshots in `Snapshots/`, one for each format of a data directory that ever was, with the views of its
/// time, and beside each an export of the log that it was taken of, which goes on for some time after it:
/// `tools/make-snapshot` made them.
@Suite struct CommittedSnapshotTests {
  private static let folder: URL = {
    var root = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: root.appending(path: "Package.swift").path) {
      root.deleteLastPathComponent()
    }
    return root.appending(path: "Snapshots")
  }()

  private static func files(_ ending: String = SnapshotShelf.ending) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(ending) }.sorted()
  }

  /// Their names.
  private static let snapshots = files()

  @Test func `there is one for every format`() {
    #expect(Self.snapshots == (1...DataDirectory.format).map { "format-\($0).snapshot" })
    #expect(Self.files(".export") == (1...DataDirectory.format).map { "format-\($0).export" })
  }

  /// Puts a copy of a snapshot into a lab, and opens it.
  private static func copy(_ file: String, into lab: SnapshotLab) throws -> SnapshotReader {
    let path = folder.appending(path: file).path
    try FileManager.default.copyItem(atPath: path, toPath: lab.path("a.snapshot"))
    return try SnapshotReader(path: lab.path("a.snapshot"))
  }

  @Test(arguments: snapshots)
  func `it can be read, and gives the digests that were noted`(file: String) throws {
    let path = Self.folder.appending(path: file).path
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
    #expect((size?.intValue ?? .max) < 100_000)
    let reader = try SnapshotReader(path: path)
    try reader.readAll()
    #expect(
      try Self.note(reader.manifest) == String(contentsOfFile: path + ".digest", encoding: .utf8))
  }

  @Test func `that of this format is restored byte for byte`() throws {
    let lab = try SnapshotLab(seed: 1)
    let reader = try Self.copy("format-\(DataDirectory.format).snapshot", into: lab)
    let outcome = try lab.restore(snapshot: "a.snapshot")
    #expect(outcome.state == reader.manifest.state)
    let log = try lab.open("restored")
    defer { log.close() }
    #expect((try lab.write(log, bodies: true, to: "b.snapshot")).state == reader.manifest.state)
  }

  @Test(arguments: snapshots)
  func `it is restored alone, and the log goes on, verifies and is rebuilt`(
    file: String
  ) async throws {
    let lab = try SnapshotLab(seed: 1)
    let reader = try Self.copy(file, into: lab)
    let outcome = try lab.restore(snapshot: "a.snapshot")
    #expect(outcome.head == reader.manifest.position)
    #expect(outcome.rows == reader.manifest.rows)
    #expect(outcome.bodies == reader.manifest.bodies?.stored)
    let log = try lab.open("restored")
    defer { log.close() }
    #expect(try log.stateDigest() == outcome.state)
    try Self.verify(log)
    try await Self.buy(in: log)
    try Self.verify(log)
    let rows = EventLog.baseRows(in: log.directory.path)
    #expect(try await log.rebuildViews(baseRows: rows).isEqual)

    // Snapshot and what came after it give the same.
    let state = try log.stateDigest()
    try lab.export(log, from: outcome.head + 1, name: "tail.export")
    let again = try lab.restore(snapshot: "a.snapshot", export: "tail.export", to: "again")
    #expect(again.state == state)
    // And so does a snapshot of this version.
    try lab.write(log, bodies: true, to: "b.snapshot")
    #expect(try lab.restore(snapshot: "b.snapshot", to: "copy").state == state)
  }

  @Test(arguments: snapshots)
  func `what its rows become is what the events give`(file: String) throws {
    let lab = try SnapshotLab(seed: 1)
    let reader = try Self.copy(file, into: lab)
    let export = file.replacing(SnapshotShelf.ending, with: ".export")
    try FileManager.default.copyItem(
      atPath: Self.folder.appending(path: export).path, toPath: lab.path("all.export"))
    let folded = try lab.restore(export: "all.export", to: "folded")
    #expect(folded.head > reader.manifest.position)
    let carried = try lab.restore(snapshot: "a.snapshot", export: "all.export", to: "carried")
    #expect(carried.rows == reader.manifest.rows)
    #expect(carried.state == folded.state)
  }

  /// Everything is as it was written, and the views are what a replay from the snapshot gives.
  private static func verify(_ log: EventLog) throws {
    let outcome = try Verification(log.environment)
      .run(loadBase: ScratchReplay.loadBase(from: log.directory.path))
    #expect(outcome.damages == [])
    #expect(outcome.views.map(\.view) == allFolds.map(\.id))
    #expect(outcome.state == (try log.stateDigest()))
  }

  /// Buys something that counts on the first meter, and on one in another unit.
  private static func buy(in log: EventLog) async throws {
    let ledger = LedgerView(log)
    let (key, before) = try #require(
      try log.environment.withReadTransaction { transaction in
        try ledger.meters(in: transaction).first
      })
    var tokens = Move()
    tokens.meter = key.name
    tokens.window = key.window
    tokens.amount = 5
    var requests = tokens
    requests.meter.unit = "calls"
    requests.amount = 1
    var started = FetchStarted()
    started.operation = "keepa.product"
    started.moves = [tokens, requests]
    let fetch = try await log.append([.fetchStarted(started)]).answer
    var charged = TokensCharged()
    charged.fetch = fetch
    charged.attempt = 1
    charged.operation = started.operation
    charged.moves = [tokens, requests].map { move in
      var move = move
      move.reserved = move.amount
      return move
    }
    charged.moves[0].amount = 3
    try await log.append([.tokensCharged(charged)])
    try log.environment.withReadTransaction { transaction in
      let after = try ledger.meter(key, in: transaction)
      #expect(after[.settled] == before[.settled] + 3)
      #expect(after[.free] == before[.free] - 3)
      #expect(after.residual == 0)
      let calls = try ledger.meter(
        MeterKey(requests.meter, window: requests.window), in: transaction)
      #expect(calls[.settled] == 1)
    }
  }

  // MARK: Format 1

  /// Terms of a meter in a row of `ledger@2`, which begins with them, each in eight bytes.
  private static let firstTerms: [LedgerTerm] = [
    .granted, .settled, .reserved, .inDoubt, .unprovable, .unexplained, .free,
  ]

  /// All rows of a table of a view in a snapshot.
  private static func rows(
    of view: String, table: Int, in path: String
  ) throws -> [SnapshotRow] {
    let reader = try SnapshotReader(path: path)
    let number = try #require(reader.manifest.views.firstIndex { $0.id == view })
    var found: [SnapshotRow] = []
    while let portion = try reader.next() {
      if case .rows(number, table, let rows) = portion { found += rows }
    }
    return found
  }

  private static func number(_ bytes: some Collection<UInt8>) -> Int64 {
    Int64(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) })
  }

  @Test func `the balances of a snapshot of format 1 stay what they were`() throws {
    let lab = try SnapshotLab(seed: 1)
    _ = try Self.copy("format-1.snapshot", into: lab)
    let meters = try Self.rows(of: "ledger@2", table: 0, in: lab.path("a.snapshot"))
    let spend = try Self.rows(of: "ledger@2", table: 2, in: lab.path("a.snapshot"))
    let holds = try Self.rows(of: "ledger@2", table: 1, in: lab.path("a.snapshot"))
    #expect(!meters.isEmpty)
    #expect(!spend.isEmpty)
    try lab.restore(snapshot: "a.snapshot")
    let log = try lab.open("restored")
    defer { log.close() }
    let ledger = LedgerView(log)
    try log.environment.withReadTransaction { transaction in
      #expect(try ledger.meters(in: transaction).count == meters.count)
      for row in meters {
        // The credential, a zero, the unit.
        let names = row.key.split(separator: 0, omittingEmptySubsequences: false)
          .map { String(decoding: $0, as: UTF8.self) }
        let key = MeterKey(owner: names[0], unit: names[1])
        let meter = try ledger.meter(key, in: transaction)
        for (index, term) in Self.firstTerms.enumerated() {
          let before = Self.number(row.value[(index * 8)..<(index * 8 + 8)])
          #expect(meter[term] == before, "\(term) of \(names)")
        }
        #expect(meter.residual == 0)
      }
      // State, tokens.
      let held = holds.filter { $0.value[0] < 3 }.map { Self.number($0.value[1..<9]) }
      let now = try ledger.holds(in: transaction).filter { $0.state != .unprovable }
      #expect(now.map(\.amount).sorted() == held.sorted())
      let total = spend.filter { $0.key.starts(with: Array("total".utf8) + [0]) }
        .reduce(0) { $0 + Self.number($1.value[0..<8]) }
      let spent = try ledger.spend(window: LedgerFold.allTime, in: transaction)
      #expect(spent.reduce(0) { $0 + $1.spend.amount } == total)
      #expect(Set(spent.map(\.unit)) == [Amount.firstUnit])
    }
  }

  @Test func `the entries of a snapshot of format 1 are all there, with what they cost`() throws {
    let lab = try SnapshotLab(seed: 1)
    _ = try Self.copy("format-1.snapshot", into: lab)
    let rows = try Self.rows(of: "cache@2", table: 0, in: lab.path("a.snapshot"))
    #expect(!rows.isEmpty)
    try lab.restore(snapshot: "a.snapshot")
    let log = try lab.open("restored")
    defer { log.close() }
    let page = try log.read { (transaction) throws(LogError) in
      try CacheView(log).page(after: nil, limit: .max, in: transaction) { _ in true }
    }
    // The key ends with a zero and the content set; the tokens are the eighth field after the flags.
    let before = rows.map { row in
      let resource = String(decoding: row.key.dropLast(2), as: UTF8.self)
      return "\(resource) \(row.key.last ?? 0) \(Self.number(row.value[57..<65])) tokens"
    }
    let after = page.entries.map { entry in
      let costs = entry.amounts.map { "\($0.count) \($0.unit)" }.joined(separator: " ")
      return "\(entry.resource) \(entry.contentSet) \(costs)"
    }
    #expect(after.sorted() == before.sorted())
  }

  @Test func `a directory of format 1 is opened, and holds what the restored snapshot holds`()
    throws
  {
    let lab = try SnapshotLab(seed: 1)
    let reader = try Self.copy("format-1.snapshot", into: lab)
    try Self.makeOlder("older", of: reader, in: lab)
    #expect(try Self.marker("older", in: lab).hasPrefix("tollbook format 1 "))
    let state = try lab.restore(snapshot: "a.snapshot").state
    do {
      let log = try lab.open("older")
      defer { log.close() }
      #expect(try log.stateDigest() == state)
      try Self.verify(log)
    }
    #expect(
      try Self.marker("older", in: lab).hasPrefix(
        "tollbook format \(DataDirectory.format) "))
    // The next start removes what is left of the older views.
    try lab.open("older").close()
    let left = try lab.dump("older").keys.filter { name in
      reader.manifest.views.contains { name.hasPrefix("\($0.id).") }
    }
    #expect(left == [])
  }

  /// A directory as the Tollbook of a snapshot would have left it after restoring that snapshot.
  private static func makeOlder(
    _ name: String, of reader: SnapshotReader, in lab: SnapshotLab
  ) throws {
    let manifest = reader.manifest
    let file = SnapshotShelf.name(of: manifest.position)
    let base = try LogBase(
      commit: manifest.commit, frontier: manifest.frontier, snapshot: file)
    let folds = manifest.views.map { view in
      let words = view.id.split(separator: "@").map(String.init)
      return Fold(
        name: words[0], version: Int(words[1]) ?? 0,
        tables: view.tables.map { String($0.name.dropFirst(view.id.count + 1)) },
        cadence: .eachCommit
      ) { _, _, _ in [] }
    }
    let importer = try LogImporter(lab.folder.own(name), options: .scratch)
    try importer.begin(
      LogOrigin(
        position: base.position, restored: lab.time.now, isWithoutBodies: false, base: base))
    while let portion = try reader.next() {
      switch portion {
      case .rows(let view, let table, let rows):
        try importer.load(rows.map { ($0.key, $0.value) }, table: table, of: folds[view])
      case .bodies(let bodies): try importer.add(bodies)
      }
    }
    for fold in folds {
      // Also those without rows.
      _ = try importer.environment.openTables(fold.tables)
      try importer.finish(fold, at: base.position, parked: [])
    }
    try FileManager.default.createDirectory(
      atPath: lab.path("\(name)/snapshots"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: lab.path("a.snapshot"), toPath: lab.path("\(name)/snapshots/\(file)"))
    try "tollbook format 1 simulated base \(base.position) \(file)\n".write(
      toFile: lab.path("\(name)/tollbook.format"), atomically: false, encoding: .utf8)
  }

  private static func marker(_ name: String, in lab: SnapshotLab) throws -> String {
    try String(contentsOfFile: lab.path("\(name)/tollbook.format"), encoding: .utf8)
  }

  // MARK: Making

  /// What stands beside a snapshot, to be compared.
  private static func note(_ manifest: SnapshotManifest) -> String {
    var lines = [
      "position \(manifest.position)", "root \(manifest.commit.root.hexadecimal)",
      "bodies \(manifest.bodies?.stored ?? 0)",
    ]
    lines += manifest.views.map { "view \($0.id) \($0.digest.digest.hexadecimal)" }
    lines.append("state \(manifest.state)")
    return lines.map { "\($0)\n" }.joined()
  }

  /// Makes them anew, for `tools/make-snapshot`, which names the folder.
  @Test(.enabled(if: wanted != nil))
  func `the snapshot of this format is made`() async throws {
    let folder = try #require(Self.wanted)
    let lab = try SnapshotLab(seed: 2_026)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(60, to: log)
    // In the snapshot and after it, the clock is set right that was ahead.
    let ahead: Int64 = 10 * 86_400_000
    lab.time.setWallClock(to: lab.time.now.advanced(byMilliseconds: ahead))
    try await lab.append(20, to: log)
    lab.time.setWallClock(to: lab.time.now.advanced(byMilliseconds: -ahead))
    try await lab.append(60, to: log)
    let manifest = try lab.write(log, bodies: true)
    let path = "\(folder)/format-\(DataDirectory.format).snapshot"
    try Data(contentsOf: URL(fileURLWithPath: lab.path("a.snapshot")))
      .write(to: URL(fileURLWithPath: path))
    try Data(Self.note(manifest).utf8).write(to: URL(fileURLWithPath: path + ".digest"))
    try await lab.append(240, to: log)
    try lab.export(log, name: "all.export")
    try Data(contentsOf: URL(fileURLWithPath: lab.path("all.export")))
      .write(to: URL(fileURLWithPath: "\(folder)/format-\(DataDirectory.format).export"))
  }

  private static var wanted: String? {
    ProcessInfo.processInfo.environment["TOLLBOOK_MAKE_SNAPSHOT"]
  }
}
