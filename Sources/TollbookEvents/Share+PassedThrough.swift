extension Share {
  /// Whether it is the part of a call whose answer as a whole was handed on: such a call is passed through, and its answers
  /// are never kept. What is handed on of a call that buys resources has the name of one.
  package var isPassedThrough: Bool { use == .handedOn && resource.isEmpty }
}
