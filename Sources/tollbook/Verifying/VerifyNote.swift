import JSONText
import TollbookArchive
import TollbookEvents
import TollbookLog

/// What the process that reads the log tells the one that started it, a line of JSON each.
enum VerifyNote: Hashable, Sendable {
  /// It is about to read a table: should it die, that one is damaged.
  case reading(String)
  case progress(stage: String, done: UInt64, total: UInt64)
  case damage(Damage)
  /// It looked at everything that it was asked to look at, or gave up.
  case summary(VerifySummary)
  /// It could not go on, and that is no damage.
  case failure(String)

  /// The line, without its end.
  var line: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      switch self {
      case .reading(let table): json.field("reading", table)
      case .progress(let stage, let done, let total):
        json.field("stage", stage)
        json.field("done", done)
        json.field("total", total)
      case .damage(let damage):
        json.field("damage", damage.problem)
        json.field("table", damage.table)
        json.fieldIfPresent("position", damage.position)
      case .summary(let summary): json.object("summary") { summary.write(to: &$0) }
      case .failure(let text): json.field("failure", text)
      }
    }
    return json.bytes
  }

  /// Nil if the line is none of these: the process died in the middle of it.
  init?(line: [UInt8]) {
    guard let root = try? JSONDocument(line).root else { return nil }
    if let table = root["reading"]?.string {
      self = .reading(table)
    } else if let stage = root["stage"]?.string, let done = root["done"]?.uint64,
      let total = root["total"]?.uint64
    {
      self = .progress(stage: stage, done: done, total: total)
    } else if let problem = root["damage"]?.string, let table = root["table"]?.string {
      self = .damage(
        Damage(table: table, position: root["position"]?.uint64, problem: problem))
    } else if let summary = root["summary"].flatMap(VerifySummary.init) {
      self = .summary(summary)
    } else if let text = root["failure"]?.string {
      self = .failure(text)
    } else {
      return nil
    }
  }
}

/// What was looked at, in numbers.
struct VerifySummary: Hashable, Sendable {
  var head: UInt64 = 0
  var records: UInt64 = 0
  var commits: UInt64 = 0
  var bodies: UInt64 = 0
  var bodyBytes: UInt64 = 0
  var absentBodies: UInt64 = 0
  var isCutShort = false
  /// Views that are what a replay gives, and their rows.
  var views: UInt64 = 0
  var viewRows: UInt64 = 0
  var absentViews: UInt64 = 0
  /// Views, and the index, that contain the log only up to a position; and the first such position.
  var viewsBehind: UInt64 = 0
  var behindAt: UInt64 = 0
  var recordSeconds = 0.0
  var bodySeconds = 0.0
  var state: String?

  init() {}

  init(_ outcome: Verification.Outcome) {
    head = outcome.log.head
    records = outcome.log.records
    commits = outcome.log.commits
    bodies = outcome.log.bodies
    bodyBytes = outcome.log.bodyBytes
    absentBodies = outcome.log.absentBodies
    isCutShort = outcome.log.isCutShort
    views = UInt64(outcome.views.count)
    viewRows = outcome.views.reduce(0) { $0 + $1.rows }
    absentViews = UInt64(outcome.absentViews.count)
    let index = [outcome.log.indexPosition].compactMap(\.self)
    let behind = outcome.viewsBehind.map(\.position) + index
    viewsBehind = UInt64(behind.count)
    behindAt = behind.min() ?? 0
    recordSeconds = outcome.log.recordSeconds
    bodySeconds = outcome.log.bodySeconds
    state = outcome.state?.description
  }

  private static var numbers: [(String, WritableKeyPath<VerifySummary, UInt64>)] {
    [
      ("head", \.head), ("records", \.records), ("commits", \.commits), ("bodies", \.bodies),
      ("body_bytes", \.bodyBytes), ("absent_bodies", \.absentBodies), ("views", \.views),
      ("view_rows", \.viewRows), ("absent_views", \.absentViews),
      ("views_behind", \.viewsBehind), ("behind_at", \.behindAt),
    ]
  }

  func write(to json: inout JSONWriter) {
    for (name, path) in Self.numbers { json.field(name, self[keyPath: path]) }
    json.field("is_cut_short", isCutShort)
    json.field("record_seconds", recordSeconds)
    json.field("body_seconds", bodySeconds)
    json.fieldIfPresent("state", state)
  }

  init?(_ json: JSONValue) {
    for (name, path) in Self.numbers {
      guard let number = json[name]?.uint64 else { return nil }
      self[keyPath: path] = number
    }
    isCutShort = json["is_cut_short"]?.bool ?? false
    recordSeconds = json["record_seconds"]?.double ?? 0
    bodySeconds = json["body_seconds"]?.double ?? 0
    state = json["state"]?.string
  }
}
