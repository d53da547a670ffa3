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
    var copies = KeepaCopies()
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
  package func answer(path: String, parameters: [String: String]) async -> KeepaAnswer {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let call = Books.Call(
      number: 0, at: configuration.now(), path: path,
      keySuffix: String((parameters["key"] ?? "").suffix(4)), status: 0, outcome: .rejected,
      fault: nil, asins: [], shares: [], tokens: 0, balance: nil)
    guard path == "/product" || path == "/token" else {
      return reject(call, status: 404, type: "notFound", "There is nothing at this path.")
    }
    let key = parameters["key"] ?? ""
    guard key.utf8.count == 64 else {
      return reject(
        call, status: 400, type: "invalidParameter", "A parameter of the call is not valid.")
    }
    guard configuration.keys.contains(key) else {
      return reject(call, status: 402, type: "unauthorized", "The key has no access.")
    }
    guard path == "/product" else { return token(call, key: key) }
    return await product(call, key: key, parameters: parameters)
  }

  /// Turns a call away before any bucket is looked at: all numbers of the envelope are zero.
  private func reject(
    _ call: Books.Call, status: Int, type: String, _ message: String
  ) -> KeepaAnswer {
    var envelope = KeepaEnvelope(timestamp: configuration.now())
    envelope.error = KeepaEnvelope.Failure(type: type, message: message)
    state.withLock { $0.record(call, status: status, outcome: .rejected) }
    return KeepaAnswer(status: status, body: envelope.json())
  }

  /// Answers `/token`: the envelope, free, at any balance.
  private func token(_ call: Books.Call, key: String) -> KeepaAnswer {
    let envelope = state.withLock { state in
      state.record(call, status: 200, outcome: .answered)
      return state.envelope(of: key, at: configuration.now())
    }
    return KeepaAnswer(status: 200, body: envelope.json())
  }

  /// Answers `/product`: let in by the balance, worked on, charged, answered.
  private func product(
    _ call: Books.Call, key: String, parameters: [String: String]
  ) async -> KeepaAnswer {
    let query: ProductQuery
    let fault: KeepaFault?
    let latency: Int
    switch admit(call, key: key, parameters: parameters) {
    case .turnedAway(let answer): return answer
    case .letIn(let read, let struck, let added):
      query = read
      fault = struck
      latency = configuration.latency + added + (struck?.kind == .latency ? struck?.delay ?? 0 : 0)
    }
    if latency > 0 { await configuration.sleep(latency) }
    let work = state.withLock { $0.work(on: query, call, key: key, fault, configuration) }
    return answer(work, query: query, fault: fault, latency: latency)
  }

  /// What the bucket and the parameters say to a call.
  private enum Admission {
    case turnedAway(KeepaAnswer)
    case letIn(ProductQuery, fault: KeepaFault?, latency: Int)
  }

  private func admit(
    _ call: Books.Call, key: String, parameters: [String: String]
  ) -> Admission {
    let now = configuration.now()
    return state.withLock { state in
      guard state.buckets[key]?.admits(at: now) == true else {
        state.record(call, status: 429, outcome: .refused, key: key)
        return .turnedAway(refusal(state.envelope(of: key, at: now)))
      }
      let query: ProductQuery
      do throws(ProductQuery.Rejection) {
        query = try ProductQuery(parameters: parameters)
      } catch {
        var envelope = state.envelope(of: key, at: now)
        envelope.error = KeepaEnvelope.Failure(
          type: "invalidParameter", message: "A parameter of the call is not valid.",
          details: error.details)
        state.record(call, status: 400, outcome: .rejected, key: key)
        return .turnedAway(KeepaAnswer(status: 400, body: envelope.json()))
      }
      state.books.recordAdmission()
      return .letIn(query, fault: state.faults.strike(), latency: state.faults.latency)
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

  /// A call that was worked on and charged.
  fileprivate struct Work {
    /// One ASIN and the copy that is served for it.
    struct Item {
      let asin: String
      let lastUpdate: Int
      let lastOffers: Int?
      /// Nothing to serve: no shop has it.
      let isUnknown: Bool
    }

    var items: [Item]
    var envelope: KeepaEnvelope
  }

  private func answer(
    _ work: Work, query: ProductQuery, fault: KeepaFault?, latency: Int
  ) -> KeepaAnswer {
    var envelope = work.envelope
    envelope.processingTime = max(1, latency)
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
    case .slowBody, .cutBody, .cutChunks, .missingProduct, .latency, nil: break
    }

    var answer = KeepaAnswer(status: 200, body: body(of: work, envelope, query: query, fault))
    switch fault?.kind {
    case .slowBody: answer.delivery = .stalled(milliseconds: fault?.delay ?? 0)
    case .cutBody: answer.delivery = .cut(announced: true)
    case .cutChunks: answer.delivery = .cut(announced: false)
    default: break
    }
    return answer
  }

  /// The envelope around the products, recorded ones byte for byte.
  private func body(
    of work: Work, _ envelope: KeepaEnvelope, query: ProductQuery, _ fault: KeepaFault?
  ) -> [UInt8] {
    let missing = fault?.kind == .missingProduct ? 1 : 0
    let items = work.items.dropFirst(missing)
    guard items.contains(where: { !$0.isUnknown }) else { return envelope.json() }
    return envelope.json(capacity: 512 + items.count * 80_000) { [configuration] json in
      for item in items {
        if item.isUnknown {
          if configuration.omitsUnknown || query.update == -1 { continue }
          ProductDocument.writeUnknown(asin: item.asin, domain: query.domain, to: &json)
        } else if let recorded = configuration.bodies?.product(asin: item.asin) {
          json.raw(recorded)
        } else {
          ProductDocument(
            asin: item.asin, query: query, lastUpdate: item.lastUpdate, lastOffers: item.lastOffers
          ).write(to: &json)
        }
      }
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
    _ call: Books.Call, status: Int, outcome: Books.Outcome, key: String? = nil
  ) {
    var call = call
    call.status = status
    call.outcome = outcome
    call.balance = key.flatMap { buckets[$0]?.balance }
    books.record(call)
  }

  /// Does the work of a call: refreshes copies, charges, writes down.
  fileprivate mutating func work(
    on query: ProductQuery, _ call: Books.Call, key: String, _ fault: KeepaFault?,
    _ configuration: KeepaSimulatorConfiguration
  ) -> KeepaSimulator.Work {
    let now = configuration.now()
    let minute = KeepaMinutes.containing(milliseconds: now)
    let isCharged = fault?.isCharged ?? true
    var shares: [Int] = []
    var items: [KeepaSimulator.Work.Item] = []
    // What fails before the work has been done refreshes nothing.
    for asin in isCharged || fault?.kind.isCharged == true ? query.asins : [] {
      let isUnknown = ProductDocument.isUnknown(asin: asin)
      guard !isUnknown else {
        shares.append(ProductPrices.tokensForUnknown(query))
        items.append(.init(asin: asin, lastUpdate: 0, lastOffers: nil, isUnknown: true))
        continue
      }
      var ages = copies.ages(asin: asin, domain: query.domain, at: minute)
      if !configuration.discountsFreshOffers { ages.offers = nil }
      let facts = ProductDocument.priceFacts(asin: asin, domain: query.domain)
      shares.append(
        ProductPrices.tokens(
          for: query, ages: ages, offersFound: facts.offers, hasParent: facts.hasParent))
      let lastUpdate = copies.serve(asin: asin, for: query, at: minute)
      items.append(
        .init(
          asin: asin, lastUpdate: lastUpdate,
          lastOffers: copies.lastOffers(asin: asin, domain: query.domain), isUnknown: false))
    }
    let tokens = isCharged ? shares.reduce(0, +) : 0
    buckets[key]?.charge(tokens, at: now)

    var done = call
    done.at = now
    done.asins = query.asins
    done.shares = isCharged ? shares : []
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
      case .slowBody, .missingProduct, .latency, nil: (200, .answered)
      }
    books.record(done)
    return KeepaSimulator.Work(
      items: items, envelope: envelope(of: key, tokensConsumed: tokens, at: now))
  }
}
