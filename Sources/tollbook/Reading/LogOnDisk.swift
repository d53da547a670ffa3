import Foundation
import LMDB
import TollbookEvents
import TollbookLog

/// The log of a data directory, opened only to be read: also beside the process that owns it.
struct LogOnDisk {
  let directory: DataDirectory
  let environment: Environment
  private let events: Table

  /// - Throws: `Refused` or `DataDirectoryError` if there is no data directory, `LogError` if it cannot be read.
  init(_ settings: Settings) throws {
    let path = try settings.existingDataDirectory
    directory = try DataDirectory.read(path)
    var options = EnvironmentOptions()
    options.isReadOnly = true
    options.mayMapLess = true
    options.mapSize = settings.log.mapSize
    do throws(LogError) {
      environment = try directory.openEnvironment(options)
      events = try LogError.absorbing(try environment.openTables([LogTables.eventsName])[0])
    } catch {
      guard case .storage(let cause) = error else { throw error }
      switch cause.kind {
      case .notFound, .inputOutput(ENOENT): throw NothingWritten(path: path)
      default: throw error
      }
    }
  }

  /// The last position, 0 in an empty log.
  func head() throws(LogError) -> Position {
    try environment.withReadTransaction { (transaction) throws(LogError) in
      do throws(LMDBError) {
        return try transaction.lastKey(in: events)?.reduce(0) { $0 << 8 | Position($1) } ?? 0
      } catch { throw .storage(error) }
    }
  }

  /// Shows events after a position in order, those of other kinds left out, until `body` says no or the log ends.
  ///
  /// Reads in portions, so that the file need not grow for a long reading.
  func scan(
    after position: Position, kinds: Set<EventKind>? = nil,
    _ body: (RecordedEvent) -> Bool
  ) throws(LogError) {
    let tags = kinds.map { Set($0.map(\.rawValue)) }
    var last = position
    var goesOn = true
    while goesOn {
      let start = last
      try environment.withReadTransaction { (transaction) throws(LogError) in
        goesOn = try portion(after: &last, tags, in: transaction, body)
      }
      if last == start { return }
    }
  }

  /// - Returns: whether `body` wants more.
  private func portion(
    after last: inout Position, _ tags: Set<UInt8>?, in transaction: borrowing ReadTransaction,
    _ body: (RecordedEvent) -> Bool
  ) throws(LogError) -> Bool {
    guard last < .max else { return false }
    var position = last
    var wantsMore = true
    var rows = 0
    let start = LogTables.key(last + 1)
    try transaction.scan(events, from: start.span) { (_, value) throws(LogError) in
      position += 1
      rows += 1
      do throws(Damage) {
        if let tags {
          try Record.check(value, at: position)
          guard tags.contains(Record.tag(of: value)) else { return rows < 20_000 ? .next : .stop }
        }
        wantsMore = body(try Record.decode(value, at: position))
      } catch { throw .damaged(error) }
      return wantsMore && rows < 20_000 ? .next : .stop
    }
    last = position
    return wantsMore
  }
}

/// A data directory that its owner has not written to yet.
struct NothingWritten: Error, CustomStringConvertible {
  let path: String

  var description: String { "\(path) holds no event log yet." }
}
