import Bytes
import LMDB
package import TollbookEvents

/// A job as the log tells it: what it is, how far it is, and what it has cost.
package struct JobRow: Hashable, Sendable {
  package enum State: UInt8, Sendable, CaseIterable {
    case queued = 1
    case running
    case done
    case failed
    case cancelled

    package var isOpen: Bool { self == .queued || self == .running }
  }

  package var kind: String
  /// Who pays.
  package var account: String
  /// Who wants it.
  package var actor: String
  package var state = State.queued
  package var queued: Timestamp
  /// When it was begun last.
  package var started: Timestamp?
  package var ended: Timestamp?
  /// How often it was begun since it last got any further.
  package var starts: UInt32 = 0
  /// Of its steps, those that came to nothing among them.
  package var done: UInt64 = 0
  /// Steps that came to nothing.
  package var failed: UInt64 = 0
  /// Its steps; 0: not known.
  package var total: UInt64
  /// What became of it.
  package var detail = ""
  /// What was charged for it, once for each unit.
  package var charged: [Amount] = []
  /// What may have been spent for it: in doubt, or unprovable.
  package var held: [Amount] = []

  /// What it has cost, or may have, in a unit.
  package func spent(_ unit: String) -> Int64 {
    charged.count(of: unit) &+ held.count(of: unit)
  }
}

// MARK: As a row

extension JobRow {
  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    guard let state = State(rawValue: field.byte(row)) else { return nil }
    self.state = state
    kind = field.text(row)
    account = field.text(row)
    actor = field.text(row)
    detail = field.text(row)
    queued = Timestamp(milliseconds: field.signed(row))
    started = Self.instant(field.signed(row))
    ended = Self.instant(field.signed(row))
    starts = field.word(row)
    done = field.unsigned(row)
    failed = field.unsigned(row)
    total = field.unsigned(row)
    charged = field.amounts(row)
    held = field.amounts(row)
    guard field.isAtEnd(row) else { return nil }
  }

  var bytes: [UInt8] {
    var row: [UInt8] = [state.rawValue]
    for text in [kind, account, actor, detail] { row.append(field: text) }
    row.append(field: queued.milliseconds)
    row.append(field: started?.milliseconds ?? 0)
    row.append(field: ended?.milliseconds ?? 0)
    row.append(bigEndian: starts)
    row.append(bigEndian: done)
    row.append(bigEndian: failed)
    row.append(bigEndian: total)
    row.append(field: charged)
    row.append(field: held)
    return row
  }

  private static func instant(_ milliseconds: Int64) -> Timestamp? {
    milliseconds == 0 ? nil : Timestamp(milliseconds: milliseconds)
  }
}
