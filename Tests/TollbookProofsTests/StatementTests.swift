import Crypto
import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive
@testable import TollbookProofs

/// A log of made-up events, and statements of it.
private struct Books {
  let log: EventLog
  let signer: CheckpointSigner

  init(
    _ folder: TemporaryFolder, _ name: String = "data", seed: UInt64, steps: Int,
    formats: EventGenerator.Formats = .mixed
  ) async throws {
    let time = ManualTime()
    log = try folder.openLog(name, folds: allFolds, time: time.source)
    signer = try CheckpointSigner.own(log.directory)
    var generator = EventGenerator(seed: seed, formats: formats)
    for _ in 0..<steps {
      time.advance(byMilliseconds: 40_000)
      let step = generator.next(at: time.now)
      _ = try await log.decide { _, _ in
        Decision(
          events: step.events, bodies: step.bodies, prunedBodies: step.prunedBodies, answer: ())
      }
    }
  }

  func statement(
    from: Position = 0, through: Position? = nil, account: String? = nil,
    isEveryEvent: Bool = false, since: [Checkpoint] = [], published: [Checkpoint] = []
  ) throws -> [UInt8] {
    var request = StatementWriter.Request(
      from: from, through: through ?? log.head, account: account)
    request.isEveryEvent = isEveryEvent
    request.since = since
    var writer = StatementWriter(
      LogSource(log), signer: signer, mode: log.directory.mode, published: published)
    var bytes: [UInt8] = []
    try writer.write(request) { bytes += $0 }
    return bytes
  }

  /// What the ledger says of every meter, over all its windows.
  func meters() throws -> [MeterKey: SpendAmounts] {
    let ledger = LedgerView(log)
    let names = Set(try pages().map { $0.inWindow("") })
    var sums: [MeterKey: SpendAmounts] = [:]
    try log.read { (transaction) throws(LogError) in
      var rows = try ledger.meters(in: transaction)
      for name in names { rows += try log.closedPages(of: name, in: transaction) }
      for row in rows {
        sums[row.key.inWindow(""), default: SpendAmounts()] += SpendAmounts(
          settled: row.meter[.settled], inDoubt: row.meter[.inDoubt],
          unprovable: row.meter[.unprovable])
      }
    }
    return sums
  }

  /// What was booked on meters by moves that only limit a cost.
  func limits() throws -> [MeterKey: SpendAmounts] {
    var sums: [MeterKey: SpendAmounts] = [:]
    for recorded in try LogSource(log).events() {
      let postings = recorded.event.postings(at: recorded.position)
      // What a budget's window had seen before is no cost of a call.
      for posting in postings where posting.carried != 0 {
        sums[posting.page.inWindow(""), default: SpendAmounts()].settled += posting.carried
      }
      for posting in postings where posting.isLimitOnly {
        var amounts = SpendAmounts()
        switch posting.change {
        case .charged(let amount, _): amounts.settled = amount
        case .corrected(let difference): amounts.settled = difference
        case .doubted(let amount): amounts.inDoubt = amount
        case .closed(let doubt):
          amounts.settled = doubt.settled
          amounts.inDoubt = doubt.wasUnprovable ? 0 : -doubt.amount
          amounts.unprovable = doubt.unprovable - (doubt.wasUnprovable ? doubt.amount : 0)
        default: break
        }
        sums[posting.page.inWindow(""), default: SpendAmounts()] += amounts
      }
    }
    return sums
  }

  private func pages() throws -> [MeterKey] {
    try LogSource(log).events().flatMap { recorded in
      recorded.event.postings(at: recorded.position).map(\.page)
    }
  }

  /// Seals a changed statement anew, as only the key's holder can.
  func sealed(_ bytes: [UInt8]) throws -> [UInt8] {
    let mark = StatementFormat.sealMark
    let end = try #require(
      bytes.indices.last { bytes[$0...].starts(with: mark) })
    let digest = Array(SHA256.hash(data: bytes[..<end]))
    var json = JSONWriter()
    json.string(try signer.sign(StatementFormat.sealText(digest)).string)
    return bytes[..<end] + mark + json.bytes + Array("\n}\n".utf8)
  }
}

private func holds(_ bytes: [UInt8]) -> Bool { (try? StatementChecker.check(bytes)) != nil }

private func fault(_ bytes: [UInt8]) -> String? {
  do throws(StatementFault) {
    _ = try StatementChecker.check(bytes)
    return nil
  } catch { return "\(error)" }
}

