import ArgumentParser
import Foundation
import LMDB
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookLog

/// Adding up a log: totals alone and with the waste report, and what they are measured against.
struct AuditBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Audits a log, and scans the same records without looking.")

  @Option(help: "A folder on a RAM disk.") var ram = "/dev/shm"
  @Option(help: "How many events.") var events: UInt64 = 1_000_000
  @Option(help: "How many different products.") var products = 100_000
  @Option(help: "Products whose reads are told after each hundred purchases.") var reads = 1_000
  @Option(help: "How often each is measured; the best counts.") var rounds = 3

  func run() async throws {
    try await withFolder(in: ram) { path in
      try await fill(path)
      let environment = try open(path)
      let source = try LogSource(environment)
      let raw = try best { try scan(environment) }
      let checked = try best {
        try source.scanRecords(after: 0) { (_, _) throws(LogError) in .next }
      }
      let totals = try best { try audit(source, withWaste: false) }
      let waste = try best { try audit(source, withWaste: true) }
      let byResource = try best { try audit(source, withWaste: false, by: .resource) }
      let decoding = try best { try decode(source) }
      let sqlite = try fold(overSQLiteOf: source, in: path)
      let rate = { (seconds: Double) in Double(events) / seconds }
      printTable(
        "Auditing \(grouped(Double(events))) events, one core: fetches of"
          + " \(EventMix.productsPerFetch) products, \(reads) reads after each hundred",
        [
          Row("cursor scan of the records", "\(grouped(rate(raw))) events/s", "the limit"),
          Row("the same, checksums compared", "\(grouped(rate(checked))) events/s"),
          Row(
            "totals by day", "\(grouped(rate(totals))) events/s",
            "\(percent(raw, of: totals)) × cursor scan"),
          Row(
            "totals by day, with waste", "\(grouped(rate(waste))) events/s",
            "\(percent(raw, of: waste)) × cursor scan"),
          Row("totals by resource", "\(grouped(rate(byResource))) events/s"),
          Row("decoding every event, adding up nothing", "\(grouped(rate(decoding))) events/s"),
        ]
          + (sqlite.map { seconds in
            [
              Row(
                "SQLite, a GROUP BY over figures in columns", "\(grouped(rate(seconds))) events/s",
                "\(percent(seconds, of: totals)) × totals by day")
            ]
          } ?? []))
    }
  }

  private func fill(_ path: String) async throws {
    let directory = try DataDirectory.own(path, mode: .simulated)
    var options = EventLog.Options()
    options.unsafeWithoutSync = true
    let log = try EventLog(directory, folds: [], time: .system, options: options) { error in
      print("failed: \(error)")
    }
    let mix = MixDispenser(world: products)
    let (end, products, count) = (events, products, reads)
    while log.head < end {
      _ = try await log.decide { (_, context) throws(LogError) in
        var events = mix.take(1_400, context)
        if count > 0 {
          let reads = Self.reads(count, at: context.time, from: context.next, of: products)
          events.append(.readsTallied(reads))
        }
        return Decision(events: events, answer: ())
      }
    }
    log.close()
  }

  /// A second's reads of so many products.
  private static func reads(
    _ count: Int, at now: Timestamp, from position: Position, of products: Int
  ) -> ReadsTallied {
    var event = ReadsTallied()
    event.rows = (0..<count).map { number in
      var row = ReadTally()
      row.resource = EventMix.resource((Int(position) &+ number &* 7_919) % products)
      row.account = "default"
      row.firstReadMs = now.milliseconds - 900
      row.lastReadMs = now.milliseconds
      row.fresh = 1
      row.operation = EventMix.operation
      row.costs = [EventMix.tokens(1)]
      return row
    }
    return event
  }

  private func open(_ path: String) throws -> Environment {
    var options = EnvironmentOptions()
    options.isReadOnly = true
    return try Environment(directory: path, options: options)
  }

  private func best(_ body: () throws -> Void) throws -> Double {
    var best = Double.infinity
    for _ in 0..<rounds { best = min(best, try tollbook_bench.seconds { try body() }) }
    return best
  }

  /// Visits every record and looks at nothing.
  private func scan(_ environment: Environment) throws {
    let table = try LogTables(of: environment).events
    var bytes = 0
    try environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(table) { (_, record) throws(LMDBError) in
        bytes &+= record.byteCount
        return .next
      }
    }
    precondition(bytes > 0, "the log is filled")
  }

  private func decode(_ source: LogSource) throws {
    var last: Position = 0
    try source.scan(after: 0) { (event) throws(LogError) in
      last = event.position
      return .next
    }
    precondition(last >= events, "all are there")
  }

  private func audit(
    _ source: LogSource, withWaste: Bool, by grouping: AuditGrouping = .day
  ) throws {
    var query = AuditQuery()
    query.withWaste = withWaste
    query.grouping = grouping
    // What is measured is how fast events are read.
    query.source = .events
    let report = try Audit.run(query, in: source)
    precondition(report.map { $0.total["tokens"].certain > 0 } ?? false, "tokens were charged")
  }

  /// The predecessors' shape: a table of events with the figures in columns, and a query that groups by day. SQLite has
  /// nothing to decode; reading its rows and adding up is all that is measured.
  ///
  /// - Returns: nil where there is no Python with SQLite.
  private func fold(overSQLiteOf source: LogSource, in path: String) throws -> Double? {
    let file = "\(path)/events.csv"
    _ = FileManager.default.createFile(atPath: file, contents: nil)
    guard let handle = FileHandle(forWritingAtPath: file) else { return nil }
    var lines: [UInt8] = []
    try source.scanRecords(after: 0) { (position, record) throws(LogError) in
      let tag = Record.tag(of: record)
      let time = Record.time(of: record).milliseconds
      var tokens: Int64 = 0
      if tag == EventKind.tokensCharged.rawValue { tokens = Int64(EventMix.productsPerFetch) }
      lines += Array("\(position),\(tag),\(time),\(tokens)\n".utf8)
      return .next
    }
    try handle.write(contentsOf: Data(lines))
    try handle.close()
    let python = Process()
    python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    python.arguments = ["python3", "-c", Self.script, file, "\(path)/events.sqlite", "\(rounds)"]
    let output = Pipe()
    python.standardOutput = output
    try python.run()
    let text = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    python.waitUntilExit()
    return Double(text.split(separator: "\n").last ?? "")
  }

  private static let script = """
    import csv, sqlite3, sys, time
    store = sqlite3.connect(sys.argv[2])
    store.execute("CREATE TABLE events (position INTEGER PRIMARY KEY, kind INTEGER, time INTEGER,"
                  " account TEXT, operation TEXT, tokens INTEGER)")
    with open(sys.argv[1]) as rows:
        store.executemany("INSERT INTO events VALUES (?, ?, ?, 'default', 'keepa.product', ?)",
                          csv.reader(rows))
    store.commit()
    best = 1e9
    for _ in range(int(sys.argv[3])):
        start = time.perf_counter()
        store.execute("SELECT time / 86400000, kind, COUNT(*), SUM(tokens) FROM events"
                      " GROUP BY 1, 2").fetchall()
        best = min(best, time.perf_counter() - start)
    print(best)
    """
}
