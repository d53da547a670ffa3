import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookLog

/// Which events a request asks for: `type` (several), `account`, `resource` (a star at its end for a beginning), `fetch`,
/// and from where to where.
extension QueryParameters {
  /// The filter of a list or a stream of events.
  func eventFilter() throws(Problem) -> EventFilter {
    var filter = EventFilter()
    for name in all("type") {
      guard let kind = EventKind(name: name) else {
        let names = EventKind.allCases.map(\.name).joined(separator: ", ")
        throw invalid("type", name, "one of \(names)")
      }
      filter.kinds.insert(kind)
    }
    filter.account = self["account"]
    filter.resource = self["resource"].map { EventFilter.Resource($0) }
    if let text = self["fetch"] {
      guard let fetch = Position(text), fetch > 0 else {
        throw invalid("fetch", text, "the position of a FetchStarted")
      }
      filter.fetch = fetch
    }
    return filter
  }

  /// An event, an instant or a day.
  func moment(_ name: String) throws(Problem) -> Moment? {
    guard let text = self[name] else { return nil }
    guard let moment = Moment(text) else {
      throw invalid(
        name, text,
        "a position, a date such as 2026-11-21, or an instant as in RFC 3339, such as"
          + " 2026-11-21T08:30:00Z")
    }
    return moment
  }

  /// The events from `from` to `to`, and after `after`.
  ///
  /// - Parameter calendar: of which zone days are.
  /// - Throws: `Problem`, or `LogError`.
  func eventRange(
    in source: LogSource, calendar: AuditCalendar = .utc
  ) throws -> (after: Position, through: Position) {
    let after = try position("after")
    let start = try moment("from")
    let end = try moment("to")
    let head = try source.head()
    if let after, after > head {
      throw invalid("after", "\(after)", "a position of this log, which ends at \(head)")
    }
    if start == nil, end == nil, let after { return (after, .max) }
    do {
      let range = try EventRange(from: start, to: end, in: source, calendar: calendar)
      // Without an end it goes on with what is appended meanwhile.
      return (max(range.after, after ?? 0), end == nil ? .max : range.through)
    } catch let problem as EventRangeProblem {
      switch problem {
      case .backwards: throw Problem(.invalidParameter, "\(problem)", field: "to")
      case .beyondHead: throw Problem(.invalidParameter, "\(problem)", field: "from")
      }
    }
  }

  /// All values of a parameter that may be repeated, or hold several with commas between.
  private func all(_ name: String) -> [String] {
    values(of: name).flatMap { $0.split(separator: ",") }.map(String.init)
  }
}
