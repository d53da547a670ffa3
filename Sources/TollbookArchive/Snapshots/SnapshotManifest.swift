import Bytes
import JSONText
package import TollbookEvents
package import TollbookLog

/// What a snapshot says of itself before its rows: whose state it is, and how much of it follows.
package struct SnapshotManifest: Hashable, Sendable {
  /// A view in the snapshot.
  package struct View: Hashable, Sendable {
    /// A table of a view.
    package struct TableCount: Hashable, Sendable {
      package var name: String
      package var rows: UInt64
    }

    package var tables: [TableCount]
    /// Events that the view could not apply.
    package var parked: UInt64
    /// Over the rows and parked events, uncompressed.
    package var digest: ViewDigest

    package var id: String { digest.view }
  }

  /// The bodies that the entries of the cache need.
  package struct Bodies: Hashable, Sendable {
    /// How many are in the snapshot.
    package var stored: UInt64
    /// How many the log did not have when it was taken.
    package var absent: UInt64
  }

  package var mode: LogMode
  /// The last commit that the state contains.
  package var commit: CommitRow
  /// The tree's right edge after that commit.
  package var frontier: MerkleFrontier
  package var taken: Timestamp
  package var isAutomatic: Bool
  /// What whoever took it wanted to say.
  package var note: String
  package var views: [View]
  /// Nil: it was taken without bodies.
  package var bodies: Bodies?

  /// The last position that the state contains.
  package var position: Position { commit.last }
  /// Of all views, without parked events.
  package var rows: UInt64 { views.reduce(0) { $0 + $1.digest.rows } }
  /// What `verify` and `replay` print for the same log at that position.
  package var state: StateDigest {
    StateDigest(position: position, root: commit.root, views: views.map(\.digest))
  }
}

// MARK: As JSON

extension SnapshotManifest {
  /// One line. Hashes are hexadecimal; `time` and `taken_at` are for people, the numbers beside them count.
  var json: [UInt8] {
    var json = JSONWriter(capacity: 4_096)
    json.object { json in
      json.field("format", SnapshotFormat.version)
      json.field("mode", mode.rawValue)
      json.field("position", position)
      json.field("state", state.description)
      json.field("root", commit.root.hexadecimal)
      json.field("size", frontier.size)
      json.array("frontier", frontier.completeSubtrees.map(\.hexadecimal))
      json.field("commit", commit.bytes.hexadecimal)
      json.field("time", commit.time.description)
      json.field("taken_at", taken.description)
      json.field("taken_ms", taken.milliseconds)
      json.field("automatic", isAutomatic)
      json.field("note", note)
      json.field("rows", rows)
      json.array("views", views) { json, view in
        json.object { json in
          json.field("view", view.id)
          json.field("digest", view.digest.digest.hexadecimal)
          json.field("rows", view.digest.rows)
          json.field("parked", view.parked)
          json.array("tables", view.tables) { json, table in
            json.object { json in
              json.field("table", table.name)
              json.field("rows", table.rows)
            }
          }
        }
      }
      if let bodies {
        json.object("bodies") { json in
          json.field("stored", bodies.stored)
          json.field("absent", bodies.absent)
        }
      }
    }
    return json.bytes
  }

  /// What may be wrong with a manifest whose bytes are those that were written.
  enum Flaw: Error, Hashable {
    case tooNew(UInt64)
    case wrong(String)
  }

  init(json bytes: [UInt8]) throws(Flaw) {
    let root: JSONValue
    do throws(JSONError) { root = try JSONDocument(bytes).root } catch {
      throw .wrong("the manifest is no JSON: \(error.reason.rawValue) at its byte \(error.offset)")
    }
    guard let format = root["format"]?.uint64, format > 0 else { throw Self.wrong("format") }
    guard format <= UInt64(SnapshotFormat.version) else { throw .tooNew(format) }
    guard let position = root["position"]?.uint64, position > 0 else {
      throw Self.wrong("position")
    }
    mode = try Self.read(root, "mode") { $0.string.flatMap(LogMode.init(rawValue:)) }
    commit = try Self.read(root, "commit") { value in
      let row = value.string.flatMap([UInt8].init(hexadecimal:))
      return row.flatMap { row in
        row.withRawSpan { try? CommitRow(last: position, bytes: $0) }
      }
    }
    let size = try Self.read(root, "size") { $0.uint64 }
    frontier = try Self.read(root, "frontier") { value in
      let hashes = value.array?.map { $0.string.flatMap([UInt8].init(hexadecimal:)) ?? [] }
      return hashes.flatMap { MerkleFrontier(size: size, subtrees: $0) }
    }
    taken = Timestamp(milliseconds: try Self.read(root, "taken_ms") { $0.int64 })
    isAutomatic = try Self.read(root, "automatic") { $0.bool }
    note = try Self.read(root, "note") { $0.string }
    views = try Self.views(root)
    bodies = try Self.bodies(root)
    try check(root)
  }

  private static func views(_ root: JSONValue) throws(Flaw) -> [View] {
    let values = try read(root, "views") { $0.array }
    var views: [View] = []
    for value in values {
      var tables: [View.TableCount] = []
      for table in try read(value, "tables", { $0.array }) {
        tables.append(
          View.TableCount(
            name: try read(table, "table") { $0.string },
            rows: try read(table, "rows") { $0.uint64 }))
      }
      let digest = try read(value, "digest") { value in
        value.string.flatMap([UInt8].init(hexadecimal:)).flatMap { $0.count == 32 ? $0 : nil }
      }
      let id = try read(value, "view") { $0.string }
      let rows = try read(value, "rows") { $0.uint64 }
      views.append(
        View(
          tables: tables, parked: try read(value, "parked") { $0.uint64 },
          digest: ViewDigest(view: id, rows: rows, digest: digest)))
    }
    return views
  }

  private static func bodies(_ root: JSONValue) throws(Flaw) -> Bodies? {
    guard let value = root["bodies"] else { return nil }
    return Bodies(
      stored: try read(value, "stored") { $0.uint64 },
      absent: try read(value, "absent") { $0.uint64 })
  }

  /// What must hold between the fields.
  private func check(_ root: JSONValue) throws(Flaw) {
    guard frontier.size == position, commit.treeSize == position, frontier.root == commit.root
    else { throw .wrong("the edge of the tree does not hash to the root of the commit") }
    guard root["root"]?.string == commit.root.hexadecimal else { throw Self.wrong("root") }
    for view in views {
      var rows: UInt64 = 0
      for table in view.tables { rows &+= table.rows }
      guard rows == view.digest.rows, view.tables.count < 255 else { throw Self.wrong("views") }
    }
    guard Set(views.map(\.id)).count == views.count, views.count < 255 else {
      throw Self.wrong("views")
    }
    guard root["rows"]?.uint64 == rows else { throw Self.wrong("rows") }
    guard root["state"]?.string == state.description else { throw Self.wrong("state") }
  }

  private static func read<Value>(
    _ value: JSONValue, _ name: String, _ read: (JSONValue) -> Value?
  ) throws(Flaw) -> Value {
    guard let found = value[name].flatMap(read) else { throw wrong(name) }
    return found
  }

  private static func wrong(_ field: String) -> Flaw {
    .wrong("the manifest has no sound “\(field)”")
  }
}

extension [UInt8] {
  /// The bytes of hexadecimal digits; nil if they are none, or of an odd number.
  init?(hexadecimal text: String) {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Self.value(digits[index]), let low = Self.value(digits[index + 1]) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    self = bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 48...57: digit - 48
    case 97...102: digit - 87
    default: nil
    }
  }
}
