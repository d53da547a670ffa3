import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import TollbookEvents

/// An upstream over HTTP: sends a request once, waits for the whole answer, and reads it.
///
/// A paid call goes out at most once. AsyncHTTPClient 1.37 never sends a request again that it has begun to write: on a
/// kept-alive connection that the other side just closed it fails the request (`HTTP1ConnectionStateMachine.runNewRequest`).
/// It does repeat *connecting*, and follows redirects; both are switched off here. Its connection pool speaks HTTP/1.1.
///
/// No logger and no tracer is handed to it: a key may be in the address or in a header.
package final class UpstreamClient: Sendable {
  private let base: BaseURL
  private let settings: Settings
  private let now: @Sendable () -> Int64
  private let http: HTTPClient
  private let collecting: AnswerBytes
  private let reader: AnswerReader

  /// How long to wait, and what an answer may hold at most.
  package struct Settings: Hashable, Sendable {
    /// For the connection, TLS included, and for a free place in the pool.
    package var connectTimeout = Duration.seconds(5)
    /// The longest silence after the request is sent.
    package var silenceTimeout = Duration.seconds(30)
    /// How long a connection is kept without a request. Short, since a request that meets the other side's closing is in
    /// doubt.
    package var keepAlive = Duration.seconds(20)
    /// Where to connect instead of what the name of the upstream stands for; nil: there. The certificate must be for the
    /// upstream's own name all the same, and that name goes out as `Host`.
    package var connectTo: ConnectionPlace?
    /// The longest answer, before and after decompression, in bytes.
    package var maximumBody = 128 << 20
    /// All answers that come in at the same time together, as they come, in bytes.
    package var maximumBodies = 256 << 20

    package init() {}
  }

  /// - Parameter now: the wall clock, in milliseconds since 1970 UTC.
  package init(
    _ base: BaseURL, settings: Settings = Settings(), now: @escaping @Sendable () -> Int64
  ) {
    self.base = base
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
    if let place = settings.connectTo {
      let isIPv6 = base.host.contains(":")
      configuration.dnsOverride = [isIPv6 ? "[\(base.host)]" : base.host: place.host]
    }
    http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Closes all connections. Must be called before the client is given up.
  package func shutdown() async {
    try? await http.shutdown()
  }

  /// Sends a request once.
  ///
  /// - Parameters:
  ///   - limit: the time for everything, from the connection to the last byte.
  ///   - sink: takes each part of an answer with status 200 as it arrives. Such an answer is asked for as it is, without
  ///     compression.
  ///   - reading: what is made of a complete answer.
  package func send<Value>(
    _ request: UpstreamRequest, within limit: Duration,
    partsTo sink: (@Sendable ([UInt8]) async -> Void)? = nil, _ reading: AnswerReading<Value>
  ) async -> UpstreamCall<Value> {
    let sent = now()
    let start = ContinuousClock.now
    let message = request.message(
      to: base, by: settings.connectTo, encoding: sink == nil ? "gzip" : "identity")
    let outcome = await answer(to: message, within: limit, sink)
    let duration = start.duration(to: .now)
    switch outcome {
    case .success(let raw):
      let (bytes, result) = await reader.read(raw, reading)
      return UpstreamCall(
        sentMilliseconds: sent, duration: duration, receivedBytes: bytes,
        isSimulated: raw.headers.contains {
          $0.name.lowercased() == "tollbook-upstream" && $0.value == "simulated"
        }, result: result)
    case .failure(let failure):
      return UpstreamCall(
        sentMilliseconds: sent, duration: duration, receivedBytes: 0, isSimulated: false,
        result: .failure(failure))
    }
  }

  /// Sends a request and waits for the whole answer, or until the time is up: whatever comes first. A body that comes to
  /// an end because the reading of it was cancelled is never taken for a complete one.
  private func answer(
    to request: HTTPClientRequest, within limit: Duration,
    _ sink: (@Sendable ([UInt8]) async -> Void)?
  ) async -> Result<CompleteAnswer, UpstreamFailure> {
    await withTaskGroup(of: Result<CompleteAnswer, UpstreamFailure>.self) { group in
      group.addTask { [http, collecting, settings] in
        do {
          let response = try await http.execute(request, deadline: .distantFuture)
          let share = AnswerBytes.Share(of: collecting)
          return .success(
            CompleteAnswer(
              status: Int(response.status.code),
              headers: response.headers.map { ($0.name, $0.value) },
              body: try await Self.collect(
                response.body, upTo: settings.maximumBody, share,
                response.status == .ok ? sink : nil),
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
    _ body: HTTPClientResponse.Body, upTo limit: Int, _ share: AnswerBytes.Share,
    _ sink: (@Sendable ([UInt8]) async -> Void)?
  ) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await part in body {
      let count = part.readableBytes
      guard count <= limit - bytes.count else { throw TransportFailure.tooLong }
      guard share.take(count) else { throw TransportFailure.tooLongTogether }
      bytes.append(contentsOf: part.readableBytesView)
      if let sink { await sink(Array(part.readableBytesView)) }
    }
    return bytes
  }
}

/// A request, apart from where the upstream is.
package struct UpstreamRequest: Sendable {
  package var method: String
  /// Below the base, with a slash at its beginning.
  package var path: String
  package var query: [(name: String, value: String)]
  package var headers: [(name: String, value: String)]
  /// Nil: none.
  package var body: [UInt8]?

  package init(
    _ path: String, method: String = "GET", query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
  }

  /// The query as it stands in the URL.
  package var encodedQuery: String {
    query.map { "\(Self.escaped($0.name))=\(Self.escaped($0.value))" }.joined(separator: "&")
  }

  fileprivate func message(
    to base: BaseURL, by place: ConnectionPlace?, encoding: String
  ) -> HTTPClientRequest {
    let address = place?.port.map { base.with(port: $0) } ?? "\(base)"
    var request = HTTPClientRequest(
      url: "\(address)\(path)\(query.isEmpty ? "" : "?")\(encodedQuery)")
    request.method = HTTPMethod(rawValue: method)
    // Whoever is connected to by another port is still asked under the upstream's own name.
    if place != nil { request.headers.add(name: "Host", value: base.authority) }
    request.headers.add(name: "Accept-Encoding", value: encoding)
    request.headers.add(name: "User-Agent", value: "tollbook")
    for header in headers { request.headers.add(name: header.name, value: header.value) }
    if let body { request.body = .bytes(body) }
    return request
  }

  /// Percent-encodes all but what RFC 3986 calls unreserved, and the comma, which lists need.
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

/// A complete answer, decompressed.
package struct UpstreamAnswer: Sendable {
  package let status: Int
  package let headers: [(name: String, value: String)]
  package let body: [UInt8]

  package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The first header of a name, in any case.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// What is made of a complete answer.
package struct AnswerReading<Value: Sendable>: Sendable {
  /// Reads it, or says why it is of no use and what it cost.
  package let read: @Sendable (UpstreamAnswer) throws(UpstreamFailure) -> Value
  /// What an answer is that cannot be decompressed or is too long, by its status.
  package let unreadable: @Sendable (_ status: Int, _ why: String) -> UpstreamFailure

  package init(
    unreadable: @escaping @Sendable (_ status: Int, _ why: String) -> UpstreamFailure = {
      UpstreamFailure(.unreadable, status: $0, detail: $1, charge: .unknown)
    },
    _ read: @escaping @Sendable (UpstreamAnswer) throws(UpstreamFailure) -> Value
  ) {
    self.read = read
    self.unreadable = unreadable
  }
}
