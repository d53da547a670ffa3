import Foundation

/// What a person at a terminal sees.
enum Console {
  /// Whether standard output is a terminal; a pipe or a file gets neither colours nor progress.
  static let isTerminal = isatty(STDOUT_FILENO) == 1
  static let isErrorTerminal = isatty(STDERR_FILENO) == 1

  /// Writes lines to standard output, at once.
  static func say(_ text: String = "") {
    write("\(text)\n", to: .standardOutput)
  }

  /// Writes a sentence about something that went wrong to standard error.
  static func complain(_ text: String) {
    write("Error: \(text)\n", to: .standardError)
  }

  /// Writes a line that is no part of what the command puts out.
  static func note(_ text: String) { write("\(text)\n", to: .standardError) }

  /// Shows how far a command is, on one line of a terminal; nothing anywhere else.
  static func progress(_ text: String) {
    guard isErrorTerminal else { return }
    write("\r\u{1B}[2K\(text)", to: .standardError)
  }

  /// Takes the line of `progress` away.
  static func endProgress() { progress("") }

  /// A heading or another important text.
  static func strong(_ text: String) -> String { styled(text, "1") }

  /// A text of less weight.
  static func faint(_ text: String) -> String { styled(text, "2") }

  /// A text about something good.
  static func good(_ text: String) -> String { styled(text, "32") }

  private static func write(_ text: String, to file: FileHandle) {
    // Whoever closed the other end wants no more.
    try? file.write(contentsOf: Data(text.utf8))
  }

  private static func styled(_ text: String, _ code: String) -> String {
    isTerminal ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
