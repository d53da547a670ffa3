import Files
import Foundation
import Synchronization
import TollbookEvents

/// What a line of a file of secrets holds behind its name.
protocol SecretLine: Hashable, Sendable {
  /// Nil: it is no such line.
  init?(fields: [[UInt8]])
  /// Always as many.
  var fields: [[UInt8]] { get }
}

/// A file of secrets beside the log, in no event, answer, diagnostic, export or snapshot. Its owner alone may read it. It
/// is written whole or not at all; a file that holds anything else is not written over.
///
/// A line for each secret: its name, and its fields in base64, with a space before each.
final class SecretFile<Line: SecretLine>: Sendable {
  private struct State {
    var lines: [String: Line] = [:]
    /// Whether the file was there and could be read, or was not there.
    var isReadable = true
  }

  private let path: String
  /// What it is a file of, such as `webhooks`.
  private let contents: String
  private let state: Mutex<State>

  init(_ path: String, of contents: String) {
    self.path = path
    self.contents = contents
    state = Mutex(Self.read(path))
  }

  /// Nil: there is no line of that name.
  subscript(_ name: String) -> Line? { state.withLock { $0.lines[name] } }

  /// Changes lines, on the disk before it returns.
  func change(_ body: (inout [String: Line]) -> Void) throws(AccountRefusal) {
    let problem: String? = state.withLock { state in
      guard state.isReadable else {
        return "is no file of \(contents); move it away, and start again"
      }
      var lines = state.lines
      body(&lines)
      guard lines != state.lines else { return nil }
      let text = lines.sorted { $0.key < $1.key }.map { name, line in
        let words = [name] + line.fields.map { Data($0).base64EncodedString() }
        return words.joined(separator: " ") + "\n"
      }
      guard DurableNames.write(Array(text.joined().utf8), to: path, mode: 0o600) == nil else {
        return "cannot be written"
      }
      state.lines = lines
      return nil
    }
    if let problem { throw AccountRefusal(.conflict, "secret", "\(path) \(problem)") }
  }

  private static func read(_ path: String) -> State {
    var state = State()
    guard FileManager.default.fileExists(atPath: path) else { return state }
    guard let data = FileManager.default.contents(atPath: path) else {
      state.isReadable = false
      return state
    }
    for text in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      let fields = words.dropFirst().map { Data(base64Encoded: $0).map(Array.init) }
      guard let line = Line(fields: fields.compactMap(\.self)), !fields.contains(nil) else {
        state.isReadable = false
        continue
      }
      state.lines[words[0]] = line
    }
    return state
  }
}
