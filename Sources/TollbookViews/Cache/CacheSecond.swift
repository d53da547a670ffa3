import Bytes
import TollbookEvents
import TollbookLog

// Version 2 of the cache had content sets of one byte, and what an entry cost was in tokens.
//
// | table | key | value |
// |---|---|---|
// | `entries` | resource, 0, content set (1) | flags (1), seven numbers (8 each), tokens (8), … |
// | `due` | instant (8), key of the entry | nothing |

extension CacheFold {
  static let second = Fold.Predecessor(
    name: "cache", version: 2, tables: ["entries", "due", "bodies", "released"]
  ) { table, key, value in
    let value = [UInt8](copying: value)
    guard table < 2, let contentSet = [UInt8](copying: key).last else {
      return [CarriedRow(table: table, key: [UInt8](copying: key), value: value)]
    }
    var wide = Array([UInt8](copying: key).dropLast())
    wide.append(bigEndian: UInt64(contentSet))
    guard table == 0 else { return [CarriedRow(table: table, key: wide, value: value)] }
    // Before the tokens: flags, written, fetched, fresh, grace, error-grace, keep, upstream's update.
    let before = 1 + 7 * 8
    // What cannot be decoded stays so, and whoever reads it is told.
    guard value.count >= before + 8 else {
      return [CarriedRow(table: table, key: wide, value: value)]
    }
    let tokens = value.withRawSpan { Int64(bitPattern: $0.bigEndianUInt64(at: before)) }
    var row = Array(value[..<before])
    row.append(field: [Amount(tokens, Amount.firstUnit)])
    row += value[(before + 8)...]
    return [CarriedRow(table: table, key: wide, value: row)]
  }
}
