import Bytes
import Crypto
import JSONText
package import TollbookArchive
package import TollbookEvents
package import TollbookLog

/// Why a statement is not written.
package enum StatementRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  case everyEventOfOneAccount
  case emptyLog
  case notFrom(size: UInt64, head: Position)
  case publishedOtherwise(size: UInt64)

  package var description: String {
    switch self {
    case .everyEventOfOneAccount:
      "A statement with every event shows all accounts; leave out the account, or the events."
    case .emptyLog: "The log holds no event yet."
    case .notFrom(let size, let head):
      "The log, which has \(head) events, does not go on from the older statement or checkpoint,"
        + " which is of its first \(size) events: it is of another log, or this one was changed."
    case .publishedOtherwise(let size):
      "The checkpoint of \(size) events that was published is not of this log: it was put back"
        + " to an older state, or changed. Run tollbook verify."
    }
  }
}

/// Writes statements: what was spent before a period, each event of it that moved spend, and what was spent after it,
/// with the proof that each is in the log's tree. See README for the format.
package struct StatementWriter {
  /// What a statement is to be about.
  package struct Request: Sendable {
    /// The period: events after `from`, up to and including `through`.
    package var from: Position
    package var through: Position
    /// Nil: everybody's.
    package var account: String?
    package var isEveryEvent = false
    /// Older trees that the log is to prove to have grown from.
    package var since: [Checkpoint] = []

    package init(from: Position, through: Position, account: String? = nil) {
      self.from = from
      self.through = through
      self.account = account
    }
  }

  /// Checkpoints of the file that a statement goes back to: the last so many, and of those before every n-th.
  private static let checkpointLimit = 100
  /// Lines that are proven in one read transaction.
  private static let portion = 500

  private let source: LogSource
  private let signer: CheckpointSigner
  private let mode: LogMode
  private let published: [Checkpoint]
  private var prover: MerkleProver

  /// - Parameter published: what is in the file of checkpoints.
  package init(
    _ source: LogSource, signer: CheckpointSigner, mode: LogMode, published: [Checkpoint]
  ) {
    self.source = source
    self.signer = signer
    self.mode = mode
    self.published = published
    prover = MerkleProver(source.reader)
  }

  /// Writes a statement.
  ///
  /// - Parameters:
  ///   - progress: told how far it has read, now and then.
  ///   - sink: gets the text in pieces.
  /// - Returns: how many lines it has.
  @discardableResult
  package mutating func write(
    _ request: Request, progress: (Position) -> Void = { _ in },
    to sink: ([UInt8]) throws -> Void
  ) throws -> Int {
    guard !request.isEveryEvent || request.account == nil else {
      throw StatementRefusal.everyEventOfOneAccount
    }
    let start = try source.start()
    let tree = try tree()
    guard request.from >= start else { throw LogError.beforeBase(start) }
    precondition(request.from <= request.through && request.through <= tree.size)
    var text = StatementText()
    text.field("version") { $0.integer(Int64(StatementFormat.version)) }
    text.field("origin") { $0.string(tree.origin) }
    text.field("mode") { $0.string(mode.rawValue) }
    text.field("key") { $0.string("\(signer.verifier)") }
    text.field("account") { $0.value(request.account) }
    let coverage = request.isEveryEvent ? StatementCoverage.everyEvent : .lines
    text.field("coverage") { $0.string(coverage.rawValue) }
    text.field("counted_from") { $0.integer(start) }
    text.field("from") { $0.integer(request.from) }
    text.field("through") { $0.integer(request.through) }
    text.field("size") { $0.integer(tree.size) }
    try writeEdges(request, tree, to: &text)
    var sums = SpendSums()
    let opening = try opening(request, start: start, progress: progress)
    text.list("opening", opening.rows)
    let count = try writeLines(
      request, tree, start: start, sums: &sums, progress: progress, to: &text, sink)
    text.list("sums", sums.rows)
    sums.add(opening)
    text.list("closing", sums.rows)
    if request.isEveryEvent { try writeEvents(request, progress: progress, to: &text, sink) }
    text.list("grown_from", try grownFrom(request, tree, start: start).map(\.json))
    text.field("checkpoint") { json in json.string(tree.note) }
    try text.flush(sink)
    let seal = try signer.sign(StatementFormat.sealText(text.digest))
    text.seal(seal.string)
    try text.flush(sink)
    return count
  }

  // MARK: The tree

  private struct Tree {
    let checkpoint: Checkpoint
    let note: String

    var size: UInt64 { checkpoint.size }
    var origin: String { checkpoint.origin }
  }

  /// The tree of the last commit, signed.
  private func tree() throws -> Tree {
    let commit = try source.read {
      (transaction) throws(LogError) -> CommitRow? in
      if let commit = try source.reader.lastCommit(in: transaction) { return commit }
      return try source.reader.base(in: transaction)?.commit
    }
    guard let commit else { throw StatementRefusal.emptyLog }
    let origin = signer.verifier.name
    if let last = published.last(where: { $0.origin == origin }), last.size > commit.treeSize {
      throw StatementRefusal.publishedOtherwise(size: last.size)
    }
    let checkpoint = Checkpoint(origin: origin, size: commit.treeSize, root: commit.root)
    return Tree(checkpoint: checkpoint, note: try signer.sign(checkpoint.text).string)
  }

  private mutating func grownFrom(
    _ request: Request, _ tree: Tree, start: Position
  ) throws -> [GrownFrom] {
    let origin = tree.origin
    let known = published.filter { $0.origin == origin && $0.size >= start && $0.size > 0 }
    let recent = known.suffix(Self.checkpointLimit)
    let before = known.dropLast(Self.checkpointLimit)
    let step = max(1, before.count / Self.checkpointLimit)
    let older = before.enumerated().filter { $0.offset % step == 0 }.map(\.element)
    var sizes: Set<UInt64> = [start, request.from]
    if request.isEveryEvent { sizes.insert(request.through) }
    sizes.formUnion((recent + older + request.since).map(\.size))
    sizes.remove(0)
    sizes = sizes.filter { $0 < tree.size }
    for old in request.since where old.size > tree.size {
      throw StatementRefusal.notFrom(size: old.size, head: tree.size)
    }
    var prover = prover
    defer { self.prover = prover }
    let found = try source.read { (transaction) throws(LogError) in
      var found: [GrownFrom] = []
      for size in sizes.sorted() {
        let root = try prover.root(size: size, in: transaction)
        let path = try prover.consistency(from: size, to: tree.size, in: transaction)
        found.append(GrownFrom(size: size, root: root, path: path))
      }
      return found
    }
    var roots = Dictionary(uniqueKeysWithValues: found.map { ($0.size, $0.root) })
    roots[tree.size] = tree.checkpoint.root
    for old in request.since where roots[old.size] != old.root {
      throw StatementRefusal.notFrom(size: old.size, head: tree.size)
    }
    for old in recent + older where roots[old.size] != old.root {
      throw StatementRefusal.publishedOtherwise(size: old.size)
    }
    return found
  }

  private mutating func proven(
    _ records: [(Position, [UInt8])], _ tree: Tree
  ) throws(LogError) -> [ProvenRecord] {
    var prover = prover
    defer { self.prover = prover }
    return try source.read { (transaction) throws(LogError) in
      var found: [ProvenRecord] = []
      for (position, record) in records {
        let path = try prover.inclusion(of: position, size: tree.size, in: transaction)
        found.append(ProvenRecord(position: position, record: record, path: path))
      }
      return found
    }
  }

  private func record(at position: Position) throws(LogError) -> [UInt8] {
    let found = try source.read { (transaction) throws(LogError) in
      try source.reader.record(at: position, in: transaction)
    }
    guard let found else {
      throw .damaged(
        Damage(table: LogTables.eventsName, position: position, problem: "an event is missing"))
    }
    return found
  }

  private static func decode(_ record: [UInt8], at position: Position) throws(LogError)
    -> RecordedEvent
  {
    do throws(Damage) {
      return try record.withRawSpan { (record) throws(Damage) in
        try Record.decode(record, at: position)
      }
    } catch { throw .damaged(error) }
  }

  // MARK: The parts

  /// The first and the last event of the period, which tell when it was.
  private mutating func writeEdges(
    _ request: Request, _ tree: Tree, to text: inout StatementText
  ) throws(LogError) {
    let isEmpty = request.from == request.through
    for (name, position) in [("first", request.from + 1), ("last", request.through)] {
      guard !isEmpty else {
        text.field(name) { $0.null() }
        continue
      }
      let record = try record(at: position)
      let event = try Self.decode(record, at: position)
      let edge = try proven([(position, record)], tree)[0].edgeJSON(event)
      text.field(name) { $0.raw(edge) }
    }
  }

  /// What was spent before the period.
  private func opening(
    _ request: Request, start: Position, progress: (Position) -> Void
  ) throws(LogError) -> SpendSums {
    var sums = SpendSums()
    var doubts: [RecordedEvent] = []
    let account = request.account.map { Array($0.utf8) }
    try source.scan(after: start, through: request.from, kinds: SpendMove.kinds) {
      (event) throws(LogError) in
      if event.position % 1_024 == 0 { progress(event.position) }
      // Whose a doubt is, the start of its fetch tells; that is looked up only if it matters.
      if account != nil, SpendMove.unnamedFetch(of: event.event) != nil {
        doubts.append(event)
        return .next
      }
      for move in SpendMove.moves(of: event, started: nil)
      where account == nil || account == Array(move.account.utf8) { sums.add(move) }
      return .next
    }
    for event in doubts {
      let started = try started(event, start: start)
      for move in SpendMove.moves(of: event, started: started?.event)
      where account == Array(move.account.utf8) { sums.add(move) }
    }
    return sums
  }

  /// The start of the fetch that a doubt is about; nil if the doubt names its payers, or the fetch began before the first
  /// event of the log.
  private func started(
    _ event: RecordedEvent, start: Position
  ) throws(LogError) -> (position: Position, record: [UInt8], event: FetchStarted)? {
    guard let fetch = SpendMove.unnamedFetch(of: event.event), fetch > start,
      fetch < event.position
    else { return nil }
    let record = try record(at: fetch)
    guard case .fetchStarted(let started) = try Self.decode(record, at: fetch).event else {
      throw .damaged(
        Damage(
          table: LogTables.eventsName, position: event.position,
          problem: "a ChargeInDoubt names a fetch that position \(fetch) does not start"))
    }
    return (fetch, record, started)
  }

  private mutating func writeLines(
    _ request: Request, _ tree: Tree, start: Position, sums: inout SpendSums,
    progress: (Position) -> Void, to text: inout StatementText, _ sink: ([UInt8]) throws -> Void
  ) throws -> Int {
    text.beginList("lines")
    let tags = Set(SpendMove.kinds.map(\.rawValue))
    var last = request.from
    var count = 0
    while last < request.through {
      var records: [(Position, [UInt8])] = []
      try source.scanRecords(after: last, through: request.through) {
        (position, record) throws(LogError) in
        last = position
        if tags.contains(Record.tag(of: record)) {
          records.append((position, [UInt8](copying: record)))
        }
        return records.count < Self.portion ? .next : .stop
      }
      for source in try proven(records, tree) {
        let event = try Self.decode(source.record, at: source.position)
        var startedProof: (ProvenRecord, FetchStarted)?
        if let started = try started(event, start: start) {
          startedProof = (
            try proven([(started.position, started.record)], tree)[0], started.event
          )
        }
        let line = StatementLine(source, event, started: startedProof, account: request.account)
        guard !line.moves.isEmpty else { continue }
        for move in line.moves { sums.add(move) }
        text.element(line.json)
        count += 1
      }
      try text.flush(sink)
      progress(last)
    }
    text.endList()
    return count
  }

  /// Every event of the period, with the edge of the tree on which they are built.
  private func writeEvents(
    _ request: Request, progress: (Position) -> Void, to text: inout StatementText,
    _ sink: ([UInt8]) throws -> Void
  ) throws {
    let frontier = try source.read { (transaction) throws(LogError) in
      try source.reader.frontier(size: request.from, in: transaction)
    }
    text.field("edge") { $0.string(frontier.completeSubtrees.base64) }
    text.beginList("events")
    var last = request.from
    while last < request.through {
      var rows = 0
      try source.scanRecords(after: last, through: request.through) {
        (position, record) throws(LogError) in
        last = position
        rows += 1
        text.element(Array("\"\([UInt8](copying: record).base64)\"".utf8))
        return rows < 4_096 ? .next : .stop
      }
      try text.flush(sink)
      progress(last)
    }
    text.endList()
  }
}

