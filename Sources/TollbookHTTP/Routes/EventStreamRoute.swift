import Hummingbird
import JSONText
import NIOCore
import ServiceLifecycle
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `GET /events/stream`: events as they come, as server-sent events.
  ///
  /// Each has as `id` which history this is and its position, its type as `event`, and as `data` what `GET /events`
  /// shows. It goes on after `Last-Event-ID`, or after `after` or from `from`; without any of them it begins with the
  /// next event. What is filtered out has no event, but its position is told with the next heartbeat, so that nobody has
  /// to look at it again.
  ///
  /// A `Last-Event-ID` of another history names other events here: the log was restored, or begun anew. The stream then
  /// begins with an event `another-history` that says so, and goes on as if none had been sent. A refusal would end the
  /// attempts of an `EventSource`.
  func addEventStream(to router: Router<TollbookContext>) {
    router.route("/events/stream", scope: .admin, get: { request, _ in try eventStream(request) })
  }

  private func eventStream(_ request: Request) throws -> Response {
    let query = QueryParameters(request)
    if query["to"] != nil {
      throw Problem(.invalidParameter, "a stream has no end; GET /events has", field: "to")
    }
    let filter = try query.eventFilter()
    let source = LogSource(log)
    let (start, foreign) = try streamStart(request, query, source)
    let stream = EventStream(
      log: log, query: EventQuery(filter, in: source, index: log.index),
      history: try log.identity(), start: start, foreign: foreign, systems: systems)
    let headers: HTTPFields = [
      .contentType: "text/event-stream", .position: "\(start)", .buffering: "no",
    ]
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody { writer in
        try await stream.write(to: &writer)
        try await writer.finish(nil)
      })
  }

  /// The position after which a stream begins, and the place that the client named if that is in another history.
  private func streamStart(
    _ request: Request, _ query: QueryParameters, _ source: LogSource
  ) throws -> (start: Position, foreign: StreamPlace?) {
    var foreign: StreamPlace?
    if let text = request.headers[.lastEventID], !text.isEmpty {
      guard let place = StreamPlace(text) else {
        throw query.invalid("Last-Event-ID", text, "the id of an event of a stream, or a position")
      }
      let history = try log.identity()
      let isKnown = try source.start()...max(log.head, source.start()) ~= place.position
      if isKnown, place.history ?? history == history { return (place.position, nil) }
      foreign = place
    }
    guard try query.moment("from") != nil || query.position("after") != nil else {
      return (log.head, foreign)
    }
    let start = try query.eventRange(in: source).after
    guard try source.start() <= start else { throw LogError.beforeBase(try source.start()) }
    return (start, foreign)
  }
}

/// A stream of events to one client.
///
/// It reads a page in a transaction of its own, then waits until the client has taken it. A client that takes nothing holds
/// up nobody but itself.
struct EventStream: Sendable {
  /// Without events, something is sent so often: otherwise what lies between might close the connection.
  static let heartbeatMilliseconds: Int64 = 15_000
  /// Events to a page.
  private static let pageEvents = 200
  private static let heartbeatNanoseconds = heartbeatMilliseconds * 1_000_000

  private enum Wake { case commit, heartbeat, end }

  let log: EventLog
  let query: EventQuery
  let history: LogIdentity
  let start: Position
  /// Where the client was in another history.
  var foreign: StreamPlace?
  var systems: [HTTPSystem] = []
  /// Records that a page looks at.
  var portion = EventQuery.portion

  /// Sends events until the service shuts down, the task is cancelled or the client has gone.
  @concurrent
  func write(to writer: inout any ResponseBodyWriter) async throws {
    // The place to go on from is known from the beginning on.
    try await writer.write(ByteBuffer(string: "retry: 2000\nid: \(id(start))\n\n"))
    if let foreign { try await writer.write(notice(foreign)) }
    var last = start
    var told = start
    var written = log.time.monotonicNanoseconds()
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      let page = try query.page(after: last, limit: Self.pageEvents, looking: portion)
      last = page.last
      var wake = Wake.commit
      if let event = page.events.last {
        try await writer.write(text(of: page.events))
        told = event.position
        written = log.time.monotonicNanoseconds()
      } else if !page.isComplete {
        // Where the filter wants nothing of a long log, others have their turn between two pages.
        await Task.yield()
        let isDue = log.time.monotonicNanoseconds() - written >= Self.heartbeatNanoseconds
        wake = isDue ? .heartbeat : .commit
      }
      if page.isComplete { wake = await wait(after: last) }
      switch wake {
      case .commit: continue
      case .heartbeat:
        let place = last > told ? "id: \(id(last))\n" : ""
        told = last
        try await writer.write(ByteBuffer(string: ":\n\(place)\n"))
        written = log.time.monotonicNanoseconds()
      case .end: return
      }
    }
  }

  private func id(_ position: Position) -> StreamPlace { StreamPlace(history, position) }

  /// What a client is told whose last event is of another history.
  private func notice(_ foreign: StreamPlace) -> ByteBuffer {
    var json = JSONWriter()
    json.object { json in
      json.field("last_event_id", foreign.description)
      json.field("after", start)
      json.field(
        "detail",
        "your last event is not of this log: it was restored or begun anew, and its positions name"
          + " other events. What follows begins after position \(start)")
    }
    var buffer = ByteBuffer(string: "id: \(id(start))\nevent: another-history\ndata: ")
    buffer.writeBytes(json.bytes)
    buffer.writeString("\n\n")
    return buffer
  }

  /// Waits for the next commit, but not for too long.
  private func wait(after position: Position) async -> Wake {
    await withTaskGroup(of: Wake.self) { group in
      group.addTask {
        guard let head = try? await log.waitForCommit(after: position) else { return .end }
        return head > position ? .commit : .end
      }
      group.addTask {
        let slept: Void? = try? await log.time.sleep(Self.heartbeatMilliseconds)
        return slept == nil ? .end : .heartbeat
      }
      group.addTask {
        try? await gracefulShutdown()
        return .end
      }
      let first = await group.next() ?? .end
      group.cancelAll()
      return first
    }
  }

  private func text(of events: [RecordedEvent]) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(512 * events.count)
    var json = JSONWriter(capacity: 512)
    for event in events {
      json = JSONWriter(capacity: json.bytes.count)
      // Without a line break inside: the writer escapes them.
      event.write(to: &json, systems)
      buffer.writeString("id: \(id(event.position))\nevent: \(event.event.kind.name)\ndata: ")
      buffer.writeBytes(json.bytes)
      buffer.writeString("\n\n")
    }
    return buffer
  }
}
