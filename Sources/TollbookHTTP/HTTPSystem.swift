package import Hummingbird
package import JSONText
import TollbookUpstreams

/// What one system adds to what Tollbook says over HTTP: its own routes, and the words of its kinds.
package struct HTTPSystem: Sendable {
  /// How entries of a kind are shown.
  package struct Kind: Sendable {
    /// The parts that an entry holds, in one word.
    package var parts: @Sendable (UInt64) -> String
    /// Writes the members of a summary; nil: it cannot be read.
    package var summary: @Sendable ([UInt8]) -> (@Sendable (inout JSONWriter) -> Void)?

    package init(
      parts: @escaping @Sendable (UInt64) -> String,
      summary: @escaping @Sendable ([UInt8]) -> (@Sendable (inout JSONWriter) -> Void)?
    ) {
      self.parts = parts
      self.summary = summary
    }
  }

  /// By their names.
  package var kinds: [String: Kind]
  package var addRoutes: @Sendable (HTTPService, Router<TollbookContext>) -> Void

  package init(
    kinds: [String: Kind] = [:],
    addRoutes: @escaping @Sendable (HTTPService, Router<TollbookContext>) -> Void
  ) {
    self.kinds = kinds
    self.addRoutes = addRoutes
  }
}

extension [HTTPSystem] {
  private func kind(_ name: String) -> HTTPSystem.Kind? {
    lazy.compactMap { $0.kinds[name] }.first
  }

  /// The parts that an entry holds, in one word: of a kind that no system knows their number.
  func parts(_ parts: UInt64, of name: String) -> String {
    kind(name)?.parts(parts) ?? (parts == 0 ? "plain" : "\(parts)")
  }

  /// Writes a summary as a member; null if there is none, or none that can be read.
  func writeSummary(
    _ bytes: [UInt8], of name: String, named member: String, to json: inout JSONWriter
  ) {
    guard !bytes.isEmpty, let write = kind(name)?.summary(bytes) else {
      return json.nullField(member)
    }
    json.object(member, write)
  }
}
