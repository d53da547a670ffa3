import TollbookEvents

/// Rows of text in columns that are as wide as their widest cell. A cell stays in its line whatever it holds.
struct TextTable {
  /// Of a cell, in Unicode scalars.
  private static let longestCell = 500

  enum Alignment {
    case left, right
  }

  private let columns: [Alignment]
  private var rows: [[String]] = []

  /// - Parameter columns: how each is aligned.
  init(_ columns: [Alignment]) { self.columns = columns }

  init(_ columns: [Alignment], heading: [String]) {
    self.columns = columns
    rows = [heading]
  }

  var isEmpty: Bool { rows.isEmpty }

  mutating func add(_ cells: [String]) {
    rows.append(cells.map { $0.inOneLine(atMost: Self.longestCell) })
  }

  /// The lines, without blanks at their ends.
  func lines(indent: Int = 0) -> [String] {
    let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = String(repeating: " ", count: indent)
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += columns[column] == .left ? cell + padding : padding + cell
        if column < row.count - 1 { line += "  " }
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
