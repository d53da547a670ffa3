import Testing
import TollbookEvents

@Suite("a cell of a table") struct CSVCellTests {
  @Test(arguments: [
    ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"so\"", "\"say \"\"so\"\"\""),
    ("=1+1", "\"'=1+1\""), ("-3", "\"'-3\""), ("it's", "\"it's\""), ("", ""),
  ])
  func `is quoted where it must be, and no formula`(_ text: String, _ cell: String) {
    #expect(CSVCell.quoted(text) == cell)
  }

  @Test(arguments: [",", "\"", "'", "="])
  func `a sign with an accent behind it is that sign to a spreadsheet`(_ sign: String) {
    for accent in ["\u{301}", "\u{200d}", "\u{fe0f}"] {
      let cell = CSVCell.quoted("a\(sign)\(accent)=cmd()\(sign)")
      if sign != "=" { #expect(cell.unicodeScalars.first == "\"") }
      let begun = CSVCell.quoted("\(sign)\(accent)cmd()")
      #expect(begun.unicodeScalars.first == "\"")
      let inner = begun.unicodeScalars.dropFirst().dropLast()
      // Inside of the quotes no single one is left.
      #expect(inner.filter { $0 == "\"" }.count % 2 == 0)
    }
  }
}
