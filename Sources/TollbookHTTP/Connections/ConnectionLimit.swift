import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Accepts so many connections at once and no more. Those beyond wait in the system's queue until one ends.
struct ConnectionLimit: AvailableConnectionsDelegate {
  private let most: Int
  private let logger: Logger
  private var open = 0
  /// Whether it was told that the limit is reached.
  private var isTold = false

  init(_ most: Int, logger: Logger) {
    self.most = most
    self.logger = logger
  }

  mutating func connectionOpened() {
    open += 1
    guard open >= most, !isTold else { return }
    isTold = true
    logger.warning(
      "as many connections are open as there may be; others wait until one ends",
      metadata: ["connections": "\(open)"])
  }

  mutating func connectionClosed() {
    open -= 1
    // Not at each one that comes and goes at the limit.
    if open <= most * 3 / 4 { isTold = false }
  }

  func isAcceptingNewConnections() -> Bool { open < most }
}

/// Lets the listening socket rest for a second when a connection cannot be accepted, as when the process has no
/// descriptor left.
///
/// The library's own handler for that puts off the next read only: the read that failed stays wanted, and the system tells
/// at once, again and again, that a connection is there.
final class AcceptRest: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = any Channel

  static let restTime = TimeAmount.seconds(1)
  /// Failures in a row that are passed over between two lines of the log: a minute.
  private static let failuresToALine = 60

  private let logger: Logger
  private var failures = 0
  private var isResting = false

  init(logger: Logger) { self.logger = logger }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    failures = 0
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is IOError else { return context.fireErrorCaught(error) }
    if !isResting { rest(context, after: error) }
    context.fireErrorCaught(error)
  }

  private func rest(_ context: ChannelHandlerContext, after error: any Error) {
    if failures.isMultiple(of: Self.failuresToALine) {
      logger.error("no connection can be accepted: \(error)")
    }
    failures += 1
    isResting = true
    let channel = context.channel
    try? channel.syncOptions?.setOption(.autoRead, value: false)
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.restTime) {
      self.isResting = false
      try? channel.syncOptions?.setOption(.autoRead, value: true)
    }
  }
}

@available(*, unavailable)
extension AcceptRest: Sendable {}