@Suite struct StatementTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `a statement says what the ledger says, in one piece and in many`(
    seed: UInt64
  ) async throws {
    let books = try await Books(folder, seed: seed, steps: 250)
    defer { books.log.close() }
    let whole = try StatementChecker.check(books.statement())
    let meters = try books.meters().filter { $0.value != SpendAmounts() }
    // The ledger counts on each meter, a statement each cost once.
    let limits = try books.limits()
    #expect(!limits.isEmpty)
    let all = whole.closing.byMeter.merging(limits) { spend, limit in
      var both = spend
      both += limit
      return both
    }
    #expect(all.filter { $0.value != SpendAmounts() } == meters)
    #expect(Set(whole.closing.meters.map(\.unit)).count > 2)
    #expect(whole.opening.meters.isEmpty)
    #expect(whole.closing == whole.sums)
    #expect(whole.lineCount > 20)

    var random = SeededGenerator(seed: seed)
    var from: Position = 0
    var older = SpendSums()
    var lines = 0
    while from < books.log.head {
      let through = min(books.log.head, from + UInt64(random.int(0...200)))
      let every = random.chance(50)
      let bytes = try books.statement(from: from, through: through, isEveryEvent: every)
      let part = try StatementChecker.check(bytes)
      #expect(part.opening == older)
      #expect(part.coverage == (every ? .everyEvent : .lines))
      (from, older, lines) = (through, part.closing, lines + part.lineCount)
    }
    #expect(older == whole.closing)
    #expect(lines == whole.lineCount)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `the statements of all accounts sum to that of everybody`(seed: UInt64) async throws {
    let books = try await Books(folder, seed: seed, steps: 250)
    defer { books.log.close() }
    let middle = books.log.head / 2
    let everybody = try StatementChecker.check(books.statement(from: middle))
    var opening = SpendSums()
    var closing = SpendSums()
    for account in ["acme", "zeta", "caf\u{e9}", "cafe\u{301}", "nobody"] {
      let own = try StatementChecker.check(books.statement(from: middle, account: account))
      opening.add(own.opening)
      closing.add(own.closing)
      if account == "nobody" { #expect(own.lineCount == 0) }
    }
    #expect(opening == everybody.opening)
    #expect(closing == everybody.closing)
  }

  @Test func `a proof takes less than a kilobyte`() async throws {
    let books = try await Books(folder, seed: 5, steps: 300)
    defer { books.log.close() }
    let document = try JSONDocument(try books.statement())
    let paths = try #require(document.root["lines"]?.array).compactMap { $0["path"]?.string }
    #expect(!paths.isEmpty)
    #expect(paths.allSatisfy { $0.utf8.count <= 1_024 })
  }

  @Test func `every digit that is edited is found`() async throws {
    let books = try await Books(folder, seed: 8, steps: 45)
    defer { books.log.close() }
    for bytes in [
      try books.statement(from: 20), try books.statement(from: 20, account: "acme"),
      try books.statement(from: 20, isEveryEvent: true),
    ] {
      #expect(fault(bytes) == nil)
      var missed: [Int] = []
      var digits = 0
      for index in bytes.indices where (48...57).contains(bytes[index]) {
        var edited = bytes
        edited[index] = bytes[index] == 57 ? 48 : bytes[index] + 1
        digits += 1
        if holds(edited) { missed.append(index) }
      }
      #expect(missed.isEmpty)
      #expect(digits > 500)
    }
  }

  /// What a forger with the key cannot do either.
  @Test func `every digit that is edited and sealed again is found by its proofs`() async throws {
    let books = try await Books(folder, seed: 8, steps: 45)
    defer { books.log.close() }
    for every in [false, true] {
      let bytes = try books.statement(from: 20, isEveryEvent: every)
      let mark = StatementFormat.sealMark
      let end = try #require(bytes.indices.last { bytes[$0...].starts(with: mark) })
      #expect(fault(try books.sealed(bytes)) == nil)
      var missed: [String] = []
      for index in bytes.indices[..<end] where (48...57).contains(bytes[index]) {
        var edited = bytes
        edited[index] = bytes[index] == 57 ? 48 : bytes[index] + 1
        if holds(try books.sealed(edited)) {
          missed.append(String(decoding: bytes[max(0, index - 60)...index], as: UTF8.self))
        }
      }
      #expect(missed == [])
    }
  }

  @Test func `a line that is left out is found where every event is there`() async throws {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    let signer = try CheckpointSigner.own(log.directory)
    for tokens in [2, 0, 3] as [Int64] {
      var started = FetchStarted()
      started.operation = "keepa.product"
      started.credential = "main"
      started.account = "acme"
      started.unit = "tokens"
      started.bound = 4
      let fetch = try await log.append([.fetchStarted(started)]).position
      var charged = TokensCharged()
      charged.fetch = fetch
      charged.attempt = 1
      charged.credential = "main"
      charged.unit = "tokens"
      charged.account = "acme"
      charged.operation = "keepa.product"
      charged.tokens = tokens
      charged.reserved = 4
      try await log.append([.tokensCharged(charged)])
    }
    let books = Books(log: log, signer: signer)
    for every in [false, true] {
      let bytes = try books.statement(isEveryEvent: every)
      #expect(fault(bytes) == nil)
      let lines = try #require(try JSONDocument(bytes).root["lines"]?.array).map(\.range)
      #expect(lines.count == 3)
      // The charge of nothing: no sum changes without it.
      var shorter = bytes
      shorter.removeSubrange(lines[1].lowerBound..<lines[2].lowerBound)
      let found = fault(try books.sealed(shorter))
      #expect(found == (every ? "the event at position 4 moves spend and has no line" : nil))
      #expect(fault(shorter) == "it was changed after it was sealed")
    }
  }

  @Test func `a statement proves growth from an older one, and from no other log`() async throws {
    let books = try await Books(folder, seed: 3, steps: 60)
    let older = try StatementChecker.check(books.statement())
    let head = books.log.head
    try await books.log.append([.serviceStarted(ServiceStarted())])
    let checkpoint = older.checkpoint
    let newer = try StatementChecker.check(books.statement(from: head, since: [checkpoint]))
    try newer.hasGrown(from: checkpoint)
    try newer.hasGrown(from: newer.checkpoint)
    #expect(newer.opening == older.closing)
    // The opening is always among what is proven.
    try StatementChecker.check(books.statement(from: head)).hasGrown(from: checkpoint)
    // So are the checkpoints that were published.
    let part = try StatementChecker.check(books.statement(published: [checkpoint]))
    try part.hasGrown(from: checkpoint)

    let without = try StatementChecker.check(books.statement())
    #expect(throws: StatementFault.self) { try without.hasGrown(from: checkpoint) }
    #expect(throws: StatementFault.self) { try older.hasGrown(from: newer.checkpoint) }
    let forged = Checkpoint(
      origin: checkpoint.origin, size: checkpoint.size, root: newer.checkpoint.root)
    #expect(throws: StatementFault.self) { try newer.hasGrown(from: forged) }
    #expect(throws: StatementRefusal.notFrom(size: head, head: head + 1)) {
      try books.statement(since: [forged])
    }
    #expect(throws: StatementRefusal.publishedOtherwise(size: head)) {
      try books.statement(published: [forged])
    }
    books.log.close()
    let other = try await Books(folder, "other", seed: 4, steps: 90)
    defer { other.log.close() }
    #expect(throws: StatementRefusal.self) { try other.statement(since: [checkpoint]) }
  }

  @Test func `what was meant for another mode, key or version is refused`() async throws {
    let books = try await Books(folder, seed: 3, steps: 30)
    defer { books.log.close() }
    let bytes = try books.statement()
    func edited(_ old: String, _ new: String) throws -> String? {
      let text = String(decoding: bytes, as: UTF8.self)
      let changed = text.replacing(old, with: new, maxReplacements: 1)
      #expect(changed != text)
      return fault(try books.sealed(Array(changed.utf8)))
    }
    let belong = "its origin, its mode and its key do not belong together"
    #expect(try edited("\"simulated\"", "\"real\"") == belong)
    #expect(
      try edited("\"version\": 2", "\"version\": 3")
        == "it is of version 3; this Tollbook knows versions 1 to 2")
    #expect(try edited("\"mode\"", "\"node\"") == "its members are not those of a statement")
    #expect(
      try edited("\"through\"", "\"through\": 1, \"through\"")
        == "its members are not those of a statement")
    #expect(fault([]) != nil)
    #expect(fault(Array("{}".utf8)) == "it is not a statement")
    #expect(fault(Array("[1]".utf8)) == "it is not a statement")
    let stranger = try #require(
      CheckpointSigner(seed: Array(repeating: 7, count: 32), mode: .simulated))
    let resealed = try Books(log: books.log, signer: stranger).sealed(bytes)
    #expect(fault(resealed) == "its seal is not signed by its key")
  }

  @Test func `a statement of version 1 is still checked`() async throws {
    let books = try await Books(folder, seed: 3, steps: 60, formats: .first)
    defer { books.log.close() }
    let text = String(decoding: try books.statement(), as: UTF8.self)
    #expect(!text.contains("owner_kind") && !text.contains("window"))
    let older = text.replacing("\"version\": 2", with: "\"version\": 1", maxReplacements: 1)
    #expect(older != text)
    let checked = try StatementChecker.check(books.sealed(Array(older.utf8)))
    #expect(checked.lineCount > 5)
    let none = text.replacing("\"version\": 2", with: "\"version\": 0", maxReplacements: 1)
    #expect(fault(try books.sealed(Array(none.utf8))) != nil)
  }

  @Test func `a cost of two payers is divided, and what only limits it is no spend`() async throws {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    for event in StatementStory.events { try await log.append([event]) }
    let books = Books(log: log, signer: try CheckpointSigner.own(log.directory))
    for every in [false, true] {
      let bytes = try books.statement(isEveryEvent: every)
      let statement = try StatementChecker.check(bytes)
      #expect(
        statement.closing.byMeter == [
          StatementStory.tokens: SpendAmounts(settled: 7),
          StatementStory.money: SpendAmounts(settled: 11, unprovable: 1),
        ])
      let money = "budget spring model=small EUR day 2026-11-21"
      #expect(
        try moves(of: bytes) == [
          "2 keepa:0fd8 tokens acme 4 0 0", "2 keepa:0fd8 tokens zeta 3 0 0",
          "2 \(money) acme 3 0 0", "2 \(money) zeta 7 0 0",
          "4 keepa:0fd8 tokens acme 0 2 0", "4 keepa:0fd8 tokens zeta 0 3 0",
          "4 \(money) acme 0 1 0", "4 \(money) zeta 0 1 0",
          "5 keepa:0fd8 tokens acme 0 -2 0", "5 keepa:0fd8 tokens zeta 0 -3 0",
          "7 \(money) acme 0 -1 0", "7 \(money) zeta 1 -1 1",
        ])
      #expect(!String(decoding: bytes, as: UTF8.self).contains("\"started\""))
    }
    for (account, settled) in [("acme", 4 as Int64), ("zeta", 3)] {
      let own = try StatementChecker.check(books.statement(account: account))
      #expect(own.closing[StatementStory.tokens].settled == settled)
      #expect(own.closing[StatementStory.tokens].inDoubt == 0)
    }
  }

  /// The moves of all lines: position, meter, window, account and amounts.
  private func moves(of statement: [UInt8]) throws -> [String] {
    let lines = try #require(try JSONDocument(statement).root["lines"]?.array)
    return lines.flatMap { line in
      (line["moves"]?.array.map(Array.init) ?? []).map { move in
        let dimensions = move["dimensions"]?.array.map(Array.init) ?? []
        var words = [line["position"]?.int64.map { "\($0)" }]
        words += ["credential", "owner_kind", "owner"].map { move[$0]?.string }
        words += dimensions.map { "\($0["name"]?.string ?? "")=\($0["value"]?.string ?? "")" }
        words += ["unit", "window", "account"].map { move[$0]?.string }
        words += ["settled", "in_doubt", "unprovable"].map { move[$0]?.int64.map { "\($0)" } }
        return words.compactMap(\.self).joined(separator: " ")
      }
    }
  }

  @Test func `a statement that is cut anywhere is refused`() async throws {
    let books = try await Books(folder, seed: 3, steps: 12)
    defer { books.log.close() }
    let bytes = try books.statement()
    let step = max(1, bytes.count / 100)
    for end in stride(from: 0, to: bytes.count - 2, by: step) {
      #expect(!holds(Array(bytes[..<end])))
    }
  }

  @Test func `every event and one account do not go together`() async throws {
    let books = try await Books(folder, seed: 3, steps: 12)
    defer { books.log.close() }
    #expect(throws: StatementRefusal.everyEventOfOneAccount) {
      try books.statement(account: "acme", isEveryEvent: true)
    }
  }

  @Test func `a log that goes on from a snapshot counts from there, and says so`() async throws {
    let original = try await Books(folder, seed: 6, steps: 150)
    let (records, commits) = try original.log.everything()
    let whole = try StatementChecker.check(original.statement())
    original.log.close()
    let at = commits.count / 2
    var frontier = MerkleFrontier()
    for record in records.prefix(Int(commits[at].last)) {
      _ = frontier.append(MerkleTree.leafHash(record))
    }
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
    let books = Books(log: log, signer: try CheckpointSigner.own(log.directory))
    for every in [false, true] {
      let bytes = try books.statement(from: base.position, isEveryEvent: every)
      let statement = try StatementChecker.check(bytes)
      #expect(statement.countedFrom == base.position)
      #expect(statement.opening.meters.isEmpty)
      #expect(statement.checkpoint.root == whole.checkpoint.root)
    }
    #expect(throws: LogError.beforeBase(base.position)) {
      try books.statement(from: base.position - 1)
    }
  }
}

extension Books {
  fileprivate init(log: EventLog, signer: CheckpointSigner) {
    self.log = log
    self.signer = signer
  }
}

extension EventLog {
  /// The records and the seals of all commits.
  fileprivate func everything() throws -> (records: [[UInt8]], commits: [CommitRow]) {
    try read { (transaction) throws(LogError) in
      var records: [[UInt8]] = []
      var commits: [CommitRow] = []
      while let row = try reader.commit(
        holding: UInt64(records.count) + 1, in: transaction)
      {
        commits.append(row)
        for position in row.first...row.last {
          records.append(try reader.record(at: position, in: transaction) ?? [])
        }
      }
      return (records, commits)
    }
  }
}
