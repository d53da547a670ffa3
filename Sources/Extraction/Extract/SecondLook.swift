/// Whether a document is read once more where a check of what was read fails, and by which model.
///
/// Nothing of the first look goes into the second one: a model that is told which sum does not fit makes it fit.
package enum SecondLook: Hashable, Sendable {
  case off
  /// By the same model, at another temperature.
  case again
  /// By the model of that name.
  case by(String)

  /// From `off`, `repeat` or the name of a model.
  package init(_ text: String) {
    self =
      switch text {
      case "off": .off
      case "repeat": .again
      default: .by(text)
      }
  }

  /// As it is set.
  package var text: String {
    switch self {
    case .off: "off"
    case .again: "repeat"
    case .by(let model): model
    }
  }
}
