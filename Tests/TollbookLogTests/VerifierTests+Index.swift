import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

extension VerifierTests {
  // MARK: Index

  @Test func `Law 5: every flipped bit in a row of the index is found and located`()
    async throws
  {
    try await writeSmallLog()
    let environment = try openEnvironment()
    let verifier = try LogVerifier(environment)
    try #require(try verifier.verify().damages == [])
    var flips = 0
    for table in try environment.openTables(EventIndex.fold.tables) {
      let rows = try environment.rows(of: table)
      for (key, value) in rows {
        for bit in 0..<key.count * 8 {
          var flipped = key
          flipped[bit / 8] ^= 1 << UInt8(bit % 8)
          let isOther = rows.contains { $0.key == flipped }
          try environment.move(value, from: key, to: flipped, in: table)
          let damages = try verifier.verify().damages
          let isFound =
            damages.contains { $0.table == table.name && $0.position == key.suffix(8).position }
            && damages.allSatisfy { $0.table == table.name }
          #expect(isFound, "bit \(bit) of \(key) in \(table.name): \(damages)")
          try environment.move(value, from: isOther ? nil : flipped, to: key, in: table)
          flips += 1
        }
      }
    }
    try #require(try verifier.verify().damages == [])
    print("index: \(flips) flips")
    #expect(flips > 1_000)
  }

  @Test func `an index that is not noted to contain the log is found`() async throws {
    try await writeSmallLog()
    let environment = try openEnvironment()
    let tables = try LogTables(of: environment)
    let key = Array(EventIndex.fold.id.utf8)
    try environment.put(ViewRow(position: 3).bytes, for: key, in: tables.views)
    let damages = try LogVerifier(environment).verify().damages
    #expect(damages.map(\.table) == [LogTables.viewsName])
    #expect(damages.map(\.position) == [3])
  }

  @Test func `an index that lags behind the log is told as such, and is right so far`()
    async throws
  {
    try await writeSmallLog()
    let environment = try openEnvironment()
    let tables = try LogTables(of: environment)
    let id = Array(EventIndex.fold.id.utf8)
    let index = try environment.openTables(EventIndex.fold.tables)
    try environment.put(ViewRow(position: 3).bytes, for: id, in: tables.views)
    var kept: [(table: Table, key: [UInt8], value: [UInt8])] = []
    for table in index {
      for (key, value) in try environment.rows(of: table) {
        guard key.suffix(8).position > 3 else {
          kept.append((table, key, value))
          continue
        }
        try environment.change { (transaction) throws(LMDBError) in
          _ = try transaction.delete(key: key.span, in: table)
        }
      }
    }
    let report = try LogVerifier(environment).verify()
    #expect(report.damages == [])
    #expect(report.indexPosition == 3)
    for row in kept {
      try environment.change { (transaction) throws(LMDBError) in
        _ = try transaction.delete(key: row.key.span, in: row.table)
      }
      #expect(try LogVerifier(environment).verify().damages.map(\.table) == [row.table.name])
      try environment.put(row.value, for: row.key, in: row.table)
    }
  }

  @Test func `the fast way looks at checksums and roots alone`() async throws {
    try await writeSmallLog()
    let environment = try openEnvironment()
    let tables = try LogTables(of: environment)
    let kinds = try environment.openTables(EventIndex.fold.tables)[0]
    try environment.change { (transaction) throws(LMDBError) in
      try transaction.clear(kinds)
      try transaction.clear(tables.bodies)
    }
    #expect(try !LogVerifier(environment).verify().damages.isEmpty)
    #expect(try LogVerifier(environment).verify(.fast).damages.isEmpty)
    try environment.change { (transaction) throws(LMDBError) in
      try transaction.flip(LogTables.key(2).span, in: tables.events)
    }
    #expect(
      try LogVerifier(environment).verify(.fast).damages.map(\.position) == [2])
  }

  // MARK: Pruned bodies

  func written(_ body: Body) -> Event {
    var event = CacheWritten()
    event.resource = "shared/keepa.product/1/B000000000"
    event.presence = .present
    event.body = Data(body.digest)
    return .cacheWritten(event)
  }

  func pruned(_ body: Body) -> Event {
    var event = BodiesPruned()
    event.bodies = [Data(body.digest)]
    return .bodiesPruned(event)
  }

  @Test func `a body that was pruned may be missing, until it is named again`() async throws {
    let body = Body(Array("one".utf8))
    do {
      let log = try folder.openLog()
      defer { log.close() }
      try await log.append([written(body)], bodies: [body])
      try await log.append([pruned(body)], prunedBodies: [body.digest])
      #expect(try LogVerifier(log).verify().damages == [])
      try await log.append([written(body)], bodies: [body])
      #expect(try LogVerifier(log).verify().damages == [])
    }
    let found = try damages { (transaction, tables) throws(LMDBError) in
      _ = try transaction.delete(key: body.digest.span, in: tables.bodies)
    }
    #expect(found == [Found(table: "bodies", position: 3)])
  }

  @Test func `a position that no log reaches ends the search all the same`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      let far = LogTables.key(1 << 62)
      let last = LogTables.key(700)
      let seal = try transaction.reading.value(forKey: last.span, in: tables.commits) ?? []
      try transaction.put(seal.span, forKey: far.span, in: tables.commits)
    }
    #expect(found.contains(Found(table: "events", position: 701)))
    #expect(found.contains(Found(table: "commits", position: 1 << 62)))
  }

  @Test func `Law 5: a reader notices every flipped bit of what it reads`() async throws {
    try await writeSmallLog()
    let log = try folder.openLog()
    defer { log.close() }
    for (table, key, value) in try Self.storedRows(of: log) {
      for bit in 0..<value.count * 8 {
        var damaged = value
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        try log.environment.put(damaged, for: key, in: table)
        let damage = #expect(throws: LogError.self) { try Self.read(table, key, of: log) }
        guard case .damaged(let found) = damage else {
          Issue.record("\(table.name), bit \(bit): \(damage.debugDescription)")
          continue
        }
        #expect(found.table == table.name)
      }
      try log.environment.put(value, for: key, in: table)
    }
  }

  static func storedRows(
    of log: EventLog
  ) throws -> [(Table, key: [UInt8], value: [UInt8])] {
    try [log.tables.events, log.tables.commits, log.tables.bodies].flatMap { table in
      try log.environment.rows(of: table).prefix(4).map { (table, $0.key, $0.value) }
    }
  }

  static func read(_ table: Table, _ key: [UInt8], of log: EventLog) throws(LogError) {
    try log.read { (transaction) throws(LogError) in
      switch table.name {
      case LogTables.eventsName:
        _ = try log.reader.event(at: key.position, in: transaction)
      case LogTables.commitsName:
        _ = try log.reader.commit(holding: key.position, in: transaction)
      default:
        let body = try log.reader.body(digest: key, in: transaction)
        do throws(Damage) { _ = try body?.content() } catch { throw .damaged(error) }
      }
    }
  }

  func firstNamings() throws -> [[UInt8]: Position] {
    let log = try folder.openLog()
    defer { log.close() }
    var naming: [[UInt8]: Position] = [:]
    for event in try log.events() {
      guard case .cacheWritten(let written) = event.event, written.presence == .present else {
        continue
      }
      let digest = Array(written.body)
      naming[digest] = naming[digest] ?? event.position
    }
    return naming
  }
}
