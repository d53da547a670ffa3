import LMDB
import TollbookEvents

/// The bodies that events name, compared with those that are stored.
///
/// A body that was pruned may be missing, until an entry names it again. In a log that was restored without bodies those
/// may be missing which were named before.
struct NamedBodies {
  /// What an event says about bodies.
  enum Note {
    case named([UInt8], Position)
    case pruned([UInt8])

    static func add(of event: RecordedEvent, to notes: inout [Note]) {
      switch event.event {
      case .cacheWritten(let written) where written.presence == .present:
        notes.append(.named(Array(written.body), event.position))
      case .bodiesPruned(let pruned):
        for body in pruned.bodies { notes.append(.pruned(Array(body))) }
      case .requestAnswered(let answered) where !answered.body.isEmpty:
        notes.append(.named(Array(answered.body), event.position))
      case .requestsForgotten(let forgotten):
        for body in forgotten.bodies { notes.append(.pruned(Array(body))) }
      default: break
      }
    }
  }

  private let origin: LogOrigin?
  private let broken: [[UInt8]: Damage]
  private var named: Set<[UInt8]> = []
  /// Where bodies that are not there were named since they were pruned last.
  private var missing: [[UInt8]: [Position]] = [:]

  init(origin: LogOrigin?, broken: [[UInt8]: Damage]) {
    self.origin = origin
    self.broken = broken
  }

  /// Takes in what events say, in their order, and returns where broken bodies are named for the first time.
  mutating func take(
    _ notes: [Note], _ environment: Environment, _ tables: LogTables
  ) throws(LogError) -> [Damage] {
    guard !notes.isEmpty else { return [] }
    var found: [Damage] = []
    var absent: [[UInt8]: [Position]] = [:]
    try LogError.inTables { () throws(LMDBError) in
      try environment.withReadTransaction { (transaction) throws(LMDBError) in
        for note in notes {
          switch note {
          case .pruned(let digest):
            absent[digest] = nil
            missing[digest] = nil
          case .named(let digest, let position):
            if let damage = broken[digest] {
              if named.insert(digest).inserted {
                found.append(
                  Damage(table: damage.table, position: position, problem: damage.problem))
              }
              continue
            }
            var isThere = digest.count == 32
            if isThere { isThere = try transaction.contains(key: digest.span, in: tables.bodies) }
            if !isThere { absent[digest, default: []].append(position) }
          }
        }
      }
    }
    missing.merge(absent) { $0 + $1 }
    return found
  }

  /// What is wrong when all events were seen: bodies that are named and not there, and broken ones that nobody names.
  ///
  /// - Parameter head: the last position that was seen.
  /// - Returns: beside the damages, how many entries name a body that may be missing.
  mutating func finish(
    after head: Position, _ environment: Environment, _ tables: LogTables
  ) throws(LogError) -> (damages: [Damage], absent: UInt64) {
    if !missing.isEmpty { try forgetPruned(after: head, environment, tables) }
    var absent: UInt64 = 0
    var damages: [Damage] = []
    for (digest, positions) in missing {
      for position in positions {
        if let origin, origin.isWithoutBodies, position <= origin.position {
          absent += 1
          continue
        }
        damages.append(
          Damage(
            table: LogTables.bodiesName, position: position,
            problem: "the body that an event names is missing: \(digest.hexadecimal)"))
      }
    }
    damages.sort { ($0.position ?? 0) < ($1.position ?? 0) }
    let unnamed = broken.filter { !named.contains($0.key) }.map(\.value)
    return (damages + unnamed.sorted { $0.problem < $1.problem }, absent)
  }

  /// Bodies may have been pruned since the walk began.
  private mutating func forgetPruned(
    after head: Position, _ environment: Environment, _ tables: LogTables
  ) throws(LogError) {
    var pruned: [[UInt8]] = []
    do throws(LogError) {
      try environment.withReadTransaction { (transaction) throws(LogError) in
        try LogReader(tables).scanRecords(after: head, in: transaction) {
          (position, record) throws(LogError) in
          let prunes = [EventKind.bodiesPruned, .requestsForgotten].map(\.rawValue)
          guard prunes.contains(Record.tag(of: record)),
            let event = try? Record.decoding(record, at: position)
          else { return .next }
          var notes: [Note] = []
          Note.add(of: event, to: &notes)
          for case .pruned(let digest) in notes { pruned.append(digest) }
          return .next
        }
      }
    } catch {
      // What is damaged there is for the next verification to say.
      guard case .damaged = error else { throw error }
    }
    for digest in pruned { missing[digest] = nil }
  }
}
