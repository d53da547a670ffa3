import TollbookEvents

/// The records of a table of comma-separated values (RFC 4180), without empty lines.
package enum CSVRecords {
  package struct Record: Hashable {
    /// On which it begins, from 1.
    package var line: Int
    package var cells: [String]
  }

  /// - Throws: `InvoiceProblem` for text that is not UTF-8, and for quotes that are not as they should be.
  package static func read(_ bytes: [UInt8], limit: Int) throws(InvoiceProblem) -> [Record] {
    // Spreadsheets put a mark of the byte order in front.
    let content = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    var reader = Reader(content)
    var records: [Record] = []
    while let record = try reader.next() {
      guard records.count < limit else {
        throw InvoiceProblem("there are more than \(limit) lines", line: record.line)
      }
      records.append(record)
    }
    return records
  }

  private struct Reader {
    private static let newLine = UInt8(ascii: "\n")
    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")

    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Nil at the end.
    mutating func next() throws(InvoiceProblem) -> Record? {
      while offset < bytes.count {
        let start = line
        var cells: [String] = []
        var isAtEnd = false
        while !isAtEnd {
          cells.append(try cell(from: start))
          isAtEnd = offset >= bytes.count || bytes[offset] == Self.newLine
          offset += 1
        }
        line += 1
        if cells != [""] { return Record(line: start, cells: cells) }
      }
      return nil
    }

    /// Reads up to the comma or the end of the line behind a cell.
    private mutating func cell(from start: Int) throws(InvoiceProblem) -> String {
      var cell: [UInt8] = []
      if offset < bytes.count, bytes[offset] == Self.quote {
        offset += 1
        while true {
          guard offset < bytes.count else {
            throw InvoiceProblem("a quote is not closed", line: start)
          }
          let byte = bytes[offset]
          offset += 1
          if byte == Self.newLine { line += 1 }
          guard byte == Self.quote else {
            cell.append(byte)
            continue
          }
          guard offset < bytes.count, bytes[offset] == Self.quote else { break }
          cell.append(byte)
          offset += 1
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "\r") { offset += 1 }
        guard offset >= bytes.count || [Self.comma, Self.newLine].contains(bytes[offset]) else {
          throw InvoiceProblem("something stands behind a closing quote", line: start)
        }
      } else {
        while offset < bytes.count, bytes[offset] != Self.comma, bytes[offset] != Self.newLine {
          cell.append(bytes[offset])
          offset += 1
        }
        if cell.last == UInt8(ascii: "\r") { cell.removeLast() }
      }
      guard let text = String(validating: cell, as: UTF8.self) else {
        throw InvoiceProblem("the text is not UTF-8", line: start)
      }
      return text
    }
  }
}
