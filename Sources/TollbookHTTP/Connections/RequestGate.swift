import DequeModule
import Hummingbird
import NIOCore
import NIOHTTP1
import TollbookGateway

/// What is wrong with a request as a message, whatever it asks for. Such a request is routed all the same, so that its
/// refusal is counted and answered like any other.
enum RequestFault: String {
  case noHost = "no-host"
  case severalHosts = "several-hosts"
  case expectation

  var problem: Problem {
    switch self {
    case .noHost: Problem(.invalidMessage, "a request of HTTP/1.1 names a Host", field: "Host")
    case .severalHosts:
      Problem(.invalidMessage, "the request names more than one Host", field: "Host")
    case .expectation:
      Problem(
        .unmetExpectation, "the only expectation that is met is 100-continue", field: "Expect")
    }
  }
}

/// A request did not arrive whole within its time.
struct RequestTooSlow: Error {}

/// Asks the gate to tell the client that its body is wanted.
struct BodyIsWanted: Sendable {}

/// Keeps the rules of a connection of HTTP/1 that are lost once a request has become one of the HTTP types.
///
/// Stands between the codec of the text and the codec of the types. It
/// * ends a connection of HTTP/1.0, and one whose request says so anywhere in its list of `Connection`, after the answer,
///   and lets no chunks go out to HTTP/1.0;
/// * finds requests with no `Host` or several, and lets the host of an absolute target count;
/// * answers `Expect: 100-continue` when the body is read;
/// * gives a request a time within which it must arrive whole, in which time does not count that it was held back;
/// * ends the connection after an answer that was given before its request had arrived whole, instead of reading on;
/// * tells when the client has hung up, which it does too by saying that it sends nothing more.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// A request that is not answered yet.
  private struct Unanswered {
    let isHTTP10: Bool
    /// Whether the connection ends with its answer.
    var isLast: Bool
  }

  /// How long a request may take from the end of its head to the end of its body.
  static let requestSeconds: Int64 = 30
  static var requestTime: TimeAmount { .seconds(requestSeconds) }
  /// How long the client may take to notice that nothing more is sent.
  static let farewellTime = TimeAmount.seconds(5)

  /// Whoever is at the other end.
  let client = ClientPresence()
  private var unanswered: Deque<Unanswered> = []
  /// Whether the end of the last request is still to come.
  private var isArriving = false
  /// Whether the answer to the first of them has begun.
  private var isAnswering = false
  /// Whether what comes is dropped: no more is answered.
  private var isDeaf = false
  private var deadline: Scheduled<Void>?
  private var farewell: Scheduled<Void>?

  // MARK: What comes in

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isDeaf { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      guard unanswered.last?.isLast != true else {
        isDeaf = true
        return
      }
      isArriving = true
      context.fireChannelRead(wrapInboundOut(.head(noted(head))))
    case .body: context.fireChannelRead(data)
    case .end:
      isArriving = false
      forgetDeadline()
      context.fireChannelRead(data)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if isArriving, !isDeaf, deadline == nil {
      deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.requestTime) {
        self.tooSlow(context)
      }
    }
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { client.leave() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    client.leave()
    forgetDeadline()
    farewell?.cancel()
    farewell = nil
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    forgetDeadline()
    farewell?.cancel()
    farewell = nil
  }

  private func tooSlow(_ context: ChannelHandlerContext) {
    deadline = nil
    guard isArriving, !unanswered.isEmpty else { return }
    if client.takeHeldBack() {
      // It was not the client that took the time.
      deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.requestTime) {
        self.tooSlow(context)
      }
      return
    }
    isDeaf = true
    unanswered[unanswered.count - 1].isLast = true
    // Whoever reads the body learns it, and answers.
    context.fireErrorCaught(RequestTooSlow())
  }

  private func forgetDeadline() {
    deadline?.cancel()
    deadline = nil
  }

  /// Takes down what the answer depends on, and puts the head into the one form that the rest understands.
  private func noted(_ head: HTTPRequestHead) -> HTTPRequestHead {
    var head = head
    let isHTTP10 = head.version.major == 1 && head.version.minor == 0
    let isLast =
      isHTTP10
      || head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "close" }
    unanswered.append(Unanswered(isHTTP10: isHTTP10, isLast: isLast))
    if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
    // HTTP/1.0 knows no expectations.
    if isHTTP10 { head.headers.remove(name: "Expect") }
    let fault = Self.fault(of: head, isHTTP10: isHTTP10)
    head.headers.remove(name: HeaderName.requestFault.rawName)
    if let fault { head.headers.add(name: HeaderName.requestFault.rawName, value: fault.rawValue) }
    if fault == nil, let target = AbsoluteTarget(head.uri) {
      head.headers.replaceOrAdd(name: "Host", value: target.authority)
      head.uri = target.path
    }
    return head
  }

  private static func fault(of head: HTTPRequestHead, isHTTP10: Bool) -> RequestFault? {
    switch head.headers["Host"].count {
    case 0 where !isHTTP10: return .noHost
    case 0, 1: break
    default: return .severalHosts
    }
    let isMet = head.headers[canonicalForm: "Expect"].allSatisfy {
      $0.lowercased() == "100-continue"
    }
    return isMet ? nil : .expectation
  }

  // MARK: What goes out

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard !unanswered.isEmpty else { return context.write(data, promise: promise) }
    switch unwrapOutboundIn(data) {
    case .head(let head):
      isAnswering = true
      // The rest of the request is not wanted any more.
      if isArriving, unanswered.count == 1 {
        unanswered[0].isLast = true
        isDeaf = true
        forgetDeadline()
      }
      context.write(wrapOutboundOut(.head(framed(head))), promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      isAnswering = false
      let answered = unanswered.removeFirst()
      guard answered.isLast else { return context.write(data, promise: promise) }
      context.writeAndFlush(data, promise: promise)
      end(context)
    }
  }

  private func framed(_ head: HTTPResponseHead) -> HTTPResponseHead {
    var head = head
    // Under this version the encoder makes no chunks.
    if unanswered[0].isHTTP10 { head.version = .http1_0 }
    if unanswered[0].isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
    return head
  }

  /// Says that nothing more is sent. Closing at once could take the answer from a client that still sends.
  private func end(_ context: ChannelHandlerContext) {
    isDeaf = true
    context.close(mode: .output, promise: nil)
    farewell = context.eventLoop.assumeIsolated().scheduleTask(in: Self.farewellTime) {
      context.close(promise: nil)
    }
  }

  func triggerUserOutboundEvent(
    context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
  ) {
    guard event is BodyIsWanted else {
      return context.triggerUserOutboundEvent(event, promise: promise)
    }
    guard isArriving, unanswered.count == 1, !isAnswering, !isDeaf else {
      promise?.succeed()
      return
    }
    let head = HTTPResponseHead(version: .http1_1, status: .continue)
    context.writeAndFlush(wrapOutboundOut(.head(head)), promise: promise)
  }
}

/// The target of a request that names the whole address, as a proxy is asked.
struct AbsoluteTarget: Equatable {
  let authority: String
  let path: String

  /// Nil for a target that is a path.
  init?(_ target: String) {
    guard !target.hasPrefix("/"), let separator = target.firstRange(of: "://"),
      ["http", "https"].contains(target[..<separator.lowerBound].lowercased())
    else { return nil }
    let rest = target[separator.upperBound...]
    let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    authority = String(rest[..<end])
    path = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/\(rest[end...])"
  }
}

@available(*, unavailable)
extension RequestGate: Sendable {}
