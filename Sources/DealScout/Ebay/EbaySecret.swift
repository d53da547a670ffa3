/// A text that is shown to nobody: a key, a token, a code. Prints as `(secret)`, to `dump` too.
package struct EbaySecret: Hashable, Sendable, CustomStringConvertible,
  CustomDebugStringConvertible,
  CustomReflectable
{
  /// The text itself, for the request that needs it.
  package let text: String

  package init(_ text: String) { self.text = text }

  package var description: String { "(secret)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
