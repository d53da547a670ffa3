import Hummingbird
import JSONText
import LMDB
import TollbookEvents
import TollbookLog

extension HTTPService {
  /// `GET /events` and `/events/{position}`.
  func addEvents(to router: Router<TollbookContext>) {
    router.route("/events", get: { request, _ in try events(QueryParameters(request)) })
    router.route("/events/{position}", get: { _, context in try event(context) })
  }

  private func events(_ query: QueryParameters) throws -> Response {
    let limit = try query.limit()
    let after = try query.position("after") ?? 0
    let kind = try query.choice(
      "type", of: EventKind.allCases.map(\.name), EventKind.init(name:))
    let (events, head) = try page(of: kind, after: after, limit: limit)
    let next = events.count == limit ? events.last?.position : nil
    return .object(position: head, capacity: 512 * (events.count + 1)) { json in
      json.array("events", events) { json, event in event.write(to: &json) }
      json.field("next", next == head ? nil : next)
      json.field("position", head)
    }
  }

  private func page(
    of kind: EventKind?, after: Position, limit: Int
  ) throws(LogError) -> (events: [RecordedEvent], head: Position) {
    let reader = log.reader
    let index = log.index
    return try log.read { (transaction) throws(LogError) in
      var events: [RecordedEvent] = []
      let head = try reader.head(in: transaction)
      guard let kind else {
        try reader.scan(after: after, in: transaction) { (event) throws(LogError) in
          events.append(event)
          return events.count < limit ? .next : .stop
        }
        return (events, head)
      }
      let positions: [Position]
      do throws(LMDBError) {
        positions = try index.positions(of: kind, after: after, limit: limit, in: transaction)
      } catch { throw .storage(error) }
      for position in positions {
        if let event = try reader.event(at: position, in: transaction) { events.append(event) }
      }
      return (events, head)
    }
  }

  private func event(_ context: TollbookContext) throws -> Response {
    let text = context.parameters.get("position") ?? ""
    guard let position = Position(text) else {
      throw Problem(
        .invalidParameter, "“\(text.prefix(100))” is no position: 1, 2, 3 …", field: "position")
    }
    let reader = log.reader
    let found = try log.read { (transaction) throws(LogError) in
      try reader.event(at: position, in: transaction)
    }
    guard let found else {
      throw Problem(.notFound, "the log ends at position \(log.head)", field: "position")
    }
    var json = JSONWriter()
    found.write(to: &json)
    return Response(json: json.bytes, position: position)
  }
}
