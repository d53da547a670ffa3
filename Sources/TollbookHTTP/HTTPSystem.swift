package import Hummingbird
package import JSONText
import TollbookUpstreams

/// What one system adds to what Tollbook says over HTTP: its own routes, and the words of its kinds.
package struct HTTPSystem: Sendable {
  /// How entries of a kind are shown.
  package struct Kind: Sendable {
    /// What one of them is called, such as `place`.
    package var noun: String
    /// The parts that an entry holds, in one word.
    package var parts: @Sendable (UInt64) -> String
    /// Writes the members of a summary; nil: it cannot be read.
    package var summary: @Sendable ([UInt8]) -> (@Sendable (inout JSONWriter) -> Void)?

    package init(
      _ noun: String,
      parts: @escaping @Sendable (UInt64) -> String = { $0 == 0 ? "plain" : "\($0)" },
      summary: @escaping @Sendable ([UInt8]) -> (@Sendable (inout JSONWriter) -> Void)? = { _ in
        nil
      }
    ) {
      self.noun = noun
      self.parts = parts
      self.summary = summary
    }
  }

  /// As it stands in events, in lower case: its operations and kinds begin with it.
  package var name: String
  /// As people write it.
  package var title: String
  /// By their names.
  package var kinds: [String: Kind]
  /// Where it speaks its provider's wire format; nil: nowhere.
  package var dropIn: DropIn?
  package var addRoutes: @Sendable (HTTPService, Router<TollbookContext>) -> Void

  package init(
    _ name: String, title: String, kinds: [String: Kind] = [:], dropIn: DropIn? = nil,
    addRoutes: @escaping @Sendable (HTTPService, Router<TollbookContext>) -> Void
  ) {
    self.name = name
    self.title = title
    self.kinds = kinds
    self.dropIn = dropIn
    self.addRoutes = addRoutes
  }
}

extension [HTTPSystem] {
  private func kind(_ name: String) -> HTTPSystem.Kind? {
    lazy.compactMap { $0.kinds[name] }.first
  }

  /// What resources of a kind are called: of a kind that no system knows, resource.
  package func noun(of kind: String) -> String { self.kind(kind)?.noun ?? "resource" }

  /// What people call the upstream of an operation, a kind or a credential, by what its name begins with.
  package func title(of name: String) -> String {
    let upstream = name.prefix { $0 != "." && $0 != ":" }
    return first { $0.name == upstream }?.title ?? "the upstream"
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
