package import Hummingbird
package import TollbookEvents

/// The parameters of a request's address, each refused by name.
package struct QueryParameters {
  private let request: Request

  package init(_ request: Request) { self.request = request }

  /// A parameter; nil if it is left out.
  package subscript(name: String) -> String? {
    guard let value = request.uri.queryParameters[Substring(name)], !value.isEmpty else {
      return nil
    }
    return String(value)
  }

  /// All values of a parameter that may be given several times.
  package func values(of name: String) -> [String] {
    request.uri.queryParameters[values: Substring(name)].filter { !$0.isEmpty }.map(String.init)
  }

  /// How many rows to list.
  package func limit(default standard: Int = 100, maximum: Int = 1_000) throws(Problem) -> Int {
    guard let text = self["limit"] else { return standard }
    guard let limit = Int(text), (1...maximum).contains(limit) else {
      throw invalid("limit", text, "a whole number from 1 to \(maximum)")
    }
    return limit
  }

  /// A place in the log.
  package func position(_ name: String) throws(Problem) -> Position? {
    guard let text = self[name] else { return nil }
    guard let position = Position(text) else { throw invalid(name, text, "a position: 0, 1, 2 …") }
    return position
  }

  /// One of a few names.
  package func choice<Choice>(
    _ name: String, of names: [String], _ read: (String) -> Choice?
  ) throws(Problem) -> Choice? {
    guard let text = self[name] else { return nil }
    guard let choice = read(text) else {
      throw invalid(name, text, "one of \(names.joined(separator: ", "))")
    }
    return choice
  }

  /// The problem with a parameter.
  package func invalid(_ name: String, _ text: String, _ expected: String) -> Problem {
    Problem(
      .invalidParameter, "\(name) is “\(text.prefix(100))”; it must be \(expected)", field: name)
  }
}
