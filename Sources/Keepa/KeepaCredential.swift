/// A key for Keepa with the name that Tollbook writes down instead of it. Prints as that name.
package struct KeepaCredential: Sendable, CustomStringConvertible, CustomReflectable {
  /// `keepa:` and the first eight hexadecimal digits of the key's SHA-256.
  package let id: String
  let key: String

  package init(id: String, key: String) {
    self.id = id
    self.key = key
  }

  package var description: String { id }

  /// Shows no key to `dump` either.
  package var customMirror: Mirror { Mirror(self, children: ["id": id]) }

  /// The text without the key, whatever it says about it.
  func masking(_ text: String) -> String {
    key.isEmpty ? text : text.replacing(key, with: "(key)")
  }
}
