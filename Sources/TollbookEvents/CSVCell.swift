/// A cell of a table for a spreadsheet (RFC 4180).
package enum CSVCell {
  /// A cell as it is written. What a spreadsheet would take for a formula gets an apostrophe before it, as spreadsheets
  /// themselves write text of that kind.
  package static func quoted(_ text: String) -> String {
    let line = text.inOneLine()
    let first = line.first
    let isFormula = first.map { "=+-@".contains($0) } ?? false
    let cell = isFormula ? "'" + line : line
    guard cell.contains(where: { ",\"'".contains($0) }) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
