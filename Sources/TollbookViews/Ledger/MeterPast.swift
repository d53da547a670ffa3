import Bytes
import LMDB
package import TollbookEvents
package import TollbookLog

/// Where the past of meters is kept: see ``LedgerFold``.
enum MeterPast {
  /// Positions in a block. A read applies at most so many events, and a meter that is busy has a row for so many.
  static let block: Position = 1_024

  /// The position for which a meter's row is kept before it changes; nil if what is kept is enough.
  static func position(toKeepBefore recorded: RecordedEvent, after last: Position) -> Position? {
    // A log that goes on from a snapshot has no events before this one.
    if case .logRestored = recorded.event { return recorded.position - 1 }
    let start = recorded.position / block * block
    return last < start ? start - 1 : nil
  }

  /// The last position of the block in which the position after this one lies.
  static func end(ofBlockAfter position: Position) -> Position { (position + 1) | (block - 1) }

  static func key(of meter: [UInt8], after position: Position) -> [UInt8] {
    var key = prefix(of: meter)
    key.append(bigEndian: position)
    return key
  }

  static func prefix(of meter: [UInt8]) -> [UInt8] { meter + [0] }
}

extension LedgerView {
  /// A page as it stood after a position, which the log must have: an unused one before its first event.
  ///
  /// - Complexity: one seek, and the events of one block.
  /// - Throws: `.beforeBase` if that is before the first event of a log that goes on from a snapshot.
  package func meter(
    _ key: MeterKey, asOf position: Position, reader: LogReader,
    in transaction: borrowing LogReading
  ) throws(LogError) -> Meter {
    var pages = [key: try kept(of: key, asOf: position, reader, in: transaction)]
    try bring(&pages, to: position, reader, in: transaction)
    return pages[key]?.meter ?? Meter()
  }

  /// All meters that had an event by then, and of those that count in windows the windows that were not over.
  ///
  /// - Complexity: as for one meter, and one block for each block in which meters were kept; and all windows that are
  ///   over are looked at.
  package func meters(
    asOf position: Position, reader: LogReader, in transaction: borrowing LogReading
  ) throws(LogError) -> [(key: MeterKey, meter: Meter)] {
    var pages: [MeterKey: Kept] = [:]
    for key in try openKeys(asOf: position, in: transaction) {
      pages[key] = try kept(of: key, asOf: position, reader, in: transaction)
    }
    try bring(&pages, to: position, reader, in: transaction)
    let used = pages.filter { $0.value.meter.lastChange > 0 }.sorted { $0.key < $1.key }
    // Of a meter's windows the last one, and those on which something was held, were open then.
    return used.enumerated().filter { index, page in
      let isLast =
        index + 1 == used.count || used[index + 1].key.meterBytes != page.key.meterBytes
      return !page.key.isOfWindow || isLast || page.value.meter.isHolding
    }.map { ($0.element.key, $0.element.value.meter) }
  }

  /// The keys of the pages that may have been open at a position.
  private func openKeys(
    asOf position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> [MeterKey] {
    let tables = try tables.open(in: transaction)
    var keys = try meters(in: transaction).map(\.key)
    try transaction.scan(tables[5]) { (key, row) throws(LogError) in
      let closed = try tables[5].read(Meter.closed(row: row))
      if closed > position, try tables[5].read(Meter(row: row)).opened <= position {
        keys.append(MeterKey(bytes: [UInt8](copying: key)))
      }
      return .next
    }
    return keys
  }

  /// A page as it stood after a position.
  private struct Kept {
    var position: Position
    var meter: Meter
  }

  /// The last row kept of a page that is not after a position.
  private func kept(
    of page: MeterKey, asOf position: Position, _ reader: LogReader,
    in transaction: borrowing LogReading
  ) throws(LogError) -> Kept {
    var found: Kept?
    let prefix = MeterPast.prefix(of: page.bytes)
    let bound = MeterPast.key(of: page.bytes, after: position)
    let table = try tables.open(in: transaction)[4]
    try transaction.scan(table, from: bound.span, prefix: prefix.span, descending: true) {
      (key, row) throws(LogError) in
      let number = RowOffset.number(of: key.extracting(prefix.count..<key.byteCount))
      found = Kept(position: try table.read(number), meter: try table.read(Meter(row: row)))
      return .stop
    }
    guard let found, found.meter.lastChange > 0 else {
      // Unused until then: its first event comes later, and so after what the log rests on.
      let base = try reader.base(in: transaction)?.position ?? 0
      return Kept(position: max(found?.position ?? 0, base), meter: Meter())
    }
    return found
  }

  /// Applies the events that follow what was kept, each block of events read once.
  private func bring(
    _ pages: inout [MeterKey: Kept], to position: Position, _ reader: LogReader,
    in transaction: borrowing LogReading
  ) throws(LogError) {
    for start in Set(pages.values.map(\.position)) where start < position {
      let end = min(position, MeterPast.end(ofBlockAfter: start))
      let parked = try reader.parked(
        of: LedgerFold.fold, after: start, through: end, in: transaction)
      try reader.scan(after: start, in: transaction) { (recorded) throws(LogError) in
        if !parked.contains(recorded.position) {
          Self.apply(recorded, to: &pages, keptAt: start)
        }
        return recorded.position < end ? .next : .stop
      }
    }
  }

  private static func apply(
    _ recorded: RecordedEvent, to pages: inout [MeterKey: Kept], keptAt start: Position
  ) {
    let keys: Set<MeterKey>
    let postings: [Posting]
    if case .logRestored = recorded.event {
      keys = Set(pages.filter { $0.value.meter.lastChange > 0 && !$0.key.isOfWindow }.keys)
      postings = []
    } else {
      postings = recorded.postings
      keys = Set(postings.map(\.page))
    }
    for key in keys where pages[key]?.position == start {
      pages[key]?.meter.apply(
        recorded.event, postings: postings, at: recorded.position, opening: key)
    }
  }
}
