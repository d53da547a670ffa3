import LMDB
package import TollbookEvents
package import TollbookLog

extension CacheView {
  /// The entries of a resource as they stood after a position, by content set: from the resource's own events, by the
  /// rules of the live view. How often they were read by then is not known: `hits` and `lastRead` say nothing.
  ///
  /// - Throws: `.beforeBase` if events that matter are not in a log that goes on from a snapshot.
  package func past(
    of resource: ResourceKey, asOf position: Position, index: EventIndex, reader: LogReader,
    in transaction: borrowing LogReading
  ) throws(LogError) -> [CacheEntry] {
    let name = resource.description
    guard CacheKey.prefix(ofPossible: name) != nil else { return [] }
    let positions = try index.positions(of: name, after: 0, limit: .max, in: transaction)
    var shelf = CacheShelf()
    var released: [[UInt8]] = []
    if let base = try reader.base(in: transaction) {
      guard position >= base.position else { throw .beforeBase(base.position) }
      let live = try all(of: resource, in: transaction)
      // What was there at the base stands in the snapshot alone, unless nothing has changed since.
      if positions.allSatisfy({ $0 <= position }) { return live.map(\.withoutReads) }
      throw .beforeBase(base.position)
    }
    for position in positions.prefix(while: { $0 <= position }) {
      guard let recorded = try reader.event(at: position, in: transaction) else { continue }
      // A problem means that the live view has parked it.
      _ = shelf.apply(recorded.event, at: recorded.position, releasing: &released)
    }
    return shelf.entries.sorted { $0.contentSet < $1.contentSet }
  }

  /// Of those entries the one that was written last and whose content set covers `wanted`.
  package func pastEntry(
    of resource: ResourceKey, covering wanted: UInt64, asOf position: Position, index: EventIndex,
    reader: LogReader, in transaction: borrowing LogReading
  ) throws(LogError) -> CacheEntry? {
    try past(of: resource, asOf: position, index: index, reader: reader, in: transaction)
      .filter { $0.contentSet & wanted == wanted }
      .max { $0.written < $1.written }
  }
}

extension CacheEntry {
  /// The entry as its resource's own events tell it: how often it was read stands in others.
  package var withoutReads: CacheEntry {
    var entry = self
    entry.hits = 0
    entry.lastRead = nil
    return entry
  }
}
