import Hummingbird

/// The names that a path's query may hold. A misspelt name would otherwise be answered as if nothing had been asked,
/// and of a name that stands twice one value would be lost.
package struct QueryNames {
  /// Names that may stand once.
  private let once: [String]
  /// Names that may stand several times.
  private let several: [String]

  package init(_ once: [String] = [], several: [String] = []) {
    self.once = once
    self.several = several
  }

  /// By the pattern of the path, as it is registered. A path that is not here, and says nothing itself, takes no query.
  private static let all: [String: QueryNames] = [
    "/audit": QueryNames(["by", "account", "time_zone", "limit"] + range),
    "/cache/performance": QueryNames(["hours"]),
    "/cache/stats": QueryNames(["kind", "as_of"]),
    "/cache/entries": QueryNames(["limit", "kind", "state", "cursor", "as_of"]),
    "/cache/entries/**": QueryNames(["as_of"]),
    "/events": QueryNames(["limit"] + events + range, several: ["type"]),
    "/events/stream": QueryNames(events + range, several: ["type"]),
    "/jobs": QueryNames(["limit", "kind", "state", "cursor"]),
    "/ledger": QueryNames(["as_of"]),
    "/ledger/charges": QueryNames(
      ["account", "operation", "from", "to", "cursor", "limit", "as_of"]),
    "/log": QueryNames(["as_of"]),
    "/metrics": QueryNames(["as_of"]),
  ]

  private static let events = ["account", "resource", "fetch"]
  private static let range = ["after", "from", "to"]
  /// Without a value it is where a list begins, so that whoever pages can start with an empty one.
  private static let beginning = "cursor"

  /// Refuses a request whose query has a name that the path does not take, takes once and finds twice, or finds without a
  /// value: what was left empty by mistake would be answered as if nothing had been asked.
  ///
  /// - Parameter allowsEmpty: whether a name may stand without a value, as a form sends what nobody has filled in.
  static func check(
    _ request: Request, at path: String, _ own: QueryNames?, allowsEmpty: Bool = false
  ) throws(Problem) {
    guard let query = request.uri.query, !query.isEmpty else { return }
    let names = own ?? all[path] ?? QueryNames()
    var seen: Set<Substring> = []
    for (name, value) in request.uri.queryParameters where !(name.isEmpty && value.isEmpty) {
      let isOnce = names.once.contains { $0 == name }
      guard isOnce || names.several.contains(where: { $0 == name }) else {
        throw Problem(
          .invalidParameter, "“\(name.prefix(100))” is no parameter of \(path); \(names.sentence)",
          field: String(name.prefix(100)))
      }
      if value.isEmpty, name != beginning, !allowsEmpty {
        throw Problem(
          .invalidParameter, "\(name) is empty; give it a value, or leave it out",
          field: String(name))
      }
      if !seen.insert(name).inserted && isOnce {
        throw Problem(
          .invalidParameter, "\(name) stands twice; send one of them", field: String(name))
      }
    }
  }

  private var sentence: String {
    let names = once + several
    return names.isEmpty ? "it takes none" : "it takes \(names.joined(separator: ", "))"
  }
}
