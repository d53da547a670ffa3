/// Why a schedule is not set or changed. Nothing is.
package struct ScheduleProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The field that is to blame; nil: the whole of it.
  package let field: String?
  /// For a person: what is wrong, and what is accepted.
  package let description: String

  package init(_ field: String?, _ description: String) {
    self.field = field
    self.description = description
  }
}
