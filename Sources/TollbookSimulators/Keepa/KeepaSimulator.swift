private import Synchronization

/// A local stand-in for api.keepa.com: its token buckets, prices, products and whims.
///
/// This is the part below HTTP; `KeepaSimulatorServer.swift` puts it on a port.
package final class KeepaSimulator: Sendable {
  /// A key that the default configuration knows. Sixty-four characters, and plainly no secret.
  package static let sampleKey = sampleKey(0)

  /// More such keys, one per number from 0 to 9999.
  package static func sampleKey(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "simulated", count: 6) + "-key-0"
      + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// How it behaves.
  package let configuration: KeepaSimulatorConfiguration

  /// What changes while it runs.
  fileprivate struct State: Sendable {
    var buckets: [String: TokenBucket]
    var world = KeepaWorld()
    var books = Books()
    var faults: KeepaFaults
  }

  private let state: Mutex<State>

  /// A simulator with full books, or as configured.
  package init(_ configuration: KeepaSimulatorConfiguration = .init()) {
    self.configuration = configuration
    let now = configuration.now()
    let balance = configuration.balance ?? 60 * configuration.refillRate
    let bucket = TokenBucket(rate: configuration.refillRate, balance: balance, at: now)
    state = Mutex(
      State(
        buckets: Dictionary(uniqueKeysWithValues: configuration.keys.map { ($0, bucket) }),
        faults: configuration.faults))
  }

  // MARK: For tests

  /// What it charged so far.
  package var books: Books {
    state.withLock { $0.books }
  }

  /// The faults in force; may be set at any time.
  package var faults: KeepaFaults {
    get { state.withLock { $0.faults } }
    set { state.withLock { $0.faults = newValue } }
  }

  /// The bucket of a key now; nil if the key is unknown.
  package func bucket(of key: String = KeepaSimulator.sampleKey) -> TokenBucket? {
    state.withLock { state in
      state.buckets[key]?.advance(to: configuration.now())
      return state.buckets[key]
    }
  }

  /// Puts the balance of a key where a test wants it.
  package func setBalance(_ balance: Int, of key: String = KeepaSimulator.sampleKey) {
    state.withLock { $0.buckets[key]?.set(balance: balance, at: configuration.now()) }
  }

  // MARK: Calls

  /// Answers a call, after the time that it takes.
  ///
  /// - Parameters:
  ///   - path: the path without the query; a slash at the end makes no difference
  ///   - parameters: the query, percent-decoded
  ///   - body: what was posted
  package func answer(
    path: String, parameters: [String: String], body: [UInt8] = []
  ) async -> KeepaAnswer {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let key = parameters["key"] ?? ""
    let entry = Books.Call(
      number: 0, at: configuration.now(), path: path, keySuffix: String(key.suffix(4)), status: 0,
      outcome: .rejected, fault: nil, asins: [], shares: [], tokens: 0, balance: nil)
    guard let endpoint = KeepaEndpoint(path: path) else {
      return reject(entry, status: 404, type: "notFound", "There is nothing at this path.")
    }
    guard key.utf8.count == 64 else {
      return reject(
        entry, status: 400, type: "invalidParameter", "A parameter of the call is not valid.")
    }
    guard configuration.keys.contains(key) else {
      return reject(entry, status: 402, type: "unauthorized", "The key has no access.")
    }
    guard endpoint != .token else { return token(entry, key: key) }
    return await execute(
      endpoint, KeepaParameters(parameters, body: body), entry, key: key)
  }

  /// Turns a call away before any bucket is looked at: all numbers of the envelope are zero.
  private func reject(
    _ entry: Books.Call, status: Int, type: String, _ message: String
  ) -> KeepaAnswer {
    var envelope = KeepaEnvelope(timestamp: configuration.now())
    envelope.error = KeepaEnvelope.Failure(type: type, message: message)
    state.withLock { $0.record(entry, status: status, outcome: .rejected) }
    return KeepaAnswer(status: status, body: envelope.json())
  }

  /// Answers `/token`: the envelope, free, at any balance.
  private func token(_ entry: Books.Call, key: String) -> KeepaAnswer {
    let envelope = state.withLock { state in
      state.record(entry, status: 200, outcome: .answered)
      return state.envelope(of: key, at: configuration.now())
    }
    return KeepaAnswer(status: 200, body: envelope.json())
  }

  /// Answers all other calls: let in by the balance, worked on, charged, answered.
  private func execute(
    _ endpoint: KeepaEndpoint, _ parameters: KeepaParameters, _ entry: Books.Call, key: String
  ) async -> KeepaAnswer {
    let call: any KeepaCall
    let fault: KeepaFault?
    let latency: Int
    switch admit(endpoint, parameters, entry, key: key) {
    case .turnedAway(let answer): return answer
    case .letIn(let read, let struck, let added):
      call = read
      fault = struck
      latency = configuration.latency + added + (struck?.kind == .latency ? struck?.delay ?? 0 : 0)
    }
    if latency > 0 { await configuration.sleep(latency) }
    var (work, envelope) = state.withLock {
      $0.work(on: call, entry, key: key, fault, configuration)
    }
    envelope.processingTime = max(1, latency)
    return answer(work, envelope, fault)
  }

  /// What the bucket and the parameters say to a call.
  private enum Admission {
    case turnedAway(KeepaAnswer)
    case letIn(any KeepaCall, fault: KeepaFault?, latency: Int)
  }

  private func admit(
    _ endpoint: KeepaEndpoint, _ parameters: KeepaParameters, _ entry: Books.Call, key: String
  ) -> Admission {
    let now = configuration.now()
    return state.withLock { state in
      guard state.buckets[key]?.admits(at: now) == true else {
        state.record(entry, status: 429, outcome: .refused, key: key)
        return .turnedAway(refusal(state.envelope(of: key, at: now)))
      }
      let call: any KeepaCall
      do throws(KeepaRejection) {
        call = try endpoint.call(parameters)
      } catch {
        var envelope = state.envelope(of: key, at: now)
        envelope.error = KeepaEnvelope.Failure(
          type: "invalidParameter", message: "A parameter of the call is not valid.",
          details: error.details)
        state.record(entry, status: 400, outcome: .rejected, key: key)
        return .turnedAway(KeepaAnswer(status: 400, body: envelope.json()))
      }
      state.books.recordAdmission()
      return .letIn(
        call, fault: state.faults.strike(entry.path), latency: state.faults.addedLatency)
    }
  }

  private func refusal(_ envelope: KeepaEnvelope) -> KeepaAnswer {
    var envelope = envelope
    if configuration.explainsRefusals {
      envelope.error = KeepaEnvelope.Failure(
        type: "notEnoughTokens", message: "The key has too few tokens left for the call.")
    }
    return KeepaAnswer(status: 429, body: envelope.json())
  }

  private func answer(
    _ work: KeepaWork, _ envelope: KeepaEnvelope, _ fault: KeepaFault?
  ) -> KeepaAnswer {
    var envelope = envelope
    switch fault?.kind {
    case .http500:
      envelope.error = KeepaEnvelope.Failure(
        type: "internalServerError", message: "The call failed on the server.")
      return KeepaAnswer(status: 500, body: envelope.json())
    case .http503: return KeepaAnswer(status: 503, page: "503 Service Unavailable")
    case .http429: return refusal(envelope)
    case .error200:
      envelope.error = KeepaEnvelope.Failure(
        type: "invalidParameter", message: "A parameter of the call is not valid.")
      return KeepaAnswer(status: 200, body: envelope.json())
    case .html200: return KeepaAnswer(status: 200, page: "Down for maintenance")
    case .drop:
      var answer = KeepaAnswer(status: 0, body: [])
      answer.delivery = .withheld
      return answer
    case .slowBody, .cutBody, .cutChunks, .missingProduct, .latency, .notPNG, nil: break
    }

    var answer = answer(work.payload, envelope)
    switch fault?.kind {
    case .slowBody: answer.delivery = .stalled(milliseconds: fault?.delay ?? 0)
    case .cutBody: answer.delivery = .cut(announced: true)
    case .cutChunks: answer.delivery = .cut(announced: false)
    case .notPNG where answer.content == .png: answer.body = Array("This is no picture.\n".utf8)
    default: break
    }
    return answer
  }

  private func answer(_ payload: KeepaWork.Payload, _ envelope: KeepaEnvelope) -> KeepaAnswer {
    switch payload {
    case .none: KeepaAnswer(status: 200, body: envelope.json())
    case .members(let capacity, let write):
      KeepaAnswer(status: 200, body: envelope.json(capacity: capacity, members: write))
    case .image(let graph, let minute): KeepaAnswer(png: graph.image(at: minute).encoded())
    }
  }
}

