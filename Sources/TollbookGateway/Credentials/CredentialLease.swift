/// The secret of a credential, with the id that Tollbook writes down instead of it. Prints as that id.
package struct CredentialLease: Sendable, CustomStringConvertible, CustomReflectable {
  /// As it stands in events.
  package let id: String
  /// Whose limits of the upstream it uses.
  package let quotaGroup: String
  package let secret: String

  package init(id: String, quotaGroup: String, secret: String) {
    self.id = id
    self.quotaGroup = quotaGroup
    self.secret = secret
  }

  package var description: String { id }

  /// Shows no secret to `dump` either.
  package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
