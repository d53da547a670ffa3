/// Text that comes from outside: an upstream's message, a title, a note.
extension StringProtocol {
  /// The text on one line, without characters that steer a terminal: what stands for a line break, an escape, a change of
  /// direction or the like becomes a blank, and nothing at the ends. Everything else stays as it is.
  ///
  /// - Parameter limit: how many Unicode scalars there may be; of a longer text the beginning is left, with a `…`.
  package func inOneLine(atMost limit: Int = .max) -> String {
    guard unicodeScalars.contains(where: \.steersTerminal) || unicodeScalars.count > limit else {
      return String(self)
    }
    var line = String.UnicodeScalarView()
    var count = 0
    var isBlankDue = false
    for scalar in unicodeScalars {
      if scalar.steersTerminal {
        isBlankDue = count > 0
        continue
      }
      if isBlankDue, line.last != " ", scalar != " " {
        line.append(" ")
        count += 1
      }
      isBlankDue = false
      guard count < limit else { return String(line) + "…" }
      line.append(scalar)
      count += 1
    }
    return String(line)
  }
}

extension Unicode.Scalar {
  /// Whether a terminal does something else with it than to show it: controls, separators of lines and paragraphs, and
  /// what changes the direction of writing.
  package var steersTerminal: Bool {
    switch value {
    case 0x00...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
