import Files
import Foundation
import GRDB
import Keepa
import TollbookEvents

/// The predecessor's table in a file of SQLite, read in portions. The file is opened for reading alone.
struct PredecessorTable: Sendable {
  static let name = "keepa_products_cache"
  /// What the columns may be called, the first that is there counts.
  static let bodyNames = [
    "raw_data", "raw_keepa_data", "raw_json", "data", "json", "product_data", "body",
  ]
  static let timeNames = ["fetched_at", "cached_at", "updated_at", "last_updated", "created_at"]
  /// What stands in memory of one portion, beside one body.
  private static let portionBytes = 8 << 20
  private static let portionRows = 200
  /// How long another program that writes is waited for, in seconds.
  private static let patience = 5.0

  private let path: String
  private let base: DatabaseQueue
  /// As SQL.
  private let columns: (body: String, time: String, asin: String?, domain: String?)
  private var last = Int64.min
  private var isAtEnd = false

  /// In words, for whoever looks on.
  var description: String { "\(Self.name), bodies in \(columns.body), times in \(columns.time)" }

  /// - Throws: `Refused` if it is no file of SQLite that can be read, or has no such table or column.
  init(path: String) throws {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(Self.patience)
    self.path = path
    do {
      let base = try DatabaseQueue(path: Self.place(of: path), configuration: configuration)
      self.base = base
      columns = try base.read { try Self.columns(in: $0, path) }
    } catch let error as DatabaseError { throw Self.refusal(error, path) }
  }

  /// The next rows; empty at the end.
  mutating func next(domain: KeepaDomain, now: Timestamp) throws -> [Found] {
    guard !isAtEnd else { return [] }
    do {
      let portion = try base.read { [columns, last] base in
        try Self.portion(base, columns, after: last, domain, now)
      }
      last = portion.last
      isAtEnd = portion.found.isEmpty
      return portion.found
    } catch let error as DatabaseError { throw Self.refusal(error, path) }
  }

  /// How the file is opened.
  ///
  /// A file with a log beside it (WAL) needs an index of that, which SQLite would put beside it. Where there is no log,
  /// nobody has it open, and none is needed.
  private static func place(of path: String) throws -> String {
    guard try isLogged(path), !FileManager.default.fileExists(atPath: "\(path)-wal") else {
      return path
    }
    return URL(fileURLWithPath: path).absoluteString + "?immutable=1"
  }

  /// Whether the head of the file says that writes go to a log beside it.
  private static func isLogged(_ path: String) throws -> Bool {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    let head = try file.read(upToCount: 20) ?? Data()
    return head.count == 20 && head[18] == 2
  }

  private static func columns(
    in base: Database, _ path: String
  ) throws -> (body: String, time: String, asin: String?, domain: String?) {
    let tables = try String.fetchAll(
      base, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    guard let table = tables.first(where: { $0.lowercased() == name }) else {
      throw Refused(
        "\(path) has no table \(name); it has \(list(tables) ?? "none").")
    }
    let columns = try base.columns(in: table).map { $0.name.lowercased() }
    func column(_ what: String, _ names: [String]) throws -> String {
      guard let column = names.first(where: columns.contains) else {
        throw Refused(
          "\(name) in \(path) has no column for \(what): none of \(names.joined(separator: ", "))."
            + " It has \(list(columns) ?? "none").")
      }
      return column
    }
    do { _ = try Row.fetchOne(base, sql: "SELECT rowid FROM \(name) LIMIT 0") } catch {
      throw Refused("\(name) in \(path) was made WITHOUT ROWID; copy it to a usual table first.")
    }
    return (
      body: try column("the bodies", bodyNames), time: try column("the times", timeNames),
      asin: columns.contains("asin") ? "asin" : nil,
      domain: columns.contains("domain") ? "domain" : nil
    )
  }

  private static func list(_ names: [String]) -> String? {
    let shown = names.prefix(20).map { $0.inOneLine(atMost: 60) }.joined(separator: ", ")
    return names.isEmpty ? nil : shown + (names.count > 20 ? " …" : "")
  }

  private static func portion(
    _ base: Database, _ columns: (body: String, time: String, asin: String?, domain: String?),
    after last: Int64, _ domain: KeepaDomain, _ now: Timestamp
  ) throws -> (found: [Found], last: Int64) {
    // Bytes, so that none is read as the end of a text; one that is too long does not come here at all.
    let body = "CAST(\(columns.body) AS BLOB)"
    let rows = try Row.fetchCursor(
      base,
      sql: """
        SELECT rowid, length(\(body)), CASE WHEN length(\(body)) <= ? THEN \(body) END, \
        \(columns.time), \(columns.asin ?? "NULL"), CAST(\(columns.domain ?? "NULL") AS TEXT) \
        FROM \(name) WHERE rowid > ? ORDER BY rowid LIMIT ?
        """, arguments: [MovedProduct.longestBody, last, portionRows])
    var found: [Found] = []
    var place = last
    var bytes = 0
    while bytes < portionBytes, let row = try rows.next() {
      place = row[0] as Int64
      let length = row[1] as Int64?
      let beside = beside(row)
      guard let length else {
        found.append(.failure(LeftOut(.noProduct, beside.name)))
        continue
      }
      guard let data = row[2] as Data? else {
        found.append(.failure(LeftOut(.tooLong, "\(beside.name) (\(length.grouped) bytes)")))
        continue
      }
      bytes += data.count
      found.append(
        Result { () throws(LeftOut) in
          try MovedProduct([UInt8](data), beside, domain: domain, now: now)
        })
    }
    return (found, place)
  }

  private static func beside(_ row: Row) -> WrittenBeside {
    let asin = text(row[4])
    var beside = WrittenBeside(
      name: asin.map { "row \($0.inOneLine(atMost: 40))" } ?? "row \(row[0] as Int64)")
    beside.asin = asin
    beside.domain = row[5] as String?
    switch (row[3] as DatabaseValue).storage {
    case .int64(let number): beside.time = .number(Double(number))
    case .double(let number): beside.time = .number(number)
    case .string(let text): beside.time = .text(text)
    case .blob, .null: break
    }
    return beside
  }

  private static func text(_ value: DatabaseValue) -> String? {
    switch value.storage {
    case .null: nil
    case .string(let text): text
    case .int64(let number): "\(number)"
    case .double(let number): "\(number)"
    case .blob(let data): String(decoding: data, as: UTF8.self)
    }
  }

  /// What SQLite says, in a sentence that names the file.
  private static func refusal(_ error: DatabaseError, _ path: String) -> Refused {
    let reason = (error.message ?? "\(error.resultCode)").inOneLine(atMost: 200)
    return switch error.resultCode {
    case .SQLITE_NOTADB:
      Refused("\(path) is no file of SQLite, or it is encrypted.")
    case .SQLITE_CORRUPT:
      Refused("\(path) is damaged or cut off (SQLite says: \(reason)).")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      Refused("\(path) is being written by another program; try again when that has ended.")
    default: Refused("\(path) cannot be read (SQLite says: \(reason)).")
    }
  }
}
