/// A cell of a table for a spreadsheet (RFC 4180).
package enum CSVCell {
  /// A cell as it is written. What a spreadsheet would take for a formula gets an apostrophe before it, as spreadsheets
  /// themselves write text of that kind.
  ///
  /// Looks at single scalars: to Swift a comma with an accent behind it is another character, and to a spreadsheet it is a
  /// comma.
  package static func quoted(_ text: String) -> String {
    let line = text.inOneLine().unicodeScalars
    let isFormula = line.first.map { "=+-@".unicodeScalars.contains($0) } ?? false
    let mustQuote = isFormula || line.contains { ",\"'".unicodeScalars.contains($0) }
    guard mustQuote else { return String(line) }
    var cell: [Unicode.Scalar] = ["\""]
    if isFormula { cell.append("'") }
    for scalar in line {
      if scalar == "\"" { cell.append(scalar) }
      cell.append(scalar)
    }
    cell.append("\"")
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: cell)
    return String(scalars)
  }
}
