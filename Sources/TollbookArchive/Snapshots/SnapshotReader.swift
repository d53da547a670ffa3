import Bytes
import Dispatch
import Synchronization
package import TollbookLog

/// A row of a table.
package struct SnapshotRow: Hashable, Sendable {
  package var key: [UInt8]
  package var value: [UInt8]
}

/// Some of what a snapshot holds, checked.
package enum SnapshotPortion: Sendable {
  /// Rows of one table, in key order. `view` counts in the manifest's views, `table` in that view's tables; the number
  /// after the last table stands for the events that the view has parked (key: the position in 8 bytes; value: the
  /// reason).
  case rows(view: Int, table: Int, [SnapshotRow])
  /// Bodies by their digests, each of them inflated once and found to have it.
  case bodies([Body])
}

/// Reads a snapshot from its beginning to its end, in a few portions of memory, and checks everything on the way.
///
/// What it hands out is as it was written as far as checksums tell; that nothing is missing is certain only when the
/// last portion was read.
package final class SnapshotReader {
  package let path: String
  /// Size of the file.
  package let size: UInt64
  package let manifest: SnapshotManifest
  /// SHA-256 of the file before its last section, when all was read.
  package private(set) var digest: [UInt8]?

  private var input: SnapshotInput
  private var order: RowOrder
  private var bodies: UInt64 = 0
  private var lastBody: [UInt8] = []

  /// Opens the file and reads its manifest.
  package init(path: String) throws(SnapshotProblem) {
    var input = try SnapshotInput(path: path)
    let section = try input.next(expecting: "the manifest")
    let flaw: SnapshotManifest.Flaw
    do throws(SnapshotManifest.Flaw) {
      guard section.kind == .manifest else {
        throw .wrong("\(section.kind.name) stands where the manifest should")
      }
      manifest = try SnapshotManifest(json: section.content)
      self.path = path
      self.input = input
      size = input.size
      order = RowOrder(manifest)
      return
    } catch { flaw = error }
    switch flaw {
    case .tooNew(let format): throw .tooNew(path, format: format)
    case .wrong(let problem):
      throw .damaged(path, section: "the manifest", at: section.offset, problem: problem)
    }
  }

  /// Opens the file, reads its manifest, and looks whether the end is there: what says of itself what it holds should
  /// also hold it.
  ///
  /// - Throws: `.cut` if it is not.
  package static func whole(_ path: String) throws(SnapshotProblem) -> SnapshotReader {
    let reader = try SnapshotReader(path: path)
    try reader.input.checkEnd()
    return reader
  }

  /// The next portion; nil when the whole file was read and all of it is as it was written.
  package func next() throws(SnapshotProblem) -> SnapshotPortion? {
    guard digest == nil else { return nil }
    let section = try input.next(expecting: order.expectation)
    do throws(Flaw) {
      switch section.kind {
      case .manifest: throw Flaw("a second manifest")
      case .rows:
        let (view, table, rows) = try order.rows(section.content)
        return .rows(view: view, table: table, rows)
      case .bodies: return .bodies(try checkedBodies(section.content))
      case .end: try end(section.content)
      }
    } catch {
      throw .damaged(
        path, section: section.kind == .rows ? order.expectation : section.kind.name,
        at: section.offset, problem: error.problem)
    }
    return nil
  }

  /// Reads everything that is left.
  package func readAll(
    watch: SnapshotWatch = { _ throws(SnapshotProblem) in }
  ) throws(SnapshotProblem) {
    while let portion = try next() { try watch(progress(after: portion)) }
  }

  /// How far it is.
  package func progress(after portion: SnapshotPortion) -> SnapshotProgress {
    switch portion {
    case .rows: SnapshotProgress(stage: .rows, done: order.seen, total: manifest.rows)
    case .bodies:
      SnapshotProgress(stage: .bodies, done: bodies, total: manifest.bodies?.stored ?? 0)
    }
  }

  private func end(_ content: [UInt8]) throws(Flaw) {
    try order.end()
    let expected = manifest.bodies?.stored ?? 0
    guard bodies == expected else { throw Flaw("\(bodies) bodies came before it, not \(expected)") }
    let found = input.digest()
    guard content == found else {
      throw Flaw("the file does not have the SHA-256 that its last section names")
    }
    guard input.offset == size else { throw Flaw("\(size - input.offset) bytes follow it") }
    digest = found
  }

  // MARK: Bodies

  private func checkedBodies(_ content: [UInt8]) throws(Flaw) -> [Body] {
    try order.end()
    guard manifest.bodies != nil else { throw Flaw("the manifest knows of no bodies") }
    var places: [(digest: [UInt8], row: Range<Int>)] = []
    var offset = 0
    while offset < content.count {
      guard content.count - offset >= 36 else { throw Flaw("a body is cut") }
      let digest = Array(content[offset..<(offset + 32)])
      let length = content.withRawSpan { Int($0.bigEndianUInt32(at: offset + 32)) }
      offset += 36
      guard content.count - offset >= length else { throw Flaw("a body is cut") }
      guard lastBody.lexicographicallyPrecedes(digest) else {
        throw Flaw("bodies are not in the order of their digests")
      }
      lastBody = digest
      places.append((digest, offset..<(offset + length)))
      offset += length
    }
    bodies += UInt64(places.count)
    return try Self.check(places, in: content)
  }

  /// Inflates and hashes bodies on all cores, for that is what takes the time.
  private static func check(
    _ places: [(digest: [UInt8], row: Range<Int>)], in content: [UInt8]
  ) throws(Flaw) -> [Body] {
    let checked = Mutex<[Body?]>(Array(repeating: nil, count: places.count))
    let problem = Mutex<Damage?>(nil)
    let share = max(1, places.count / 16)
    DispatchQueue.concurrentPerform(iterations: (places.count + share - 1) / share) { part in
      for index in (part * share)..<min((part + 1) * share, places.count) {
        do throws(Damage) {
          let body = try content.withRawSpan { (bytes) throws(Damage) in
            try Body(digest: places[index].digest, row: bytes.extracting(places[index].row))
          }
          _ = try body.content()
          checked.withLock { $0[index] = body }
        } catch { problem.withLock { $0 = error } }
      }
    }
    if let damage = problem.withLock({ $0 }) { throw Flaw("\(damage.problem)") }
    return checked.withLock { $0.compactMap(\.self) }
  }
}

