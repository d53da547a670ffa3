import Files
import Foundation
import TollbookEvents

/// What a terminal understands, and what it must not be told.
struct Terminal {
  enum Style: String, CaseIterable {
    case strong = "1"
    case faint = "2"
    case good = "32"

    static let end = "\u{1B}[0m"

    var begin: String { "\u{1B}[\(rawValue)m" }
  }

  /// Narrower than this no help can be read, nor does the parser of the command line know how to break it.
  static let leastColumns = 40

  /// Whether it shows colours and weights, and is to show them.
  let hasStyles: Bool
  /// Whether a line can be taken back.
  let takesLinesBack: Bool

  init(_ environment: [String: String]) {
    takesLinesBack = environment["TERM"] != "dumb"
    hasStyles = takesLinesBack && environment["NO_COLOR", default: ""].isEmpty
  }

  /// The text with a mark in place of what would steer a terminal, but for line ends, tabs and our own styles.
  static func harmless(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isHarmful) else { return text }
    let allowed = Style.allCases.map(\.begin) + [Style.end, "\r\n"]
    var harmless = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.first {
      if let part = allowed.first(where: { rest.starts(with: $0.unicodeScalars) }) {
        harmless.append(contentsOf: part.unicodeScalars)
        rest = rest.dropFirst(part.unicodeScalars.count)
      } else {
        harmless.append(scalar.isHarmful ? "\u{FFFD}" : scalar)
        rest = rest.dropFirst()
      }
    }
    return String(harmless)
  }

  /// How wide a help is to be.
  ///
  /// - Parameters:
  ///   - said: the value of `COLUMNS`.
  ///   - found: what the terminal says; nil: there is none.
  static func columns(said: String?, found: Int?) -> Int {
    let widths = [said.flatMap { Int($0) }, found].compactMap { $0 }
    return max(leastColumns, widths.first { $0 > 0 } ?? 80)
  }

  /// How wide it is by what this process knows.
  static var columns: Int {
    columns(
      said: ProcessInfo.processInfo.environment["COLUMNS"],
      found: Descriptors.columns(of: STDOUT_FILENO))
  }
}

extension Unicode.Scalar {
  fileprivate var isHarmful: Bool { steersTerminal && self != "\n" && self != "\t" }
}
