/// Why a rule, a fact or a message is not taken.
package struct NotificationProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The field that is to blame.
  package let field: String
  /// For a person.
  package let description: String

  package init(_ field: String, _ description: String) {
    self.field = field
    self.description = description
  }
}
