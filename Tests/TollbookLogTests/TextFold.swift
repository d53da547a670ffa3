import Bytes
import LMDB
import Synchronization
import TollbookEvents
import TollbookLog

/// Keeps the texts of notes, in three versions of which each knows what the rows of the one before it are. It parks notes
/// that say so.
///
/// | version | table | key | value |
/// |---|---|---|---|
/// | 1 | `texts` | position (8) | the text |
/// | 2 | `texts` | position (8) | length (8), the text |
/// | 3 | `lengths` | position (8) | length (8) |
/// | 3 | `texts` | the text, 0, position (8) | nothing |
enum TextFold {
  static let first = Fold(
    name: "texts", version: 1, tables: ["texts"], cadence: .eachDecision
  ) { (events, tables, transaction) throws(LMDBError) in
    try apply(events) { (position, text) throws(LMDBError) in
      try transaction.put(text.span, forKey: position.span, in: tables[0])
    }
  }

  static let second = Fold(
    name: "texts", version: 2, tables: ["texts"], cadence: .eachDecision,
    predecessors: [fromFirst]
  ) { (events, tables, transaction) throws(LMDBError) in
    try apply(events) { (position, text) throws(LMDBError) in
      try transaction.put((length(of: text) + text).span, forKey: position.span, in: tables[0])
    }
  }

  /// - Parameter seen: counts the events that it is given.
  static func third(seen: SeenEvents = SeenEvents()) -> Fold {
    Fold(
      name: "texts", version: 3, tables: ["lengths", "texts"], cadence: .eachDecision,
      predecessors: [fromSecond, fromFirst]
    ) { (events, tables, transaction) throws(LMDBError) in
      seen.add(events.count)
      let empty: [UInt8] = []
      return try apply(events) { (position, text) throws(LMDBError) in
        try transaction.put(length(of: text).span, forKey: position.span, in: tables[0])
        try transaction.put(empty.span, forKey: (text + [0] + position).span, in: tables[1])
      }
    }
  }

  private static let fromFirst = Fold.Predecessor(
    name: "texts", version: 1, tables: ["texts"]
  ) { _, key, value in
    let text = [UInt8](copying: value)
    return [CarriedRow(table: 0, key: [UInt8](copying: key), value: length(of: text) + text)]
  }

  private static let fromSecond = Fold.Predecessor(
    name: "texts", version: 2, tables: ["texts"]
  ) { _, key, value in
    let position = [UInt8](copying: key)
    let value = [UInt8](copying: value)
    return [
      CarriedRow(table: 0, key: position, value: Array(value.prefix(8))),
      CarriedRow(table: 1, key: value.dropFirst(8) + [0] + position, value: []),
    ]
  }

  private static func apply(
    _ events: [RecordedEvent],
    _ put: (_ position: [UInt8], _ text: [UInt8]) throws(LMDBError) -> Void
  ) throws(LMDBError) -> [Fold.Parked] {
    var parked: [Fold.Parked] = []
    for event in events {
      guard let text = text(of: event.event) else { continue }
      if text == "impossible" {
        parked.append(Fold.Parked(position: event.position, reason: "it says so"))
        continue
      }
      var position: [UInt8] = []
      position.append(bigEndian: event.position)
      try put(position, Array(text.utf8))
    }
    return parked
  }

  private static func length(of text: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: UInt64(text.count))
    return bytes
  }
}

/// How many events a fold was given.
final class SeenEvents: Sendable {
  private let number = Atomic(0)

  var count: Int { number.load(ordering: .sequentiallyConsistent) }

  func add(_ events: Int) { number.add(events, ordering: .sequentiallyConsistent) }
}
