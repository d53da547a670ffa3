import ArgumentParser
import Files
import Foundation
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookProofs
import TollbookAudit

/// The flags of `tollbook audit` by which it writes a statement.
struct StatementFlags: ParsableArguments {
  @Option(
    name: .customLong("statement"),
    help: ArgumentHelp(
      "Write a statement to this new file, with a proof for each line.", valueName: "file"))
  var file: String?

  @Option(
    help: ArgumentHelp(
      "An older statement or checkpoint: prove that the log only grew since.",
      valueName: "file"))
  var growthFrom: String?

  @Flag(
    help: "Put every event of the period into the statement: proves that no line is missing.")
  var everyEvent = false

  func validate() throws {
    guard file == nil, growthFrom != nil || everyEvent else { return }
    throw ValidationError("--growth-from and --every-event belong to --statement.")
  }
}

/// Writes statements, for `tollbook audit`.
enum StatementCommand {
  /// Writes a statement of a period to a file that does not exist yet: whole, or not at all.
  ///
  /// - Parameters:
  ///   - from: what happened up to there comes before the period; nil: from the beginning.
  ///   - to: the end of the period; nil: all there is.
  static func write(
    _ flags: StatementFlags, to file: String, of log: LogOnDisk, from: Moment?, to: Moment?,
    account: String?
  ) throws {
    guard account == nil || !flags.everyEvent else {
      throw ValidationError(
        "--every-event shows what all accounts spent; it does not go with --account.")
    }
    let source = log.source
    let head = try source.head()
    let first = try from?.position(in: source) ?? source.start()
    let last = try min(head, to?.position(in: source) ?? head)
    guard first <= last else {
      throw ValidationError("The period ends at position \(last), before it begins at \(first).")
    }
    guard !FileManager.default.fileExists(atPath: file) else {
      throw Refused("\(file) is there already; name a file that is not there yet.")
    }
    var request = StatementWriter.Request(from: first, through: last, account: account)
    request.isEveryEvent = flags.everyEvent
    if let older = flags.growthFrom {
      request.since = [try OlderProof(contentsOf: older).checkpoint(of: older)]
    }
    var writer = StatementWriter(
      source, signer: try CheckpointSigner.read(of: log.directory), mode: log.directory.mode,
      published: CheckpointFile(log.directory).notes().map(\.checkpoint))
    let lines = try write(to: file) { sink in
      Interrupt.watch()
      var meter = ProgressMeter(unit: "events")
      defer { meter.end() }
      return try writer.write(request, progress: { meter.show(done: $0, of: last) }) {
        try Interrupt.check()
        try sink($0)
      }
    }
    Console.say(
      "Wrote \(file): \(lines.of("line")) of \(Int(last - first).of("event")), positions"
        + " \((first + 1).grouped) to \(last.grouped), signed by"
        + " \(try CheckpointSigner.read(of: log.directory).verifier.name).")
    let reserved = try log.reserved(through: last, account: account)
    if !reserved.isEmpty {
      Console.say(
        "\(reserved.text) more are reserved for calls that have not ended: they are in no statement"
          + " before that.")
    }
    Console.say("Check it with tollbook audit check \(file), or tools/check-statement.")
  }

  /// Writes beside the file, brings that to the disk and gives it the name.
  private static func write<R>(
    to file: String, _ body: (([UInt8]) throws -> Void) throws -> R
  ) throws -> R {
    let new = file + ".new"
    guard
      FileManager.default.createFile(
        atPath: new, contents: nil, attributes: [.posixPermissions: 0o600]),
      let handle = FileHandle(forWritingAtPath: new)
    else { throw Refused("\(file) cannot be written.") }
    do {
      let result = try body { bytes in
        try told(file) { try handle.write(contentsOf: bytes) }
      }
      try told(file) {
        try handle.synchronize()
        try handle.close()
      }
      if let problem = DurableNames.rename(new, to: file) {
        throw Refused("\(file) cannot be written: \(problem).")
      }
      return result
    } catch {
      try? FileManager.default.removeItem(atPath: new)
      throw error
    }
  }
}

