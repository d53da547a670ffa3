import ArgumentParser
import Foundation
import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookHTTP
import TollbookLog

/// `tollbook log export`
struct ExportCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case protobuf, jsonl
  }

  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the event log to a file, also while Tollbook runs.",
    discussion: """
      The file holds whole commits with the bytes that they were sealed over, so that \
      it proves itself: `tollbook verify --export FILE`. `tollbook log import` and \
      `tollbook restore` read it. JSON lines are for people and for other programs; \
      nothing can be restored from them.

      Examples:
        tollbook log export --bodies --output monday.export
        tollbook log export --output all.export --resume
        tollbook log export --from 2026-11-01 --format jsonl | jq .type
      """)

  @OptionGroup var place: PlaceFlags

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "First event or instant; the commit that it is in comes whole.", valueName: "position or time"
    ))
  var from: Moment?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Last event or instant.", valueName: "position or time"))
  var to: Moment?

  @Flag(help: "With the bodies that the events name.")
  var bodies = false

  @Option(help: "protobuf, or one JSON object per line for reading.")
  var format = Format.protobuf

  @Option(help: ArgumentHelp("Write to this file; else to standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Go on with a file that was begun, or let a complete one grow.")
  var resume = false

  func validate() throws {
    do throws(EventRangeProblem) { try EventRange.check(from: from, to: to) } catch {
      throw ValidationError("\(error).")
    }
    guard format == .protobuf || !bodies && !resume else {
      throw ValidationError("JSON lines have no --bodies and no --resume.")
    }
    if resume && output == nil { throw ValidationError("--resume needs --output.") }
    if output == nil && format == .protobuf && Console.isTerminal {
      throw ValidationError("This is nothing for a terminal: add --output, or --format jsonl.")
    }
  }

  func run() async throws {
    let settings = try await place.settings()
    let log = try LogOnDisk(settings)
    let source = log.source
    Interrupt.watch()
    do {
      switch format {
      case .protobuf: try export(source, mode: log.directory.mode)
      case .jsonl: try write(source)
      }
    } catch let problem as EventRangeProblem {
      throw ValidationError("\(problem).")
    } catch let problem as ExportFileProblem {
      if case .exists = problem { throw ValidationError("\(problem)") }
      throw problem
    }
  }

  private func export(_ source: LogSource, mode: LogMode) throws {
    let start = resume && from == nil ? try Self.beginning(of: output) : from
    let plan = try ExportPlan(of: source, mode: mode, from: start, to: to, bodies: bodies)
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    let clock = ContinuousClock.now
    let totals: ExportTotals
    var before = ExportTotals(plan.header)
    if let output {
      let written = try ExportFile.write(plan, of: source, to: output, isResuming: resume) {
        position in
        meter.show(done: position, of: plan.last)
        try Interrupt.check()
      }
      totals = written.totals
      before = written.done.totals ?? before
      if written.done.dropped > 0 {
        tell(
          "The last \(written.done.dropped.grouped) bytes were not whole and were written again.")
      }
    } else {
      totals = try Self.stream(ExportWriter(plan, of: source), &meter)
    }
    meter.end()
    let seconds = clock.duration(to: .now)
    let events = Int(totals.events - before.events)
    let rate = Int(Double(events) / max(seconds.seconds, 0.001))
    tell(
      "Exported \(events.of("event")) in \(Int(totals.commits - before.commits).of("commit"))"
        + (bodies ? " with \(Int(totals.bodies - before.bodies).of("body", "bodies"))" : "")
        + " up to position \(totals.last) in \(seconds.inSeconds) (\(rate.grouped) events/s).")
    if let start, case .position(let position) = start, plan.header.first < position {
      tell("It begins with position \(plan.header.first), where that event's commit begins.")
    }
    if let to, case .position(let position) = to, plan.last > position {
      tell("It ends with position \(plan.last), where that event's commit ends.")
    }
    tell("root  \(totals.root.hexadecimal)")
  }

  /// Says something that is no part of the export.
  private func tell(_ text: String) {
    if output == nil { Console.note(text) } else { Console.say(text) }
  }

  /// What is written already begins where it begins.
  private static func beginning(of output: String?) throws -> Moment? {
    guard let output else { return nil }
    for path in [ExportFile.part(of: output), output]
    where FileManager.default.fileExists(atPath: path) {
      if let reader = try? ExportReader(path: path) { return .position(reader.header.first) }
    }
    return nil
  }

  /// Writes an export to standard output.
  private static func stream(
    _ writer: ExportWriter, _ meter: inout ProgressMeter
  ) throws -> ExportTotals {
    var writer = writer
    let output = FileHandle.standardOutput
    try output.write(contentsOf: Data(writer.opening))
    while let bytes = try writer.next() {
      try output.write(contentsOf: Data(bytes))
      meter.show(done: writer.totals.last, of: writer.plan.last)
      try Interrupt.check()
    }
    try output.write(contentsOf: Data(writer.end))
    return writer.totals
  }

  /// Writes events as JSON lines.
  private func write(_ source: LogSource) throws {
    let range = try EventRange(from: from, to: to, in: source)
    let lines = try LineOutput(path: output)
    let query = EventQuery(EventFilter(), in: source)
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    var last = range.after
    while last < range.through {
      let page = try query.page(after: last, through: range.through, limit: 2_000)
      try lines.write(page.events)
      last = page.last
      meter.show(done: last, of: range.through)
      try Interrupt.check()
    }
    try lines.finish()
  }
}

extension Moment: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
}

/// Events as JSON lines, to a file that has its name only when it is complete, or to standard output.
private struct LineOutput {
  private let path: String?
  private let file: FileHandle

  init(path: String?) throws {
    self.path = path
    guard let path else {
      file = .standardOutput
      return
    }
    guard !FileManager.default.fileExists(atPath: path) else {
      throw ValidationError("\(path) is there already. Name another file.")
    }
    let part = ExportFile.part(of: path)
    let isMade = FileManager.default.createFile(
      atPath: part, contents: nil, attributes: [.posixPermissions: 0o600])
    guard isMade, let file = FileHandle(forWritingAtPath: part) else {
      throw Refused("\(part) cannot be written.")
    }
    self.file = file
  }

  func write(_ events: [RecordedEvent]) throws {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512 * events.count)
    for event in events {
      var json = JSONWriter(capacity: 512)
      event.write(to: &json, Systems.http)
      bytes += json.bytes
      bytes.append(UInt8(ascii: "\n"))
    }
    try file.write(contentsOf: Data(bytes))
  }

  func finish() throws {
    guard let path else { return }
    try file.synchronize()
    try file.close()
    try FileManager.default.moveItem(atPath: ExportFile.part(of: path), toPath: path)
  }
}
