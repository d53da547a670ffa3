import Hummingbird
import JSONText
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// How many portions of the log one request looks at, where no index helps. A page may therefore hold less than was
  /// asked for, even nothing: as long as there is a `next` it goes on there.
  private static let mostPortions = 10

  /// `GET /events` and `/events/{position}`.
  func addEvents(to router: Router<TollbookContext>) {
    router.route(
      "/events", scope: .admin, get: { request, _ in try await events(QueryParameters(request)) })
    router.route("/events/{position}", scope: .admin, get: { _, context in try event(context) })
  }

  private func events(_ query: QueryParameters) async throws -> Response {
    let limit = try query.limit()
    let filter = try query.eventFilter()
    let source = LogSource(log)
    let range = try query.eventRange(in: source)
    let found = EventQuery(filter, in: source, index: log.index)
    var page = try found.page(after: range.after, through: range.through, limit: limit)
    var portions = 1
    while !page.isComplete, page.events.count < limit, portions < Self.mostPortions {
      // A long look lets others have their turn.
      await Task.yield()
      let more = try found.page(
        after: page.last, through: range.through, limit: limit - page.events.count)
      page.events += more.events
      page.last = more.last
      page.isComplete = more.isComplete
      portions += 1
    }
    let next = page.isComplete ? nil : page.last
    return .object(position: page.head, capacity: 512 * (page.events.count + 1)) { json in
      json.array("events", page.events) { json, event in event.write(to: &json, systems) }
      json.field("next", next)
      json.field("position", page.head)
    }
  }

  private func event(_ context: TollbookContext) throws -> Response {
    let text = context.parameters.get("position") ?? ""
    guard let position = Position(text) else {
      throw Problem(
        .invalidParameter, "“\(text.prefix(100))” is no position: 1, 2, 3 …", field: "position")
    }
    guard let found = try Self.event(at: position, in: log) else {
      throw Problem(.notFound, "the log ends at position \(log.head)", field: "position")
    }
    var json = JSONWriter()
    found.write(to: &json, systems)
    return Response(json: json.bytes, position: position)
  }
  /// The event at `position`, or nil after the end of the log.
  ///
  /// - Throws: `.beforeBase` for one that the log does not hold because it goes on from a snapshot.
  static func event(at position: Position, in log: EventLog) throws(LogError) -> RecordedEvent? {
    let reader = log.reader
    return try log.read { (transaction) throws(LogError) in
      if let base = try reader.base(in: transaction), position <= base.position {
        throw .beforeBase(base.position)
      }
      return try reader.event(at: position, in: transaction)
    }
  }
}