/// A JSON object written in pieces, one line for each member and for each element of a list, and summed up as it goes.
private struct StatementText {
  private var pending: [UInt8] = Array("{".utf8)
  private var hasher = SHA256()
  private var hasMember = false
  private var hasElement = false

  mutating func field(_ name: String, _ write: (inout JSONWriter) -> Void) {
    begin(name)
    var json = JSONWriter()
    write(&json)
    pending += json.bytes
  }

  mutating func list(_ name: String, _ elements: [[UInt8]]) {
    beginList(name)
    for element in elements { self.element(element) }
    endList()
  }

  mutating func beginList(_ name: String) {
    begin(name)
    append("[")
    hasElement = false
  }

  mutating func element(_ bytes: [UInt8]) {
    append(hasElement ? ",\n    " : "\n    ")
    hasElement = true
    pending += bytes
  }

  mutating func endList() { append(hasElement ? "\n  ]" : "]") }

  /// The digest of all that was flushed.
  var digest: [UInt8] { Array(hasher.finalize()) }

  mutating func seal(_ note: String) {
    field("seal") { $0.string(note) }
    append("\n}\n")
  }

  mutating func flush(_ sink: ([UInt8]) throws -> Void) throws {
    hasher.update(data: pending)
    try sink(pending)
    pending.removeAll(keepingCapacity: true)
  }

  private mutating func begin(_ name: String) {
    append(hasMember ? ",\n  \"\(name)\": " : "\n  \"\(name)\": ")
    hasMember = true
  }

  private mutating func append(_ text: String) { pending += text.utf8 }
}
