import Bytes
package import LMDB
package import TollbookEvents

/// The tables of the log itself, with what stands in them. Keys are big-endian, so that byte order is number order.
///
/// | table | key | value |
/// |---|---|---|
/// | `events` | position (8) | a record |
/// | `commits` | last position (8) | a commit row |
/// | `tree` | level (1), index (8) | hash of a complete subtree (32), CRC-32C (4) |
/// | `bodies` | SHA-256 of the content (32) | length, CRC-32, CRC-32C (4 each), deflate fragment |
/// | `views` | fold's id | a view row: the last position that it contains, and where |
/// | `parked` | fold's id, 0, position (8) | why the fold could not apply that event |
/// | `origin` | `origin` | how a log that was restored came to be |
package struct LogTables: Sendable {
  package static let eventsName = "events"
  package static let commitsName = "commits"
  package static let treeName = "tree"
  package static let bodiesName = "bodies"
  package static let viewsName = "views"
  package static let parkedName = "parked"
  package static let originName = "origin"
  static let names = [
    eventsName, commitsName, treeName, bodiesName, viewsName, parkedName, originName,
  ]

  package let events: Table
  package let commits: Table
  package let tree: Table
  package let bodies: Table
  package let views: Table
  package let parked: Table
  package let origin: Table

  /// The tables of an environment that holds a log, which may be open for reading only.
  package init(of environment: Environment) throws(LogError) {
    self.init(try LogError.absorbing(try environment.openTables(Self.names))[...])
  }

  /// From the tables in the order of `names`.
  init(_ tables: ArraySlice<Table>) {
    let start = tables.startIndex
    events = tables[start]
    commits = tables[start + 1]
    tree = tables[start + 2]
    bodies = tables[start + 3]
    views = tables[start + 4]
    parked = tables[start + 5]
    origin = tables[start + 6]
  }

  /// The key of a position.
  package static func key(_ position: Position) -> [8 of UInt8] {
    [8 of UInt8] { index in UInt8(truncatingIfNeeded: position >> UInt64(56 - 8 * index)) }
  }

  static func treeKey(level: UInt8, index: UInt64) -> [UInt8] {
    var key = [level]
    key.append(bigEndian: index)
    return key
  }

  /// The key of an event that a fold has parked, by the name that its view stands under.
  package static func parkedKey(fold: String, position: Position) -> [UInt8] {
    var key = Array(fold.utf8) + [0]
    key.append(bigEndian: position)
    return key
  }
}
