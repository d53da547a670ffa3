import AsyncHTTPClient
import JSONText
import NIOCore
import NIOHTTP1
import TollbookEvents
package import TollbookUpstreams

/// Keepa over HTTP, with one key.
///
/// A paid call goes out at most once. AsyncHTTPClient 1.37 never sends a request again that it has
/// begun to write: on a kept-alive connection that the other side just closed it fails the request
/// (`HTTP1ConnectionStateMachine.runNewRequest`). It does repeat *connecting*, and follows
/// redirects; both are switched off here. Its connection pool speaks HTTP/1.1 only, as Keepa does.
///
/// No logger and no tracer is handed to it: the key is in the URL.
package final class KeepaClient: KeepaAPI, CustomStringConvertible, CustomReflectable {
  private let credential: KeepaCredential
  private let settings: Settings
  private let now: @Sendable () -> Int64
  private let http: HTTPClient
  private let collecting: AnswerBytes
  private let reader: AnswerReader

  /// Where Keepa is and how long to wait for it.
  package struct Settings: Hashable, Sendable {
    package var base: BaseURL
    /// For the connection, TLS included, and for a free place in the pool.
    package var connectTimeout = Duration.seconds(5)
    /// The longest silence after the request is sent. Calls with offers take up to 20 s until the
    /// first byte (fact sheet, section 1).
    package var silenceTimeout = Duration.seconds(30)
    /// How long a connection is kept without a request. Short, since a request that meets the other
    /// side's closing is in doubt.
    package var keepAlive = Duration.seconds(20)
    /// The limits of an answer; see there.
    package var maximumBody = KeepaLimits.body
    package var maximumBodies = KeepaLimits.bodies
    package var maximumValues = KeepaLimits.values

    package init(base: BaseURL) { self.base = base }
  }

  /// - Parameter now: the wall clock, in milliseconds since 1970 UTC.
  package init(
    credential: KeepaCredential, settings: Settings,
    now: @escaping @Sendable () -> Int64
  ) {
    self.credential = credential
    self.settings = settings
    self.now = now
    collecting = AnswerBytes(limit: settings.maximumBodies)
    reader = AnswerReader(maximumBody: settings.maximumBody)
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(
        connect: TimeAmount(settings.connectTimeout), read: TimeAmount(settings.silenceTimeout)),
      decompression: .disabled)
    configuration.connectionPool.idleTimeout = TimeAmount(settings.keepAlive)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    configuration.tracing.tracer = nil
    http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  package var description: String { "Keepa client of \(credential.id) at \(settings.base)" }

  /// Shows nothing of the connections to `dump`: their requests hold the key.
  package var customMirror: Mirror { Mirror(self, children: ["credential": credential]) }

  /// Closes all connections. Must be called before the client is given up.
  package func shutdown() async {
    try? await http.shutdown()
  }

  package func products(
    _ request: KeepaProductRequest, within limit: Duration
  ) async -> UpstreamCall<KeepaProductAnswer> {
    await call("/product", request.parameters, within: limit) {
      [settings] status, body throws(UpstreamFailure) in
      try KeepaProductAnswer.read(
        status: status, body: body, asked: request.asins, contentSet: request.contentSet,
        maximumValues: settings.maximumValues)
    }
  }

  package func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading> {
    let call = await call("/token", [], within: limit) {
      [settings] status, body throws(UpstreamFailure) in
      try KeepaBalanceAnswer.read(
        status: status, body: body, maximumValues: settings.maximumValues)
    }
    // Whatever happened to it, this call is free.
    return call.mappingFailure { $0.charge == .unknown ? $0.charged(.known(0)) : $0 }
  }

  private func call<Answer: Sendable>(
    _ path: String, _ parameters: [(name: String, value: String)], within limit: Duration,
    read: @Sendable (Int, [UInt8]) throws(UpstreamFailure) -> Answer
  ) async -> UpstreamCall<Answer> {
    let query = ([("key", credential.key)] + parameters).map { "\($0.0)=\(Self.escaped($0.1))" }
    var request = HTTPClientRequest(
      url: "\(settings.base)\(path)?" + query.joined(separator: "&"))
    request.headers.add(name: "Accept-Encoding", value: "gzip")
    request.headers.add(name: "User-Agent", value: "tollbook")
    let sent = now()
    let start = ContinuousClock.now
    let outcome = await answer(to: request, within: limit)
    let duration = start.duration(to: .now)
    let call: UpstreamCall<Answer>
    switch outcome {
    case .success(let raw):
      let (bytes, result) = await reader.read(raw, read)
      call = UpstreamCall(
        sentMilliseconds: sent, duration: duration, receivedBytes: bytes,
        isSimulated: raw.isSimulated, result: result)
    case .failure(let failure):
      call = UpstreamCall(
        sentMilliseconds: sent, duration: duration, receivedBytes: 0, isSimulated: false,
        result: .failure(failure))
    }
    return call.mappingFailure { $0.detailed(credential.masking($0.detail)) }
  }

  /// Sends a request and waits for the whole answer, or until the time is up: whatever comes first.
  /// A body that comes to an end because the reading of it was cancelled is never taken for a
  /// complete one.
  private func answer(
    to request: HTTPClientRequest, within limit: Duration
  ) async -> Result<CompleteAnswer, UpstreamFailure> {
    await withTaskGroup(of: Result<CompleteAnswer, UpstreamFailure>.self) { group in
      group.addTask { [http, collecting, settings] in
        do {
          let response = try await http.execute(request, deadline: .distantFuture)
          let share = AnswerBytes.Share(of: collecting)
          return .success(
            CompleteAnswer(
              status: Int(response.status.code),
              body: try await Self.collect(response.body, upTo: settings.maximumBody, share),
              isSimulated: response.headers.first(name: "Tollbook-Upstream") == "simulated",
              share: share))
        } catch {
          return .failure(TransportFailure.classify(error))
        }
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return .failure(TransportFailure.timedOut)
      }
      let first = await group.next() ?? .failure(TransportFailure.cancelled)
      group.cancelAll()
      return Task.isCancelled ? .failure(TransportFailure.cancelled) : first
    }
  }

  private static func collect(
    _ body: HTTPClientResponse.Body, upTo limit: Int, _ share: AnswerBytes.Share
  ) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await part in body {
      let count = part.readableBytes
      guard count <= limit - bytes.count else { throw TransportFailure.tooLong }
      guard share.take(count) else { throw TransportFailure.tooLongTogether }
      bytes.append(contentsOf: part.readableBytesView)
    }
    return bytes
  }

  /// Percent-encodes all but what RFC 3986 calls unreserved, and the comma between ASINs.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ","):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.utf8.count < 2 ? "%0" + digits : "%" + digits
      }
    }
    return result
  }
}

extension UpstreamCall {
  fileprivate func mappingFailure(
    _ transform: (UpstreamFailure) -> UpstreamFailure
  ) -> UpstreamCall {
    UpstreamCall(
      sentMilliseconds: sentMilliseconds, duration: duration, receivedBytes: receivedBytes,
      isSimulated: isSimulated, result: result.mapError(transform))
  }
}

extension UpstreamFailure {
  fileprivate func charged(_ charge: UpstreamCharge) -> UpstreamFailure {
    UpstreamFailure(reason, status: status, detail: detail, charge: charge, reading: reading)
  }

  fileprivate func detailed(_ detail: String) -> UpstreamFailure {
    UpstreamFailure(reason, status: status, detail: detail, charge: charge, reading: reading)
  }
}
