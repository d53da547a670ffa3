import TollbookEvents
package import TollbookGateway
package import TollbookUpstreams

/// Keepa over HTTP, with one key, which is in the address.
package final class KeepaClient: KeepaAPI, CustomStringConvertible, CustomReflectable {
  private let credential: UpstreamCredential
  private let settings: Settings
  private let client: UpstreamClient

  /// Where Keepa is, how long to wait for it, and what an answer may hold.
  package struct Settings: Hashable, Sendable {
    package var base: BaseURL
    /// The first byte may come as late as a call may take: calls with offers take 20 s and more (fact sheet, section 1).
    package var client = UpstreamClient.Settings()
    package var maximumValues = KeepaLimits.values

    package init(base: BaseURL) {
      self.base = base
      client.silenceTimeout = .milliseconds(KeepaUpstream.callLimit)
      client.maximumBody = KeepaLimits.body
      client.maximumBodies = KeepaLimits.bodies
    }
  }

  /// - Parameter now: the wall clock, in milliseconds since 1970 UTC.
  package init(
    credential: UpstreamCredential, settings: Settings,
    now: @escaping @Sendable () -> Int64
  ) {
    self.credential = credential
    self.settings = settings
    client = UpstreamClient(settings.base, settings: settings.client, now: now)
  }

  private init(_ credential: UpstreamCredential, like other: KeepaClient) {
    self.credential = credential
    settings = other.settings
    client = other.client
  }

  /// Over the same connections.
  package func with(_ lease: CredentialLease) -> (any KeepaAPI)? {
    KeepaClient(UpstreamCredential(id: lease.id, key: lease.secret), like: self)
  }

  package var description: String { "Keepa client of \(credential.id) at \(settings.base)" }

  /// Shows nothing of the connections to `dump`: their requests hold the key.
  package var customMirror: Mirror { Mirror(self, children: ["credential": credential]) }

  /// Closes all connections. Must be called before the client is given up.
  package func shutdown() async {
    await client.shutdown()
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

  package func call(
    _ call: KeepaCall, within limit: Duration
  ) async -> UpstreamCall<KeepaCallAnswer> {
    await self.call(call.path, call.query, body: call.body, within: limit) {
      [settings] status, body throws(UpstreamFailure) in
      call.isPicture
        ? try KeepaCallAnswer.readPicture(status: status, body: body)
        : try KeepaCallAnswer.read(
          status: status, body: body, maximumValues: settings.maximumValues)
    }
  }

  private func call<Answer>(
    _ path: String, _ parameters: [(name: String, value: String)], body: [UInt8] = [],
    within limit: Duration,
    read: @escaping @Sendable (Int, [UInt8]) throws(UpstreamFailure) -> Answer
  ) async -> UpstreamCall<Answer> {
    var request = UpstreamRequest(path, query: [("key", credential.key)] + parameters)
    if !body.isEmpty {
      request.method = "POST"
      request.headers = [("Content-Type", "application/json")]
      request.body = body
    }
    let reading = AnswerReading(unreadable: KeepaAnswer.withoutEnvelope) {
      answer throws(UpstreamFailure) in try read(answer.status, answer.body)
    }
    return await client.send(request, within: limit, reading).mappingFailure {
      $0.detailed(credential.masking($0.detail))
    }
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
