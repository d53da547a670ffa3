import Testing
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct HTMLTests {
  /// What could end a text, an attribute or a line, and what could turn around what stands behind it.
  private static let hostile: [String] =
    [
      "<", ">", "\"", "'", "&", "=", "/", "`", "</script>", "<script>", "<!--", "-->", "]]>",
      "&lt;", "&#x3c;", "javascript:", "onerror=", "\u{0}", "\u{7}", "\u{8}", "\u{B}", "\u{C}",
      "\r", "\u{1B}[31m", "\u{7F}", "\u{85}", "\u{9B}", "\u{202A}", "\u{202E}", "\u{2066}",
      "\u{2069}", "\u{FEFF}", "\n", "\t", " ", "a", "é", "日本", "👩‍👧", "\u{5D0}",
      "\u{200F}",
    ] + [0xFDD0, 0xFFFE, 0x1FFFF].map { String(Unicode.Scalar($0 as UInt32)!) }

  private static func text(_ generator: inout SeededGenerator) -> String {
    (0..<generator.int(0...30)).map { _ in hostile[generator.int(0...hostile.count - 1)] }
      .joined()
  }

  /// Reads a text as a browser does, by the five references that are written.
  private static func unescaped(_ text: String) -> String {
    var text = text
    for (reference, character) in [
      ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&"),
    ] { text = text.replacing(reference, with: character) }
    return text
  }

  private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    let isControl = scalar.properties.generalCategory == .control
    return isControl && scalar != "\n" && scalar != "\t"
      || scalar.properties.isNoncharacterCodePoint
      || 0x202A...0x202E ~= scalar.value || 0x2066...0x2069 ~= scalar.value
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `a text comes back as it was, but for what HTML does not allow`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let text = Self.text(&generator)
    let expected = String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { Self.isForbidden($0) ? "\u{FFFD}" : $0 }))
    let element = HTML(.p, .class(text)) { text }.markup
    let value = element.dropFirst("<p class=\"".count).prefix { $0 != "\"" }
    let inside = element.dropFirst("<p class=\"\">".count + value.count).dropLast("</p>".count)
    for part in [String(value), String(inside), HTML(text).markup] {
      #expect(Array(Self.unescaped(part).unicodeScalars) == Array(expected.unicodeScalars))
      #expect(!part.contains { "<>\"'".contains($0) })
      let ampersands = part.split(separator: "&", omittingEmptySubsequences: false).dropFirst()
      for rest in ampersands {
        #expect(["lt;", "gt;", "quot;", "#39;", "amp;"].contains { rest.hasPrefix($0) })
      }
      #expect(!part.unicodeScalars.contains(where: Self.isForbidden))
    }
    #expect(element.hasPrefix("<p class=\""))
    #expect(element.hasSuffix("</p>"))
  }

  @Test(arguments: [false])
  func `pieces stand one after another, and what is nil is left out`(isShown: Bool) {
    let html = HTML(.ul, .id("list"), isShown ? .list : nil) {
      for number in 1...2 { HTML(.li) { "\(number) & more" } }
      if isShown { HTML(.li) { "hidden" } } else { HTML(.li) { HTML(.br) } }
      nil as HTML?
    }
    #expect(
      html.markup
        == "<ul id=\"list\"><li>1 &amp; more</li><li>2 &amp; more</li><li><br></li></ul>")
    #expect(HTML(.p).markup == "<p></p>")
    #expect(HTML().isEmpty)
    #expect(
      HTML(.input, .type(.checkbox), .checked(true), .selected(false), .required).markup
        == "<input type=\"checkbox\" checked required>")
  }

  @Test(arguments: [
    "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
    "\u{1}javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x",
    "ftp://example.com/", "mailto:x@example.com", "//evil.example/", "/\\evil.example",
    "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "https:evil.example", "https:///x",
    "https://", "http://?x", "https://shop.example@evil.example/", "https://a\"b/", "https://a b/",
    "https://a/\u{202E}x", "https://a/<x>", "https://bücher.example/", "x.html", "?q=1", "#x", "",
    "http://:80/", "https://a\\b/",
  ])
  func `what is no address of the web or of Tollbook's own is none`(_ text: String) {
    #expect(WebAddress(text) == nil)
    #expect(OwnPath(text) == nil)
  }

  @Test(arguments: [
    ("https://shop.example/itm/1?a=b&c=d#e", true), ("HTTPS://SHOP.example", true),
    ("http://shop.example:8080/x", false), ("/deals?q=a%20b", true), ("/", true),
  ])
  func `an address is written as it is, escaped`(_ text: String, _ isPrivate: Bool) throws {
    let address = try #require(WebAddress(text))
    #expect(address.text == text)
    #expect(address.isPrivate == isPrivate)
    #expect(
      HTML(.a, .href(address)).markup
        == "<a href=\"\(text.replacing("&", with: "&amp;"))\"></a>")
  }

  @Test func `an address that is too long is none`() {
    let path = "/" + String(repeating: "x", count: OwnPath.longest)
    #expect(OwnPath(path) == nil)
    #expect(OwnPath(String(path.dropLast())) != nil)
    #expect(WebAddress("https://x" + path + path) == nil)
    #expect(OwnPath("/deals", query: [("q", path)]) == nil)
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `a query holds any text, and a path with it is one`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let (name, value) = ("n" + Self.text(&generator), "v" + Self.text(&generator))
    let path = try #require(OwnPath("/deals", query: [("left", ""), (name, value)]))
    let items = formItems(path.text.dropFirst("/deals?".count))
    #expect(items.count == 1)
    #expect(items.first?.name == name)
    #expect(items.first?.value == value)
    #expect(path.path == "/deals")
  }
}
