import Hummingbird
import JSONText
import NIOCore
import ServiceLifecycle
import TollbookEvents
import TollbookHistory
import TollbookLog

extension HTTPService {
  /// `GET /events/stream`: events as they come, as server-sent events.
  ///
  /// Each has its position as `id`, its type as `event`, and as `data` what `GET /events` shows. It goes on after
  /// `Last-Event-ID`, or after `after` or from `from`; without any of them it begins with the next event. What is filtered
  /// out has no event, but its position is told with the next heartbeat, so that nobody has to look at it again.
  func addEventStream(to router: Router<TollbookContext>) {
    router.route("/events/stream", get: { request, _ in try eventStream(request) })
  }

  private func eventStream(_ request: Request) throws -> Response {
    let query = QueryParameters(request)
    if query["to"] != nil {
      throw Problem(.invalidParameter, "a stream has no end; GET /events has", field: "to")
    }
    let filter = try query.eventFilter()
    let start = try streamStart(request, query)
    let source = LogSource(log)
    guard try source.start() <= start else { throw LogError.beforeBase(try source.start()) }
    let stream = EventStream(
      log: log, query: EventQuery(filter, in: source, index: log.index), start: start)
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

  /// The position after which a stream begins.
  private func streamStart(
    _ request: Request, _ query: QueryParameters
  ) throws -> Position {
    let head = log.head
    if let text = request.headers[.lastEventID] {
      guard let position = Position(text), position <= head else {
        throw query.invalid(
          "Last-Event-ID", text, "a position of this log, which ends at \(head)")
      }
      return position
    }
    if try query.moment("from") == nil, try query.position("after") == nil { return head }
    let start = try query.eventRange(in: LogSource(log)).after
    guard start <= head else {
      throw query.invalid("after", "\(start)", "a position of this log, which ends at \(head)")
    }
    return start
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

  private enum Wake { case commit, heartbeat, end }

  let log: EventLog
  let query: EventQuery
  let start: Position

  /// Sends events until the service shuts down, the task is cancelled or the client has gone.
  @concurrent
  func write(to writer: inout any ResponseBodyWriter) async throws {
    // The place to go on from is known from the beginning on.
    try await writer.write(ByteBuffer(string: "retry: 2000\nid: \(start)\n\n"))
    var last = start
    var told = start
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      let page = try query.page(after: last, limit: Self.pageEvents)
      last = page.last
      if let event = page.events.last {
        try await writer.write(Self.text(of: page.events))
        told = event.position
      }
      if !page.isComplete { continue }
      switch await wait(after: last) {
      case .commit: continue
      case .heartbeat:
        let place = last > told ? "id: \(last)\n" : ""
        told = last
        try await writer.write(ByteBuffer(string: ":\n\(place)\n"))
      case .end: return
      }
    }
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

  private static func text(of events: [RecordedEvent]) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(512 * events.count)
    var json = JSONWriter(capacity: 512)
    for event in events {
      json = JSONWriter(capacity: json.bytes.count)
      // Without a line break inside: the writer escapes them.
      event.write(to: &json)
      buffer.writeString("id: \(event.position)\nevent: \(event.event.kind.name)\ndata: ")
      buffer.writeBytes(json.bytes)
      buffer.writeString("\n\n")
    }
    return buffer
  }
}
