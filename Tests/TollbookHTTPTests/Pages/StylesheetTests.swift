import Foundation
import Testing

@testable import TollbookHTTP

@Suite struct StylesheetTests {
  /// The colours of a theme by their names, red, green and blue from 0 to 1.
  private static func colours(_ text: Substring) -> [String: [Double]] {
    var colours: [String: [Double]] = [:]
    for match in text.matches(of: /--([a-z-]+): #([0-9a-f]{6});/) {
      let digits = bytes(hexadecimal: match.output.2) ?? []
      colours[String(match.output.1)] = digits.map { Double($0) / 255 }
    }
    return colours
  }

  /// The contrast of two colours (WCAG 2.2, "contrast ratio").
  private static func contrast(_ one: [Double], _ other: [Double]) -> Double {
    func luminance(_ colour: [Double]) -> Double {
      let linear = colour.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
    let (high, low) = (
      max(luminance(one), luminance(other)), min(luminance(one), luminance(other))
    )
    return (high + 0.05) / (low + 0.05)
  }

  @Test(arguments: [
    ("ink", "ground"), ("ink", "sheet"), ("ink", "sunk"), ("ink", "tint"), ("soft", "ground"),
    ("soft", "sheet"), ("soft", "sunk"), ("accent", "ground"), ("accent", "sheet"),
    ("accent", "tint"), ("on-accent", "accent"), ("good", "good-tint"), ("warn", "warn-tint"),
    ("bad", "bad-tint"), ("bad", "sheet"),
  ])
  func `texts can be read, in the light and in the dark`(_ text: String, _ ground: String) throws {
    let css = Stylesheet.text
    let start = try #require(css.firstRange(of: "@media (prefers-color-scheme: dark)")).lowerBound
    for theme in [css[..<start], css[start...]] {
      let colours = Self.colours(theme)
      let (one, other) = (try #require(colours[text]), try #require(colours[ground]))
      #expect(Self.contrast(one, other) >= 4.5, "\(text) on \(ground)")
    }
  }

  @Test func `the edges of fields can be seen`() throws {
    let css = Stylesheet.text
    let start = try #require(css.firstRange(of: "@media (prefers-color-scheme: dark)")).lowerBound
    for theme in [css[..<start], css[start...]] {
      let colours = Self.colours(theme)
      #expect(
        Self.contrast(try #require(colours["edge"]), try #require(colours["sheet"])) >= 3)
    }
  }

  @Test func `each colour that is used is there, and focus is shown`() {
    let css = Stylesheet.text
    for match in css.matches(of: /var\(--([a-z-]+)\)/) {
      #expect(css.contains("--\(match.output.1): "), "\(match.output.1)")
    }
    #expect(css.contains(":focus-visible { outline: 3px solid"))
    #expect(!css.contains("url("))
    #expect(!css.contains("@import"))
    #expect(css.count { $0 == "{" } == css.count { $0 == "}" })
  }
}
