import Bytes
import Foundation
import TollbookEvents
package import TollbookLog

/// Reads an export commit by commit and believes nothing of it: frames are checked against their checksums, commits against
/// each other, records against theirs and their commit's time, bodies against their digests, and the records of every
/// commit against its root.
package struct ExportReader: ~Copyable {
  package let header: ExportHeader
  /// What was read so far, up to the last commit that was sound.
  package private(set) var totals: ExportTotals
  /// Bytes of the file up to the end of that commit.
  package private(set) var soundBytes: UInt64
  /// Whether the end was read, and all is as it was written.
  package private(set) var isComplete = false
  private var frames: FrameReader
  private var frontier: MerkleFrontier
  private var time: Timestamp

  /// Opens a file and reads its opening.
  package init(path: String) throws(ExportProblem) {
    var frames = try FrameReader.opening(path)
    let place = frames.place(after: 0)
    guard case .opening(let opening) = try frames.next(after: 0) else {
      throw .damaged(place, "the export does not begin with its opening")
    }
    guard opening.format <= UInt32(ExportFormat.version) else {
      throw .newerFormat(path, format: Int(opening.format))
    }
    guard opening.format > 0, let mode = LogMode(rawValue: opening.mode), opening.first > 0,
      opening.hasTimeMs == (opening.first > 1),
      let frontier = MerkleFrontier(
        size: opening.first - 1, subtrees: opening.subtrees.map { [UInt8]($0) })
    else { throw .damaged(place, "the opening says what cannot be") }
    time = Timestamp(milliseconds: opening.hasTimeMs ? opening.timeMs : .min)
    header = ExportHeader(
      mode: mode, first: opening.first, frontier: frontier, time: time,
      hasBodies: opening.bodies)
    totals = ExportTotals(header)
    self.frontier = frontier
    soundBytes = frames.offset
    self.frames = frames
  }

  /// Bytes of the file.
  package var size: UInt64 { frames.size }

  /// The next commit with the bodies that came with it; nil after the last one, if the export ends as it should.
  ///
  /// - Throws: `.cut` if the file ends before, `.damaged` for everything else that is not as it was written. What came
  ///   before was sound; there is nothing to be had after.
  package mutating func next() throws(ExportProblem) -> SealedCommit? {
    if isComplete { return nil }
    var bodies: [Body] = []
    while true {
      let place = frames.place(after: totals.last)
      guard try !frames.isAtEnd else { throw .cut(place) }
      switch try frames.next(after: totals.last) {
      case .opening: throw .damaged(place, "a second opening")
      case .body(let body): bodies.append(try self.body(body, place))
      case .commit(let commit):
        let sealed = try self.commit(commit, bodies, place)
        totals.add(sealed.row, bodies: bodies.count)
        soundBytes = frames.offset
        return sealed
      case .end(let end):
        try check(end, bodiesLeft: bodies.count, place)
        isComplete = true
        return nil
      }
    }
  }

  private func body(
    _ body: ExportedBody, _ place: ExportPlace
  ) throws(ExportProblem) -> Body {
    guard header.hasBodies else {
      throw .damaged(place, "a body in an export that says it has none")
    }
    do throws(Damage) {
      let digest = [UInt8](body.digest)
      let found = try [UInt8](body.row).withRawSpan { (row) throws(Damage) in
        try Body(digest: digest, row: row)
      }
      _ = try found.content()
      return found
    } catch { throw .damaged(place, error.problem) }
  }

  private mutating func commit(
    _ commit: ExportedCommit, _ bodies: [Body], _ place: ExportPlace
  ) throws(ExportProblem) -> SealedCommit {
    let next = totals.last + 1
    guard commit.first == next else {
      throw .damaged(
        place, "a commit begins with position \(commit.first); \(next) comes next")
    }
    guard commit.last >= next, UInt64(commit.records.count) == commit.last - next + 1,
      commit.root.count == 32
    else {
      throw .damaged(
        place,
        "a commit of \(commit.first) to \(commit.last) has \(commit.records.count) records")
    }
    let wall = Timestamp(milliseconds: commit.wallMs)
    let row = CommitRow(
      first: commit.first, last: commit.last, wall: wall,
      time: Timestamp(milliseconds: commit.timeMs), treeSize: commit.last,
      root: [UInt8](commit.root))
    guard row.time == max(time, wall) else {
      throw .damaged(
        place,
        "the time of the commit that ends at \(row.last) is neither its clock's nor that of"
          + " the one before it")
    }
    let records = commit.records.map { [UInt8]($0) }
    var edge = frontier
    var position = next
    var unnamed = Set(bodies.map(\.digest))
    for record in records {
      do throws(Damage) {
        try record.withRawSpan { (bytes) throws(Damage) in
          try Record.check(bytes, at: position)
          guard Record.time(of: bytes) == row.time else {
            throw Damage(
              table: LogTables.eventsName, position: position,
              problem: "a record bears another time than its commit")
          }
          if !unnamed.isEmpty, let digest = try Self.body(namedBy: bytes, at: position) {
            unnamed.remove(digest)
          }
        }
      } catch { throw .damaged(place, "position \(position): \(error.problem)") }
      _ = edge.append(MerkleTree.leafHash(record))
      position += 1
    }
    guard edge.root == row.root else {
      throw .damaged(
        place, "the records of \(row.first) to \(row.last) do not hash to the root of their commit")
    }
    if let digest = unnamed.first {
      throw .damaged(
        place,
        "a body that the commit of \(row.first) to \(row.last) does not name:"
          + " \(digest.hexadecimal)")
    }
    frontier = edge
    time = row.time
    return SealedCommit(row: row, records: records, bodies: bodies)
  }

  /// The digest of the body that a checked record names, if it is one that does.
  static func body(
    namedBy record: RawSpan, at position: Position
  ) throws(Damage) -> [UInt8]? {
    let tag = Record.tag(of: record)
    guard tag == EventKind.cacheWritten.rawValue || tag == EventKind.requestAnswered.rawValue else {
      return nil
    }
    switch try Record.decoding(record, at: position).event {
    case .cacheWritten(let event) where event.presence == .present: return [UInt8](event.body)
    case .requestAnswered(let event) where !event.body.isEmpty: return [UInt8](event.body)
    default: return nil
    }
  }

  private mutating func check(
    _ end: ExportEnd, bodiesLeft: Int, _ place: ExportPlace
  ) throws(ExportProblem) {
    var said = ExportTotals(last: end.last, root: [UInt8](end.root))
    said.commits = end.commits
    said.events = end.events
    said.bodies = end.bodies
    guard said == totals, bodiesLeft == 0 else {
      throw .damaged(
        place,
        "the end speaks of \(end.events) events in \(end.commits) commits and \(end.bodies)"
          + " bodies up to position \(end.last); there are \(totals.events) in \(totals.commits)"
          + " and \(totals.bodies) up to \(totals.last)")
    }
    guard try frames.isAtEnd else {
      throw .damaged(frames.place(after: totals.last), "something follows the end")
    }
  }
}