extension KeepaSimulator.State {
  /// The envelope that a key's bucket gives now.
  fileprivate mutating func envelope(
    of key: String, tokensConsumed: Int = 0, at now: Int64
  ) -> KeepaEnvelope {
    guard var bucket = buckets[key] else { return KeepaEnvelope(timestamp: now) }
    let envelope = KeepaEnvelope(bucket: &bucket, tokensConsumed: tokensConsumed, at: now)
    buckets[key] = bucket
    return envelope
  }

  /// Writes down a call that cost nothing.
  fileprivate mutating func record(
    _ entry: Books.Call, status: Int, outcome: Books.Outcome, key: String? = nil
  ) {
    var entry = entry
    entry.status = status
    entry.outcome = outcome
    entry.balance = key.flatMap { buckets[$0]?.balance }
    books.record(entry)
  }

  /// Does the work of a call, charges, writes down.
  fileprivate mutating func work(
    on call: any KeepaCall, _ entry: Books.Call, key: String, _ fault: KeepaFault?,
    _ configuration: KeepaSimulatorConfiguration
  ) -> (KeepaWork, KeepaEnvelope) {
    let now = configuration.now()
    let isCharged = fault?.isCharged ?? true
    let moment = KeepaMoment(
      now: now, key: key, configuration: configuration,
      leavesOutFirst: fault?.kind == .missingProduct)
    // What fails before the work has been done changes nothing.
    let work =
      isCharged || fault?.kind.isCharged == true
      ? call.work(in: &world, moment) : KeepaWork(tokens: 0)
    let tokens = isCharged ? work.tokens : 0
    buckets[key]?.charge(tokens, at: now)
    if let reduction = work.flowReduction {
      buckets[key]?.set(flowReduction: reduction, at: now)
    }

    var done = entry
    done.at = now
    done.asins = work.asins
    done.shares = isCharged ? work.shares : []
    done.tokens = tokens
    done.fault = fault?.kind
    done.balance = buckets[key]?.balance
    (done.status, done.outcome) =
      switch fault?.kind {
      case .http500: (500, .failed)
      case .http503: (503, .failed)
      case .http429: (429, .refused)
      case .error200, .html200: (200, .failed)
      case .drop: (0, .dropped)
      case .cutBody, .cutChunks: (200, .dropped)
      case .slowBody, .missingProduct, .latency, .notPNG, nil: (200, .answered)
      }
    books.record(done)
    return (work, envelope(of: key, tokensConsumed: tokens, at: now))
  }
}
