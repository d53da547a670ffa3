/// Why a bill cannot be read.
package struct InvoiceProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// Of the file, from 1; nil: it is about the file as a whole.
  package let line: Int?
  private let text: String

  init(_ text: String, line: Int? = nil) {
    self.line = line
    self.text = text
  }

  package var description: String { line.map { "line \($0): \(text)" } ?? text }
}