extension StatementCommand {
  /// Names the file if it cannot be written.
  private static func told(_ file: String, _ write: () throws -> Void) throws(FileTrouble) {
    do { try write() } catch { throw FileTrouble(writing: file, error) }
  }
}

/// `tollbook audit check`
struct AuditCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a statement, without the log that it was written from.",
    discussion: """
      Each figure is worked out again from the event it comes from, each event is \
      shown to be in the tree, and the tree's signature is checked. What that proves \
      depends on what you hold: the log's key, a checkpoint of it, or an older \
      statement. Ends with 0 if the statement holds, with 1 if it does not.

      tools/check-statement does the same in plain Python, without Tollbook.
      """)

  /// In Unicode scalars.
  private static let longestLine = 1_000

  @Argument(help: "The statement.")
  var file: String

  @Option(
    help: ArgumentHelp(
      "The log's key, as GET /log/key shows it, or a file with it.", valueName: "key"))
  var key: String?

  @Option(
    help: ArgumentHelp("A signed checkpoint that you have from elsewhere.", valueName: "file"))
  var checkpoint: String?

  @Option(
    help: ArgumentHelp(
      "An older statement or checkpoint: the log must have grown from it.", valueName: "file"))
  var since: String?

  func run() throws {
    let bytes = try OlderProof.contents(of: file)
    var check = StatementCheck()
    check.key = try key.map(Self.key)
    check.held = try checkpoint.map { file in
      guard case .checkpoint(let note, let held) = try OlderProof(contentsOf: file) else {
        throw ValidationError("\(file) is not a signed checkpoint.")
      }
      return (note, held)
    }
    check.since = try since.map { try OlderProof(contentsOf: $0) }
    do throws(StatementFault) {
      for line in try check.report(on: StatementChecker.check(bytes)) {
        // The file may be anybody's.
        Console.say(line.inOneLine(atMost: Self.longestLine))
      }
    } catch {
      Console.complain("\(file) does not hold: \(error).")
      throw ExitCode.failure
    }
  }

  private static func key(_ text: String) throws -> VerifierKey {
    if let key = VerifierKey(trimmed(text)) { return key }
    guard FileManager.default.fileExists(atPath: text) else {
      throw ValidationError(
        "--key is “\(text)”; it is a key as GET /log/key shows it, or a file with one.")
    }
    let bytes = try OlderProof.contents(of: text)
    guard let key = VerifierKey(trimmed(String(decoding: bytes, as: UTF8.self))) else {
      throw ValidationError("\(text) holds no key as GET /log/key shows it.")
    }
    return key
  }

  private static func trimmed(_ text: String) -> String {
    text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// What somebody may hold of an older state of the log.
enum OlderProof {
  case statement([UInt8])
  case checkpoint(SignedNote, Checkpoint)

  init(contentsOf file: String) throws {
    let bytes = try Self.contents(of: file)
    if StatementChecker.isStatement(bytes) {
      self = .statement(bytes)
    } else if let note = SignedNote(bytes), let checkpoint = Checkpoint(text: note.text) {
      self = .checkpoint(note, checkpoint)
    } else {
      throw ValidationError("\(file) is not a signed checkpoint.")
    }
  }

  /// Its tree; that of a statement after checking it.
  func checkpoint(of file: String) throws -> Checkpoint {
    switch self {
    case .checkpoint(_, let checkpoint): return checkpoint
    case .statement(let bytes):
      do throws(StatementFault) { return try StatementChecker.check(bytes).checkpoint } catch {
        throw Refused("\(file) does not hold: \(error).")
      }
    }
  }

  static func contents(of file: String) throws -> [UInt8] {
    do { return Array(try Data(contentsOf: URL(fileURLWithPath: file))) } catch {
      throw ValidationError("\(file) cannot be read.")
    }
  }
}

/// What a statement proves to somebody who trusts a key, a checkpoint or an older statement.
struct StatementCheck {
  var key: VerifierKey?
  var held: (note: SignedNote, checkpoint: Checkpoint)?
  var since: OlderProof?

  /// What the statement says and what is proven, in lines.
  func report(on statement: CheckedStatement) throws(StatementFault) -> [String] {
    var lines = Self.figures(of: statement)
    if let key {
      guard key == statement.key else {
        throw StatementFault("it is not signed by \(key.name) but by \(statement.key.name)")
      }
      lines.append("It is signed by the key \(key.name).")
    }
    if let held { try check(held.note, held.checkpoint, statement, &lines) }
    var isChained = false
    if let since { isChained = try check(since, statement, &lines) }
    if statement.from == 0 {
      lines.append("Its opening is nothing, since the period begins with the log.")
    } else if !isChained {
      lines.append("Its opening is the word of whoever holds the key.")
    }
    if statement.countedFrom > 0 {
      lines.append(
        "Nothing is counted up to position \(statement.countedFrom), where the log was restored"
          + " from a snapshot.")
    }
    if key == nil && held == nil && since == nil {
      lines.append(
        "Without --key, --checkpoint or --since this proves inner consistency alone:"
          + " anybody can make such a file.")
    }
    return lines
  }

  private static func figures(of statement: CheckedStatement) -> [String] {
    let events = Int(statement.through - statement.from).of("event")
    let account = statement.account.map { "account \($0)" } ?? "all accounts"
    var lines = [
      "\(statement.key.name): \(events) after position \(statement.from) up to"
        + " \(statement.through), \(account), \(statement.lineCount.of("line"))."
    ]
    for meter in statement.closing.meters {
      let (after, before) = (statement.closing[meter], statement.opening[meter])
      lines.append(
        "  \(meter.statementTitle):"
          + " settled \(after.settled.grouped) (\(before.settled.grouped) before),"
          + " in doubt \(after.inDoubt.grouped) (\(before.inDoubt.grouped) before),"
          + " unprovable \(after.unprovable.grouped) (\(before.unprovable.grouped) before)")
    }
    lines.append(
      "Each line is in the tree of \(Int(statement.checkpoint.size).of("event")), and the opening"
        + " and the lines give the closing.")
    lines.append(
      statement.coverage == .everyEvent
        ? "No charge of the period is missing: every event of it is in the file."
        : "Not proven: that no line is missing. A statement with --every-event proves that.")
    return lines
  }

  private func check(
    _ note: SignedNote, _ checkpoint: Checkpoint, _ statement: CheckedStatement,
    _ lines: inout [String]
  ) throws(StatementFault) {
    if let key, !key.hasSigned(note) {
      throw StatementFault("the checkpoint is not signed by \(key.name)")
    }
    try statement.hasGrown(from: checkpoint)
    lines.append("Its tree holds your checkpoint of \(Int(checkpoint.size).of("event")).")
    if checkpoint.size < statement.through {
      lines.append("Lines after position \(checkpoint.size) are not in your checkpoint.")
    }
  }

  /// - Returns: whether the older one is the statement before this one, and its closing this one's opening.
  private func check(
    _ since: OlderProof, _ statement: CheckedStatement, _ lines: inout [String]
  ) throws(StatementFault) -> Bool {
    let older: CheckedStatement?
    let (note, checkpoint): (SignedNote, Checkpoint)
    switch since {
    case .checkpoint(let itsNote, let itsCheckpoint):
      older = nil
      (note, checkpoint) = (itsNote, itsCheckpoint)
    case .statement(let bytes):
      let found: CheckedStatement
      do throws(StatementFault) { found = try StatementChecker.check(bytes) } catch {
        throw StatementFault("the older statement does not hold: \(error)")
      }
      older = found
      (note, checkpoint) = (found.checkpointNote, found.checkpoint)
    }
    if let key, !key.hasSigned(note) {
      throw StatementFault("the older one is not signed by \(key.name)")
    }
    try statement.hasGrown(from: checkpoint)
    lines.append(
      "The log only grew since the older one, from \(Int(checkpoint.size).of("event")).")
    guard let older, older.through == statement.from, older.countedFrom == statement.countedFrom,
      older.account.map({ Array($0.utf8) }) == statement.account.map({ Array($0.utf8) })
    else { return false }
    guard older.closing == statement.opening else {
      throw StatementFault("its opening is not the closing of the older one")
    }
    lines.append("Its opening is the closing of the older one.")
    return true
  }
}
