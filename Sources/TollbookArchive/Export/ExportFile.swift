import Files
import Foundation
package import TollbookEvents
import TollbookLog

/// Why an export is not written to a file.
package enum ExportFileProblem: Error, Hashable, Sendable, CustomStringConvertible {
  case exists(String)
  /// What is there already does not go on with this log.
  case otherLog(String, Position)
  /// What is there already was begun with other choices.
  case otherChoice(String, String)
  case unwritable(String, reason: String)

  package var description: String {
    switch self {
    case .exists(let path):
      "\(path) is there already. Name another file, or go on with it by --resume."
    case .otherLog(let path, let position):
      "\(path) is of another log: it differs at position \(position). Name another file."
    case .otherChoice(let path, let what):
      "\(path) was begun \(what). Say the same again, or name another file."
    case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)."
    }
  }
}

/// Writes an export to a file that has its name only when it is complete: until then it is called `NAME.part`.
package enum ExportFile {
  /// How far a file was written before.
  package struct Done: Sendable {
    /// Nil: nothing was there.
    package var totals: ExportTotals?
    /// Bytes that were there and are not sound: they are written anew.
    package var dropped: UInt64 = 0
  }

  package static func part(of path: String) -> String { path + ".part" }

  /// Writes an export.
  ///
  /// - Parameters:
  ///   - isResuming: go on with what is there of it, complete or not; otherwise nothing may be there.
  ///   - progress: told the last position that was written; whoever throws ends the writing, to be resumed.
  package static func write(
    _ plan: ExportPlan, of source: LogSource, to path: String, isResuming: Bool,
    progress: (Position) throws -> Void = { _ in }
  ) throws -> (totals: ExportTotals, done: Done) {
    let part = part(of: path)
    let files = FileManager.default
    var done = Done()
    var soundBytes: UInt64 = 0
    if isResuming {
      if files.fileExists(atPath: part) {
        (done, soundBytes) = try readPart(part, plan, source)
      } else if files.fileExists(atPath: path) {
        // Looked at before anything is made: a file of something else leaves nothing beside it.
        (done, soundBytes) = try readPart(path, plan, source)
        do { try files.copyItem(atPath: path, toPath: part) } catch {
          try? files.removeItem(atPath: part)
          throw ExportFileProblem.unwritable(part, reason: error.reason)
        }
      }
    } else if files.fileExists(atPath: path) {
      throw ExportFileProblem.exists(path)
    }
    let file = try open(part, truncatedTo: soundBytes)
    var writer = ExportWriter(plan, of: source, continuing: done.totals)
    if done.totals == nil { try put(writer.opening, into: file, part) }
    try progress(writer.totals.last)
    while let bytes = try writer.next() {
      try put(bytes, into: file, part)
      try progress(writer.totals.last)
    }
    try put(writer.end, into: file, part)
    do {
      try file.synchronize()
      try file.close()
    } catch { throw ExportFileProblem.unwritable(part, reason: error.reason) }
    if let reason = DurableNames.rename(part, to: path) {
      throw ExportFileProblem.unwritable(path, reason: reason)
    }
    return (writer.totals, done)
  }

  /// Reads what a former run has written, up to the last commit that is sound, and compares it with the log.
  private static func readPart(
    _ part: String, _ plan: ExportPlan, _ source: LogSource
  ) throws -> (Done, soundBytes: UInt64) {
    var reader: ExportReader
    do throws(ExportProblem) { reader = try ExportReader(path: part) } catch {
      // Cut inside of its opening: nothing is lost.
      guard case .cut(let place) = error, place.position == 0 else { throw error }
      return (Done(), 0)
    }
    try compare(reader.header, plan.header, part)
    do throws(ExportProblem) { while try reader.next() != nil {} } catch {
      // What follows is written anew.
      guard error.place != nil else { throw error }
    }
    let totals = reader.totals
    guard totals.commits > 0 else { return (Done(totals: totals), reader.soundBytes) }
    let log = source.reader
    let row = try source.read { (transaction) throws(LogError) in
      try log.commit(holding: totals.last, in: transaction)
    }
    guard row?.last == totals.last, row?.root == totals.root else {
      throw ExportFileProblem.otherLog(part, totals.last)
    }
    let dropped = reader.isComplete ? 0 : reader.size - reader.soundBytes
    return (Done(totals: totals, dropped: dropped), reader.soundBytes)
  }

  private static func compare(
    _ found: ExportHeader, _ wanted: ExportHeader, _ part: String
  ) throws(ExportFileProblem) {
    guard found.mode == wanted.mode else {
      throw .otherChoice(part, "with \(found.mode.rawValue) data")
    }
    guard found.hasBodies == wanted.hasBodies else {
      throw .otherChoice(part, found.hasBodies ? "with --bodies" : "without --bodies")
    }
    guard found.first == wanted.first else {
      throw .otherChoice(part, "at position \(found.first)")
    }
    guard found.frontier == wanted.frontier else { throw .otherLog(part, found.first) }
  }

  private static func open(
    _ path: String, truncatedTo bytes: UInt64
  ) throws(ExportFileProblem) -> FileHandle {
    if bytes == 0 {
      let isMade = FileManager.default.createFile(
        atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
      guard isMade else {
        let denial = FileRight.denial(of: DurableNames.parent(of: path), [.enter, .write])
        throw .unwritable(path, reason: denial ?? "it cannot be made")
      }
    }
    do {
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try file.truncate(atOffset: bytes)
      try file.seek(toOffset: bytes)
      return file
    } catch { throw .unwritable(path, reason: error.reason) }
  }

  private static func put(
    _ bytes: [UInt8], into file: FileHandle, _ path: String
  ) throws(ExportFileProblem) {
    do { try file.write(contentsOf: Data(bytes)) } catch {
      throw .unwritable(path, reason: error.reason)
    }
  }
}
