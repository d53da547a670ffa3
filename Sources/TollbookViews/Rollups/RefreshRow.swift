import Bytes
import TollbookEvents

/// A part of a charge for a refresh that nobody waited for.
struct RefreshPart {
  /// What the keys of its rows begin with: hour, payer, operation, kind and tags.
  var prefix: [UInt8]
  /// Once for each unit.
  var amounts: [Amount]
}

/// What was charged for an entry that nobody waited for, and nobody has read yet.
///
/// Stored as when the entry ended (8 bytes; all ones: it is still there), and for each part the length of its prefix (2),
/// the prefix and the amounts.
struct RefreshRow {
  /// When the entry was no longer fresh, replaced or removed. Reads are written down up to a second after they happened:
  /// for some time yet, one may turn out to have been of it.
  var ended: Timestamp?
  var parts: [RefreshPart] = []

  /// For how long reads of an entry that ended are still waited for.
  static let patience: Int64 = 5_000

  init() {}

  /// Nil if the row is not what is written.
  init?(row: RawSpan) {
    var offset = RowOffset()
    let instant = offset.signed(row)
    ended = instant == .max ? nil : Timestamp(milliseconds: instant)
    while offset.hasMore(row) {
      let length = offset.short(row)
      let prefix = offset.bytes(length, row)
      let amounts = offset.amounts(row)
      parts.append(RefreshPart(prefix: prefix, amounts: amounts))
    }
    guard offset.isSound else { return nil }
  }

  var row: [UInt8] {
    var row: [UInt8] = []
    row.append(field: ended?.milliseconds ?? .max)
    for part in parts {
      row.append(bigEndian: UInt16(part.prefix.count))
      row.append(contentsOf: part.prefix)
      row.append(field: part.amounts)
    }
    return row
  }
}
