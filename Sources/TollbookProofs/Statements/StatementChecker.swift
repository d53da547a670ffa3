import Bytes
import Crypto
import JSONText
import TollbookArchive
package import TollbookEvents
import TollbookLog

/// What is wrong with a statement, in a sentence.
package struct StatementFault: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// A statement that was found to be consistent in itself: what it says, and what its tree is known to have grown from.
package struct CheckedStatement: Sendable {
  package let key: VerifierKey
  package let checkpoint: Checkpoint
  package let checkpointNote: SignedNote
  package let account: String?
  package let coverage: StatementCoverage
  /// The position up to which nothing is counted: 0, or that of the snapshot from which the log goes on.
  package let countedFrom: Position
  package let from: Position
  package let through: Position
  package let lineCount: Int
  package let opening: SpendSums
  package let sums: SpendSums
  package let closing: SpendSums
  package let grownFrom: [GrownFrom]

  /// Whether the tree of the statement begins with that of a checkpoint, as far as the statement can prove it.
  package func hasGrown(from older: Checkpoint) throws(StatementFault) {
    if older.size == 0, older.root == MerkleTree.emptyRoot { return }
    if older.size == checkpoint.size {
      guard older.root == checkpoint.root else { throw Self.otherLog(older) }
      return
    }
    guard older.size < checkpoint.size else {
      throw StatementFault(
        "it is of \(checkpoint.size) events and cannot prove what came later: that is of"
          + " \(older.size)"
      )
    }
    guard let proof = grownFrom.first(where: { $0.size == older.size }) else {
      throw StatementFault(
        "it holds no proof of growth from \(older.size) events; write it again with --growth-from"
          + " that file")
    }
    guard proof.root == older.root else { throw Self.otherLog(older) }
  }

  private static func otherLog(_ older: Checkpoint) -> StatementFault {
    StatementFault(
      "its first \(older.size) events are not those: the log was changed, or is another")
  }
}

