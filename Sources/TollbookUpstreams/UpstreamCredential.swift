/// A key for an upstream with the name that Tollbook writes down instead of it. Prints as that name.
package struct UpstreamCredential: Sendable, CustomStringConvertible, CustomReflectable {
  /// The upstream, a colon, and the first eight hexadecimal digits of the key's SHA-256.
  package let id: String
  package let key: String

  package init(id: String, key: String) {
    self.id = id
    self.key = key
  }

  package var description: String { id }

  /// Shows no key to `dump` either.
  package var customMirror: Mirror { Mirror(self, children: ["id": id]) }

  /// The text without the key, whatever it says about it; without the beginning of the key too
  /// where the text was cut in the middle of it.
  package func masking(_ text: String) -> String {
    guard !key.isEmpty else { return text }
    var masked = text.replacing(key, with: "(key)")
    var part = key[...]
    while part.count >= Self.tellingLength {
      masked.replace("\(part)…", with: "(key)…")
      part.removeLast()
    }
    return masked
  }

  /// As many characters of the key as a reader might know it by.
  private static let tellingLength = 4
}
