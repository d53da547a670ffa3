import Bytes
package import TollbookEvents

/// A budget as the log tells it: a limit of our own.
package struct BudgetRow: Hashable, Sendable {
  /// What it counts: what meets all that is set; empty: whatever it is.
  package struct Scope: Hashable, Sendable {
    package var account = ""
    package var accessKey = ""
    package var credential = ""
    package var upstream = ""
    package var operation = ""
    /// `user=ann`, or `user=*`: each value of the tag has a limit of its own.
    package var tag = ""

    package init() {}
  }

  package var scope: Scope
  package var unit: String
  package var limit: Int64
  package var span: BudgetSpan
  package var rollingSeconds: Int64
  package var timeZone: String
  /// Whether it refuses nothing.
  package var isSoft: Bool
  package var isPaused: Bool
  /// Percent of the limit at which it is told.
  package var thresholds: [UInt32]
  /// When it was first set, by the wall clock: what its window had seen until then counts too.
  package var since: Timestamp
  /// How often a budget of this name was made: one that is made again begins anew.
  package var edition: UInt32
  package var isRemoved = false
}

// MARK: As a row

extension BudgetRow {
  /// Nil if it is not what is written.
  init?(row: RawSpan) {
    var field = RowOffset()
    scope = Scope()
    scope.account = field.text(row)
    scope.accessKey = field.text(row)
    scope.credential = field.text(row)
    scope.upstream = field.text(row)
    scope.operation = field.text(row)
    scope.tag = field.text(row)
    unit = field.text(row)
    limit = field.signed(row)
    guard let span = BudgetSpan(rawValue: Int(field.byte(row))) else { return nil }
    self.span = span
    rollingSeconds = field.signed(row)
    timeZone = field.text(row)
    let flags = field.byte(row)
    isSoft = flags & 1 != 0
    isPaused = flags & 2 != 0
    isRemoved = flags & 4 != 0
    thresholds = []
    for _ in 0..<Int(field.byte(row)) { thresholds.append(field.word(row)) }
    since = Timestamp(milliseconds: field.signed(row))
    edition = field.word(row)
    guard field.isAtEnd(row) else { return nil }
  }

  var bytes: [UInt8] {
    var row: [UInt8] = []
    for text in [
      scope.account, scope.accessKey, scope.credential, scope.upstream, scope.operation, scope.tag,
      unit,
    ] { row.append(field: text) }
    row.append(field: limit)
    row.append(UInt8(clamping: span.rawValue))
    row.append(field: rollingSeconds)
    row.append(field: timeZone)
    row.append((isSoft ? 1 : 0) | (isPaused ? 2 : 0) | (isRemoved ? 4 : 0))
    let thresholds = thresholds.prefix(Int(UInt8.max))
    row.append(UInt8(thresholds.count))
    for percent in thresholds { row.append(bigEndian: percent) }
    row.append(field: since.milliseconds)
    row.append(bigEndian: edition)
    return row
  }
}
