import JSONText

/// Answers that are arrays of rows, as text: taken apart and put together without changing a byte of a row.
package enum BinanceRows {
  /// The text of each element, in order.
  ///
  /// - Parameters:
  ///   - what: the endpoint, for errors.
  ///   - most: how many there may be.
  package static func split(
    _ bytes: [UInt8], of what: String, most: Int
  ) throws(BinanceReadingError) -> [[UInt8]] {
    let reader = BinanceAnswerReader(what: what)
    let bound = max(0, min(most, 100_000))
    let root = try reader.root(bytes, depth: 16, values: 1 + (bound + 1) * 64)
    let rows = try reader.elements(root).map { Array($0.bytes) }
    guard rows.count <= bound else {
      throw reader.fault(.count(rows.count, expected: "at most \(bound)"))
    }
    return rows
  }

  /// One JSON array of the rows of all parts, in their order; nothing stands between them but commas.
  package static func join(_ parts: [[[UInt8]]]) -> [UInt8] {
    var bytes: [UInt8] = []
    // A comma for each row, and the brackets.
    bytes.reserveCapacity(
      parts.reduce(2) { sum, part in part.reduce(sum) { $0 + $1.count + 1 } })
    bytes.append(UInt8(ascii: "["))
    for part in parts {
      for row in part {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: row)
      }
    }
    bytes.append(UInt8(ascii: "]"))
    return bytes
  }
}
