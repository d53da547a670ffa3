import Bytes
import LMDB
import TollbookEvents
import TollbookLog

/// Compares the live views with those of a replay, row by row and inside one transaction.
struct ViewComparison: ~Copyable {
  /// A view as it was found.
  enum Found {
    /// The log has no such view: it was restored, or written by an older version, and the next start builds it.
    case absent
    /// Every row is that of the replay.
    case equal(ViewDigest)
    case different([Damage])
    /// It contains the log only up to there: it was cut short while it caught up, and the next start goes on.
    case behind(Position)
  }

  private static let page = 2_000

  let source: LogSource
  let watch: Verification.Watch
  private var done: UInt64 = 0

  init(_ source: LogSource, _ watch: Verification.Watch) {
    self.source = source
    self.watch = watch
  }

  /// Compares the view of one fold, if it contains the log up to where the replay has come.
  mutating func compare(
    _ fold: Fold, _ views: ViewTables?, with replay: ScratchReplay,
    in transaction: borrowing ReadTransaction
  ) throws(LogError) -> Found {
    watch.reading(LogTables.viewsName)
    let row = try LogError.absorbing(
      try ViewRow.of(fold, source.tables.views, in: transaction))
    guard let views else {
      return row == nil
        ? .absent
        : .different([Damage(table: LogTables.viewsName, problem: "\(fold.id) has no tables")])
    }
    let tables = try views.open(in: transaction)
    var rows = 0
    for table in tables { rows += try LogError.absorbing(try transaction.count(in: table)) }
    if row == nil, rows == 0 { return .absent }
    if let row, row.position < replay.position { return .behind(row.position) }
    guard row?.position == replay.position else {
      let contained = row.map { "contain the log up to \($0.position)" } ?? "be there"
      return .different([
        Damage(
          table: LogTables.viewsName, position: row?.position,
          problem: "\(fold.id) is noted to \(contained), and the log ends at"
            + " \(replay.position)")
      ])
    }
    return try LogError.absorbing(
      try compare(fold, tables, with: replay, rows, in: transaction))
  }

  private mutating func compare(
    _ fold: Fold, _ tables: [Table], with replay: ScratchReplay, _ rows: Int,
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Found {
    var damages: [Damage] = []
    var digester = ViewDigester()
    let total = done + UInt64(rows)
    for ((name, live), replayed) in zip(zip(fold.tables, tables), replay.tables(of: fold)) {
      watch.reading(live.name)
      digester.begin(table: name)
      if let damage = try compare(
        live, with: replayed, of: replay, prefix: [], view: fold.id, total, &digester,
        in: transaction)
      {
        damages.append(damage)
      }
      digester.endTable()
    }
    let counted = digester.rows
    watch.reading(LogTables.parkedName)
    digester.begin(table: LogTables.parkedName)
    if let damage = try compare(
      source.tables.parked, with: replay.log.parked, of: replay,
      prefix: Array(fold.id.utf8) + [0], view: fold.id, total, &digester, in: transaction)
    {
      damages.append(damage)
    }
    digester.endTable()
    guard damages.isEmpty else { return .different(damages) }
    return .equal(ViewDigest(view: fold.id, rows: counted, digest: digester.finish()))
  }

  /// Compares two tables up to their first difference.
  private mutating func compare(
    _ live: Table, with replayed: Table, of replay: ScratchReplay, prefix: [UInt8], view: String,
    _ total: UInt64, _ digester: inout ViewDigester, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Damage? {
    var pages = RowPages(replay.environment, replayed, prefix: prefix, page: Self.page)
    var problem: String?
    var isStopped = false
    try transaction.scan(live, prefix: prefix.span) { (key, value) throws(LMDBError) in
      guard let expected = try pages.next() else {
        problem = "the row of \(key.shown) is too many"
        return .stop
      }
      guard key.elementsEqual(expected.key) else {
        let isSurplus = key.lexicographicallyPrecedes(expected.key.span)
        problem =
          isSurplus
          ? "the row of \(key.shown) is too many" : "the row of \(expected.key.shown) is missing"
        return .stop
      }
      guard value.elementsEqual(expected.value) else {
        problem = "the row of \(key.shown) has another value"
        return .stop
      }
      digester.add(key: key.extracting(prefix.count..<key.byteCount), value: value)
      done += 1
      if done % 10_000 == 0 {
        watch.progress("views", done, total)
        isStopped = watch.isCancelled()
      }
      return isStopped ? .stop : .next
    }
    if problem == nil, !isStopped, let expected = try pages.next() {
      problem = "the row of \(expected.key.shown) is missing"
    }
    return problem.map {
      Damage(table: live.name, problem: "the view \(view) is not what a replay gives: \($0)")
    }
  }
}

/// The rows of a table that changes no more, copied out a page at a time.
private struct RowPages {
  private let environment: Environment
  private let table: Table
  private let prefix: [UInt8]
  private let size: Int
  private var rows: ArraySlice<(key: [UInt8], value: [UInt8])> = []
  private var start: [UInt8]
  private var isAtEnd = false

  init(_ environment: Environment, _ table: Table, prefix: [UInt8], page size: Int) {
    self.environment = environment
    self.table = table
    self.prefix = prefix
    self.size = size
    start = prefix.isEmpty ? [0] : prefix
  }

  mutating func next() throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
    if rows.isEmpty, !isAtEnd { try read() }
    return rows.popFirst()
  }

  private mutating func read() throws(LMDBError) {
    var found: [(key: [UInt8], value: [UInt8])] = []
    try environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(table, from: start.span, prefix: prefix.span) {
        (key, value) throws(LMDBError) in
        found.append(([UInt8](copying: key), [UInt8](copying: value)))
        return found.count < size ? .next : .stop
      }
    }
    isAtEnd = found.count < size
    if let last = found.last { start = last.key + [0] }
    rows = found[...]
  }
}

extension RawSpan {
  /// For people: what is printable as it is, the rest as `\x00`.
  fileprivate var shown: String { [UInt8](copying: self).shown }
}

extension [UInt8] {
  /// For people: what is printable as it is, the rest as `\x00`.
  fileprivate var shown: String {
    var text = ""
    for byte in self {
      if (0x20..<0x7f).contains(byte), byte != UInt8(ascii: "\\") {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += "\\x" + [byte].hexadecimal
      }
    }
    return "\"\(text)\""
  }
}
