import Foundation

/// What a person at a terminal sees.
enum Console {
  /// Whether standard output is a terminal; a pipe or a file gets neither colours nor progress.
  static let isTerminal = isatty(STDOUT_FILENO) == 1
  private static let isErrorTerminal = isatty(STDERR_FILENO) == 1

  /// Writes lines to standard output, at once.
  static func say(_ text: String = "") {
    FileHandle.standardOutput.write(Data("\(text)\n".utf8))
  }

  /// Writes a sentence about something that went wrong to standard error.
  static func complain(_ text: String) {
    FileHandle.standardError.write(Data("Error: \(text)\n".utf8))
  }

  /// Shows how far a command is, on one line of a terminal; nothing anywhere else.
  static func progress(_ text: String) {
    guard isErrorTerminal else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[2K\(text)".utf8))
  }

  /// Takes the line of `progress` away.
  static func endProgress() { progress("") }

  /// A heading or another important text.
  static func strong(_ text: String) -> String { styled(text, "1") }

  /// A text of less weight.
  static func faint(_ text: String) -> String { styled(text, "2") }

  /// A text about something good.
  static func good(_ text: String) -> String { styled(text, "32") }

  private static func styled(_ text: String, _ code: String) -> String {
    isTerminal ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
