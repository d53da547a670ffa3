import Files
import Foundation
import Synchronization

/// What a person at a terminal sees, or a program at the other end of a pipe.
enum Console {
  /// Whether standard output is a terminal; a pipe or a file gets neither colours nor progress.
  static let isTerminal = isatty(STDOUT_FILENO) == 1
  static let isErrorTerminal = isatty(STDERR_FILENO) == 1

  private static let terminal = Terminal(ProcessInfo.processInfo.environment)
  private static let output = Mutex(ByteOutput(descriptor: STDOUT_FILENO))
  private static let errors = Mutex(ByteOutput(descriptor: STDERR_FILENO))

  /// Writes lines to standard output, at once.
  static func say(_ text: String = "") {
    put("\(text)\n")
    flush()
  }

  /// Writes to standard output by and by, for what has very many lines; `flush` brings the rest.
  static func put(_ text: String) {
    let text = isTerminal ? Terminal.harmless(text) : text
    report(output.withLock { $0.write(text) })
  }

  static func flush() { report(output.withLock { $0.flush() }) }

  /// Whether what is said still arrives: a command that goes on for ever need not when nobody reads it.
  static var isHeard: Bool { output.withLock { $0.isOpen } }

  /// Brings everything out.
  ///
  /// - Returns: whether all of it arrived, or was no longer wanted.
  static func finish() -> Bool {
    flush()
    return output.withLock { $0.failure == nil }
  }

  /// Writes a sentence about something that went wrong to standard error.
  static func complain(_ text: String) { note("Error: \(text)") }

  /// Writes a line that is no part of what the command puts out.
  static func note(_ text: String) { writeError("\(Terminal.harmless(text))\n") }

  /// Shows how far a command is, on one line of a terminal that can take a line back; nothing anywhere else.
  static func progress(_ text: String) {
    guard isErrorTerminal, terminal.takesLinesBack else { return }
    writeError("\r\u{1B}[2K\(text)")
  }

  /// Takes the line of `progress` away.
  static func endProgress() { progress("") }

  /// A heading or another important text.
  static func strong(_ text: String) -> String { styled(text, .strong) }

  /// A text of less weight.
  static func faint(_ text: String) -> String { styled(text, .faint) }

  /// A text about something good.
  static func good(_ text: String) -> String { styled(text, .good) }

  private static func styled(_ text: String, _ style: Terminal.Style) -> String {
    isTerminal && terminal.hasStyles ? style.begin + text + Terminal.Style.end : text
  }

  private static func report(_ failure: ByteOutput.Failure?) {
    if let failure { complain("standard output cannot be written: \(failure).") }
  }

  private static func writeError(_ text: String) {
    // Where this cannot be written there is no other place to say so.
    errors.withLock { stream in
      _ = stream.write(text)
      _ = stream.flush()
    }
  }
}

/// Bytes on their way to a file, a pipe or a terminal.
struct ByteOutput: ~Copyable {
  /// Why they do not arrive, as the system says it.
  struct Failure: CustomStringConvertible {
    let code: Int32

    var description: String { Descriptors.message(code) }
  }

  private static let portion = 1 << 16

  private let descriptor: Int32
  private var pending: [UInt8] = []
  /// Whether anything still arrives.
  private(set) var isOpen = true
  /// Nil: all arrived, or whoever read it closed the other end and wants no more.
  private(set) var failure: Failure?

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// - Returns: the failure, the first time.
  mutating func write(_ text: String) -> Failure? {
    guard isOpen else { return nil }
    pending.append(contentsOf: text.utf8)
    return pending.count < Self.portion ? nil : flush()
  }

  /// - Returns: the failure, the first time.
  mutating func flush() -> Failure? {
    guard isOpen, !pending.isEmpty else { return nil }
    let code = Descriptors.write(pending, to: descriptor)
    pending.removeAll(keepingCapacity: true)
    guard code != 0 else { return nil }
    isOpen = false
    guard code != EPIPE else { return nil }
    failure = Failure(code: code)
    return failure
  }
}
