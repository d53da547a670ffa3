import Bytes
import Dispatch
import LMDB
import Synchronization
import TollbookEvents

/// Records that follow each other, copied out of a transaction that has ended: what is done with them takes longer than
/// reading them, and a transaction that lasts keeps pages from being used again.
struct RecordPortion: Sendable {
  /// How the run of records ends.
  enum End: Hashable, Sendable {
    /// More may follow.
    case limit
    case table
    /// The next record is not that of the next position.
    case gap(to: Position)
    /// The keys do not ascend, so that nobody can say what follows.
    case disorder
  }

  let first: Position
  private var bytes: [UInt8] = []
  /// Where each record ends in `bytes`.
  private var ends: [Int] = []
  private(set) var end = End.table
  /// Lengths of keys that are no positions.
  private(set) var wrongKeys: [Int] = []

  var count: Int { ends.count }
  /// The position after the last record.
  var next: Position { first + Position(ends.count) }

  /// Copies records from a position on, none behind `head`.
  init(
    from first: Position, through head: Position, upTo limit: WorkLimit, of tables: LogTables,
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    self.first = first
    ends.reserveCapacity(limit.rows)
    let start = LogTables.key(first)
    try transaction.scan(tables.events, from: start.span) { (key, value) throws(LMDBError) in
      guard next <= head else { return .stop }
      guard ends.count < limit.rows, bytes.count < limit.bytes else {
        end = .limit
        return .stop
      }
      guard key.byteCount == 8 else {
        wrongKeys.append(key.byteCount)
        guard wrongKeys.count < limit.rows else {
          end = .disorder
          return .stop
        }
        return .next
      }
      let position = key.bigEndianUInt64(at: 0)
      guard position == next else {
        end = position > next ? .gap(to: position) : .disorder
        return .stop
      }
      bytes.append(copying: value)
      ends.append(bytes.count)
      return .next
    }
  }

  /// Shows the bytes of the record of that number in the portion.
  func withRecord<R>(_ index: Int, _ body: (RawSpan) -> R) -> R {
    let start = index == 0 ? 0 : ends[index - 1]
    return bytes.withRawSpan { body($0.extracting(start..<ends[index])) }
  }

  func byteCount(_ index: Int) -> Int { ends[index] - (index == 0 ? 0 : ends[index - 1]) }
}

/// What each record of a portion is worth: worked out on all cores, since it takes most of the time.
struct CheckedRecords: Sendable {
  /// Number of the first record in the portion.
  private(set) var first: Int
  /// Hashes of the leaves, one after the other.
  private var leaves: [UInt8] = []
  /// By number in the portion; such a record is not what was committed.
  private(set) var broken: [Int: Damage] = [:]
  /// By number in the portion; such a record is what was committed, yet this version cannot read it.
  private(set) var unreadable: [Int: Damage] = [:]
  private(set) var times: [Timestamp] = []
  /// Nil where a record is broken or unreadable; empty if nothing was to be decoded.
  private(set) var events: [RecordedEvent?] = []
  private(set) var index = IndexSums()

  /// What is to be done beside checking and hashing.
  struct Work: Sendable {
    var isDecoding: Bool
    var isIndexing: Bool
  }

  /// Checks all records of a portion.
  init(_ portion: RecordPortion, _ work: Work) {
    let cores = 4
    let size = max(256, (portion.count + cores - 1) / cores)
    let parts = (portion.count + size - 1) / size
    guard parts > 1 else {
      self.init(portion, 0..<portion.count, work)
      return
    }
    let checked = Mutex([CheckedRecords?](repeating: nil, count: parts))
    DispatchQueue.concurrentPerform(iterations: parts) { part in
      let range = (part * size)..<min((part + 1) * size, portion.count)
      let found = CheckedRecords(portion, range, work)
      checked.withLock { $0[part] = found }
    }
    self.init(joining: checked.withLock { $0 }.compactMap(\.self))
  }

  private init(joining parts: [CheckedRecords]) {
    first = 0
    for part in parts {
      leaves += part.leaves
      times += part.times
      events += part.events
      broken.merge(part.broken) { $1 }
      unreadable.merge(part.unreadable) { $1 }
      index += part.index
    }
  }

  private init(_ portion: RecordPortion, _ range: Range<Int>, _ work: Work) {
    first = range.lowerBound
    leaves.reserveCapacity(32 * range.count)
    times.reserveCapacity(range.count)
    if work.isDecoding { events.reserveCapacity(range.count) }
    for number in range {
      portion.withRecord(number) { record in
        let position = portion.first + Position(number)
        leaves += MerkleTree.leafHash(record)
        do throws(Damage) {
          try Record.check(record, at: position)
          times.append(Record.time(of: record))
        } catch {
          broken[number] = error
          times.append(Timestamp(milliseconds: 0))
          if work.isDecoding { events.append(nil) }
          return
        }
        guard work.isDecoding else { return }
        do throws(Damage) {
          let event = try Record.decoding(record, at: position)
          if work.isIndexing { index.add(event) }
          events.append(event)
        } catch {
          unreadable[number] = error
          events.append(nil)
        }
      }
    }
  }

  /// The hash of a record as a leaf.
  func leaf(_ number: Int) -> TreeHash { Array(leaves[(32 * number)..<(32 * number + 32)]) }
}