extension SnapshotReader {
  /// Reads a snapshot to its end.
  ///
  /// - Returns: what it is, when everything in it is as it was written.
  package static func verify(
    _ path: String, watch: SnapshotWatch = { _ throws(SnapshotProblem) in }
  ) throws(SnapshotProblem) -> SnapshotManifest {
    let reader = try SnapshotReader(path: path)
    try reader.readAll(watch: watch)
    return reader.manifest
  }
}

/// What is wrong with a section whose checksums fit.
private struct Flaw: Error {
  let problem: String

  init(_ problem: String) { self.problem = problem }
}

/// Follows rows through views and tables, and checks order, counts and digests.
private struct RowOrder {
  private let views: [SnapshotManifest.View]
  /// The table that rows are expected of.
  private var view = 0
  private var table = 0
  private var rows: UInt64 = 0
  private var lastKey: [UInt8] = []
  private var digester = ViewDigester()
  /// Rows of all tables, parked events left out.
  private(set) var seen: UInt64 = 0

  init(_ manifest: SnapshotManifest) {
    views = manifest.views
    beginTable()
  }

  /// What should come next, in words.
  var expectation: String {
    guard view < views.count else { return "its last section" }
    return "rows of \(name(view, table))"
  }

  private func name(_ view: Int, _ table: Int) -> String {
    table < views[view].tables.count
      ? views[view].tables[table].name : "the events that \(views[view].id) parked"
  }

  mutating func rows(_ content: [UInt8]) throws(Flaw) -> (Int, Int, [SnapshotRow]) {
    guard content.count > 2, Int(content[0]) < views.count,
      Int(content[1]) <= views[Int(content[0])].tables.count
    else { throw Flaw("rows of a table that the manifest does not know") }
    try advance(toView: Int(content[0]), table: Int(content[1]))
    let found = try content.withRawSpan { (bytes) throws(Flaw) in try add(bytes) }
    return (view, table, found)
  }

  private mutating func add(_ content: RawSpan) throws(Flaw) -> [SnapshotRow] {
    var found: [SnapshotRow] = []
    var offset = 2
    let isParked = table == views[view].tables.count
    while offset < content.byteCount {
      guard content.byteCount - offset >= 8 else { throw Flaw("a row is cut") }
      let keyLength = Int(content.bigEndianUInt32(at: offset))
      let valueLength = Int(content.bigEndianUInt32(at: offset + 4))
      offset += 8
      guard content.byteCount - offset >= keyLength + valueLength else {
        throw Flaw("a row is cut")
      }
      guard (1...511).contains(keyLength), !isParked || keyLength == 8 else {
        throw Flaw("a key of \(keyLength) bytes")
      }
      let key = content.extracting(offset..<(offset + keyLength))
      let value = content.extracting((offset + keyLength)..<(offset + keyLength + valueLength))
      guard rows == 0 || lastKey.withRawSpan({ $0.lexicographicallyPrecedes(key) }) else {
        throw Flaw("keys are not in their order")
      }
      digester.add(key: key, value: value)
      lastKey = [UInt8](copying: key)
      found.append(SnapshotRow(key: lastKey, value: [UInt8](copying: value)))
      offset += keyLength + valueLength
      rows += 1
    }
    if !isParked { seen += UInt64(found.count) }
    return found
  }

  /// All rows have come.
  mutating func end() throws(Flaw) { try advance(toView: views.count, table: 0) }

  private mutating func advance(toView wantedView: Int, table wantedTable: Int) throws(Flaw) {
    guard (view, table) <= (wantedView, wantedTable) else {
      throw Flaw("rows of \(name(wantedView, wantedTable)) come too late")
    }
    while (view, table) != (wantedView, wantedTable) { try endTable() }
  }

  private mutating func beginTable() {
    rows = 0
    guard view < views.count else { return }
    let tables = views[view].tables
    digester.begin(table: table < tables.count ? tables[table].name : LogTables.parkedName)
  }

  private mutating func endTable() throws(Flaw) {
    let tables = views[view].tables
    let expected = table < tables.count ? tables[table].rows : views[view].parked
    guard rows == expected else {
      throw Flaw("\(name(view, table)) has \(rows) rows, and not \(expected) as the manifest says")
    }
    digester.endTable()
    table += 1
    if table > tables.count {
      let digest = digester.finish()
      guard digest == views[view].digest.digest else {
        throw Flaw("the rows of \(views[view].id) do not have the digest that the manifest names")
      }
      digester = ViewDigester()
      view += 1
      table = 0
    }
    beginTable()
  }
}