/// Checks statements, without the log: each figure against the record that it comes from, each record against the
/// tree, the tree against its signature.
package struct StatementChecker {
  private let fields: [(name: String, value: JSONValue)]

  /// Checks a statement by itself. What it proves to somebody else depends on what that one trusts.
  package static func check(_ bytes: [UInt8]) throws(StatementFault) -> CheckedStatement {
    try StatementChecker(bytes).checked(bytes)
  }

  /// Whether some text is meant to be a statement, right or wrong.
  package static func isStatement(_ bytes: [UInt8]) -> Bool {
    (try? JSONDocument(bytes))?.root["origin"] != nil
  }

  private init(_ bytes: [UInt8]) throws(StatementFault) {
    let document: JSONDocument
    do { document = try JSONDocument(bytes) } catch {
      throw StatementFault("it is not a statement: \(error)")
    }
    guard let members = document.root.members else {
      throw StatementFault("it is not a statement")
    }
    fields = members.map { ($0.name, $0.value) }
    guard let version = document.root["version"]?.int64 else {
      throw StatementFault("it is not a statement")
    }
    guard StatementFormat.knownVersions.contains(Int(clamping: version)) else {
      throw StatementFault(
        "it is of version \(version); this Tollbook knows versions"
          + " \(StatementFormat.knownVersions.lowerBound) to \(StatementFormat.version)")
    }
    let isWhole =
      document.root["coverage"]?.string == StatementCoverage.everyEvent.rawValue
    let names =
      [
        "version", "origin", "mode", "key", "account", "coverage", "counted_from", "from",
        "through", "size", "first", "last", "opening", "lines", "sums", "closing",
      ] + (isWhole ? ["edge", "events"] : []) + ["grown_from", "checkpoint", "seal"]
    guard fields.map(\.name) == names else {
      throw StatementFault("its members are not those of a statement")
    }
  }

  private func checked(_ bytes: [UInt8]) throws(StatementFault) -> CheckedStatement {
    let seal = try note("seal")
    guard let end = Self.endOfSealed(bytes),
      seal.text == StatementFormat.sealText(Array(SHA256.hash(data: bytes[..<end])))
    else { throw StatementFault("it was changed after it was sealed") }
    let key = try verifiedKey()
    guard key.hasSigned(seal) else { throw StatementFault("its seal is not signed by its key") }
    let (checkpoint, note) = try checkpoint(signedBy: key)
    let (start, from, through) = try period(checkpoint)
    let account = try account()
    guard let coverage = StatementCoverage(rawValue: try text("coverage")) else {
      throw StatementFault("its coverage is unknown")
    }
    let grown = try grownFrom(checkpoint, start: start, from: from)
    try checkEdges(from: from, through: through, checkpoint)
    let opening = try sums("opening")
    if from == start, !opening.meters.isEmpty {
      throw StatementFault("its opening is not empty, though nothing comes before it")
    }
    let lines = try lines(
      from: from, through: through, start: start, account: account, checkpoint)
    var counted = SpendSums()
    for line in lines { for move in line.moves { counted.add(move) } }
    guard try sums("sums") == counted else {
      throw StatementFault("its sums are not those of its lines")
    }
    var closing = counted
    closing.add(opening)
    guard try sums("closing") == closing else {
      throw StatementFault("its closing is not the opening and the sums of its lines")
    }
    if coverage == .everyEvent {
      try checkEvents(
        from: from, through: through, lines: lines.map(\.source.position), grown, checkpoint)
      if account != nil { throw StatementFault("it shows every event and yet one account") }
    }
    return CheckedStatement(
      key: key, checkpoint: checkpoint, checkpointNote: note, account: account,
      coverage: coverage, countedFrom: start, from: from, through: through,
      lineCount: lines.count, opening: opening, sums: counted, closing: closing, grownFrom: grown)
  }

  // MARK: Members

  private func value(_ name: String) throws(StatementFault) -> JSONValue {
    guard let found = fields.first(where: { $0.name == name }) else { throw Self.unreadable(name) }
    return found.value
  }

  private func text(_ name: String) throws(StatementFault) -> String {
    guard let text = try value(name).string else { throw Self.unreadable(name) }
    return text
  }

  private func number(_ name: String) throws(StatementFault) -> UInt64 {
    guard let number = try value(name).uint64 else { throw Self.unreadable(name) }
    return number
  }

  private func elements(_ name: String) throws(StatementFault) -> JSONElements {
    guard let array = try value(name).array else { throw Self.unreadable(name) }
    return array
  }

  private func note(_ name: String) throws(StatementFault) -> SignedNote {
    guard let note = SignedNote(try text(name)) else { throw Self.unreadable(name) }
    return note
  }

  private static func unreadable(_ name: String) -> StatementFault {
    StatementFault("its member “\(name)” cannot be read")
  }

  /// Where the seal begins, which is the last member.
  private static func endOfSealed(_ bytes: [UInt8]) -> Int? {
    let mark = StatementFormat.sealMark
    guard bytes.count >= mark.count else { return nil }
    return (0...(bytes.count - mark.count)).last { start in
      bytes[start] == mark[0] && bytes[start..<(start + mark.count)].elementsEqual(mark)
    }
  }

  // MARK: Who says it

  private func verifiedKey() throws(StatementFault) -> VerifierKey {
    guard let key = VerifierKey(try text("key")) else { throw Self.unreadable("key") }
    guard let mode = LogMode(rawValue: try text("mode")),
      CheckpointSigner.name(of: key.publicKey, mode: mode) == key.name,
      try text("origin") == key.name
    else { throw StatementFault("its origin, its mode and its key do not belong together") }
    return key
  }

  private func checkpoint(
    signedBy key: VerifierKey
  ) throws(StatementFault) -> (Checkpoint, SignedNote) {
    let note = try note("checkpoint")
    guard let checkpoint = Checkpoint(text: note.text) else { throw Self.unreadable("checkpoint") }
    guard key.hasSigned(note), checkpoint.origin == key.name else {
      throw StatementFault("its checkpoint is not signed by its key")
    }
    guard try number("size") == checkpoint.size else {
      throw StatementFault("its size is not that of its checkpoint")
    }
    return (checkpoint, note)
  }

  private func grownFrom(
    _ checkpoint: Checkpoint, start: Position, from: Position
  ) throws(StatementFault) -> [GrownFrom] {
    var grown: [GrownFrom] = []
    for element in try elements("grown_from") {
      guard let size = element["size"]?.uint64,
        let root = element["root"]?.string.flatMap({ [UInt8](base64: $0) }),
        let path = element["path"]?.string.flatMap({ [TreeHash](base64: $0) })
      else { throw Self.unreadable("grown_from") }
      let known = GrownFrom(size: size, root: root, path: path)
      guard element.bytes.elementsEqual(known.json), known.proves(checkpoint),
        size > grown.last?.size ?? 0
      else { throw StatementFault("it does not prove that its tree grew from \(size) events") }
      grown.append(known)
    }
    for size in [start, from] where size > 0 && size < checkpoint.size {
      guard grown.contains(where: { $0.size == size }) else {
        throw StatementFault("it does not prove that its tree grew from \(size) events")
      }
    }
    return grown
  }

  // MARK: What it says

  private func period(
    _ checkpoint: Checkpoint
  ) throws(StatementFault) -> (start: Position, from: Position, through: Position) {
    let (start, from) = (try number("counted_from"), try number("from"))
    let through = try number("through")
    guard start <= from, from <= through, through <= checkpoint.size else {
      throw StatementFault("its period does not lie in its log")
    }
    return (start, from, through)
  }

  private func account() throws(StatementFault) -> String? {
    let value = try value("account")
    if value.isNull { return nil }
    guard let account = value.string else { throw Self.unreadable("account") }
    return account
  }

  private func sums(_ name: String) throws(StatementFault) -> SpendSums {
    var sums = SpendSums()
    var rows: [ArraySlice<UInt8>] = []
    for element in try elements(name) {
      guard let meter = MeterKey(members: element),
        let settled = element["settled"]?.int64, let inDoubt = element["in_doubt"]?.int64,
        let unprovable = element["unprovable"]?.int64
      else { throw Self.unreadable(name) }
      rows.append(element.bytes)
      sums.add(
        SpendAmounts(settled: settled, inDoubt: inDoubt, unprovable: unprovable), to: meter)
    }
    guard rows.map(Array.init) == sums.rows else { throw Self.unreadable(name) }
    return sums
  }

  private func proven(
    _ value: JSONValue, _ checkpoint: Checkpoint
  ) throws(StatementFault) -> (ProvenRecord, RecordedEvent) {
    guard let position = value["position"]?.uint64,
      let record = value["record"]?.string.flatMap({ [UInt8](base64: $0) }),
      let path = value["path"]?.string.flatMap({ [TreeHash](base64: $0) })
    else { throw StatementFault("a line of it cannot be read") }
    let proven = ProvenRecord(position: position, record: record, path: path)
    guard proven.isIn(checkpoint) else {
      throw StatementFault("the event at position \(position) is not in its tree")
    }
    guard let event = Self.event(record, at: position) else {
      throw StatementFault("the event at position \(position) cannot be read")
    }
    return (proven, event)
  }

  private static func event(_ record: [UInt8], at position: Position) -> RecordedEvent? {
    try? record.withRawSpan { (record) throws(Damage) in
      try Record.decode(record, at: position)
    }
  }

  private func checkEdges(
    from: Position, through: Position, _ checkpoint: Checkpoint
  ) throws(StatementFault) {
    for (name, position) in [("first", from &+ 1), ("last", through)] {
      let value = try value(name)
      if from == through {
        guard value.isNull else { throw Self.unreadable(name) }
        continue
      }
      let (record, event) = try proven(value, checkpoint)
      guard record.position == position, value.bytes.elementsEqual(record.edgeJSON(event)) else {
        throw StatementFault("its \(name) event is not the one at position \(position)")
      }
    }
  }

  private func lines(
    from: Position, through: Position, start: Position, account: String?,
    _ checkpoint: Checkpoint
  ) throws(StatementFault) -> [StatementLine] {
    var lines: [StatementLine] = []
    for value in try elements("lines") {
      let (record, event) = try proven(value, checkpoint)
      guard record.position > max(from, lines.last?.source.position ?? 0),
        record.position <= through
      else {
        throw StatementFault(
          "the line of position \(record.position) is not in its period, or not in order")
      }
      let started = try started(of: event, in: value, start: start, checkpoint)
      let line = StatementLine(record, event, started: started, account: account)
      guard !line.moves.isEmpty, value.bytes.elementsEqual(line.json) else {
        throw StatementFault(
          "the line of position \(record.position) does not say what the event says")
      }
      lines.append(line)
    }
    return lines
  }

  private func started(
    of event: RecordedEvent, in value: JSONValue, start: Position, _ checkpoint: Checkpoint
  ) throws(StatementFault) -> (ProvenRecord, FetchStarted)? {
    guard let fetch = SpendMove.unnamedFetch(of: event.event), fetch > start,
      fetch < event.position
    else { return nil }
    guard let value = value["started"] else {
      throw StatementFault("the line of position \(event.position) lacks the start of its fetch")
    }
    let (record, event) = try proven(value, checkpoint)
    guard record.position == fetch, case .fetchStarted(let started) = event.event else {
      throw StatementFault("position \(record.position) does not start the fetch in doubt")
    }
    return (record, started)
  }

  /// Hashes every event of the period: then no line can be missing.
  private func checkEvents(
    from: Position, through: Position, lines: [Position], _ grown: [GrownFrom],
    _ checkpoint: Checkpoint
  ) throws(StatementFault) {
    func root(_ size: UInt64) -> TreeHash? {
      size == 0
        ? MerkleTree.emptyRoot
        : size == checkpoint.size
          ? checkpoint.root : grown.first { $0.size == size }?.root
    }
    guard let edge = [TreeHash](base64: try text("edge")),
      var frontier = MerkleFrontier(size: from, subtrees: edge), frontier.root == root(from)
    else { throw Self.unreadable("edge") }
    var missing = lines[...]
    for element in try elements("events") {
      guard let record = element.string.flatMap({ [UInt8](base64: $0) }) else {
        throw Self.unreadable("events")
      }
      _ = frontier.append(MerkleTree.leafHash(record))
      let position = frontier.size
      guard
        record.first.flatMap(EventKind.init).map(SpendMove.kinds.contains) == true,
        let event = Self.event(record, at: position),
        !SpendMove.moves(of: event, started: nil).isEmpty
      else { continue }
      guard missing.popFirst() == position else {
        throw StatementFault("the event at position \(position) moves spend and has no line")
      }
    }
    guard missing.isEmpty, frontier.size == through, frontier.root == root(through) else {
      throw StatementFault("its events are not those of its period")
    }
  }
}
