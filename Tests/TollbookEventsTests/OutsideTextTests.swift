import Testing
import TollbookEvents

@Suite struct OutsideTextTests {
  @Test(arguments: [
    ("plain", "plain"), ("", ""), ("  kept  ", "  kept  "),
    ("red\u{1B}[31m alert", "red [31m alert"), ("a\nb", "a b"), ("a\r\n\t b", "a b"),
    ("\u{7}bell at the ends\u{0}", "bell at the ends"), ("\n\n", ""),
    ("eight bits\u{9B}2J", "eight bits 2J"),
    ("next\u{85}line\u{2028}and\u{2029}more\u{7F}", "next line and more"),
    ("\u{202E}backwards\u{202C} and \u{2066}isolated\u{2069}", "backwards and isolated"),
    ("Café 漢字 👩‍👩‍👧 \u{200F}שלום", "Café 漢字 👩‍👩‍👧 \u{200F}שלום"),
  ])
  func `a text from outside stays on its line and steers nothing`(text: String, expected: String) {
    let line = text.inOneLine()
    #expect(Array(line.unicodeScalars) == Array(expected.unicodeScalars))
    #expect(line.inOneLine() == line)
  }

  @Test func `a long text is cut, also one that is a single letter with marks`() {
    #expect(String(repeating: "x", count: 10).inOneLine(atMost: 10).count == 10)
    #expect("0123456789".inOneLine(atMost: 4) == "0123…")
    #expect("0\n\n12345".inOneLine(atMost: 4) == "0 12…")
    let marked = "e" + String(repeating: "\u{301}", count: 100_000)
    #expect(marked.count == 1)
    #expect(marked.inOneLine(atMost: 20).unicodeScalars.count == 21)
  }
}
