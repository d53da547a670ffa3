private import Synchronization

/// A local stand-in for Binance's spot market data: its wire format, its request weights, its bans and whims.
///
/// It serves what the exchange's host for public data serves. This is the part below HTTP;
/// `BinanceSimulatorServer.swift` puts it on a port.
package final class BinanceSimulator: Sendable {
  /// How it behaves.
  package let configuration: BinanceSimulatorConfiguration

  let market: BinanceMarket

  /// What changes while it runs.
  fileprivate struct State: Sendable {
    /// By address.
    var meters: [String: BinanceMeter] = [:]
    var books = BinanceBooks()
    var faults: BinanceFaults
    var conditions: BinanceConditions
  }

  private let state: Mutex<State>

  /// How many addresses are told apart.
  static let mostAddresses = 4_096

  /// A simulator with empty books, or as configured.
  package init(_ configuration: BinanceSimulatorConfiguration = .init()) {
    self.configuration = configuration
    market = BinanceMarket(
      BinanceListing.symbols(
        seed: configuration.seed, count: configuration.symbols,
        epoch: configuration.epoch ?? configuration.now()))
    state = Mutex(State(faults: configuration.faults, conditions: configuration.conditions))
  }

  // MARK: For tests

  /// What it counted so far.
  package var books: BinanceBooks { state.withLock { $0.books } }

  /// The faults in force; may be set at any time.
  package var faults: BinanceFaults {
    get { state.withLock { $0.faults } }
    set { state.withLock { $0.faults = newValue } }
  }

  /// What is not as usual; may be set at any time.
  package var conditions: BinanceConditions {
    get { state.withLock { $0.conditions } }
    set { state.withLock { $0.conditions = newValue } }
  }

  /// The symbols, in the order of `exchangeInfo`.
  package var symbols: [BinanceSymbol] { market.symbols }

  // MARK: Calls

  /// Answers a call, after the time that it takes.
  ///
  /// - Parameters:
  ///   - method: `GET`; with any other there is nothing at any path
  ///   - path: the path as it stands in the URL, without the query
  ///   - query: the query as it stands in the URL
  ///   - headers: by their names in lower case; `x-mbx-time-unit` and `accept` are looked at
  ///   - address: where the call comes from; each has its own weight
  package func answer(
    method: String = "GET", path: String, query: String = "", headers: [String: String] = [:],
    address: String = "127.0.0.1"
  ) async -> BinanceReply {
    let endpoint = method == "GET" ? BinanceRoute(path: path) : nil
    let read = read(endpoint, query, headers)
    var entry = BinanceBooks.Call(at: 0, address: address, endpoint: endpoint)
    entry.query = String(decoding: query.utf8.prefix(512), as: UTF8.self)
    let admission = admit(read, entry)
    if admission.latency > 0 { await configuration.sleep(admission.latency) }
    var answer = answer(admission, read)
    answer.usedWeight =
      switch admission.fault?.kind {
      case .weightMissing: nil
      case .weightWord: "many"
      default: String(admission.usedWeight)
      }
    return answer
  }

  /// What a call is: one that can be answered, or why not.
  private enum Reading {
    case call(BinanceCall)
    case wrong(BinanceRoute, BinanceError)
    case nothing(acceptsPages: Bool)

    /// What is counted for it; for a path with nothing there it is 1.
    var weight: Int {
      switch self {
      case .call(let call): call.weight
      case .wrong(let endpoint, _): endpoint.leastWeight
      case .nothing: 1
      }
    }
  }

  private func read(
    _ endpoint: BinanceRoute?, _ query: String, _ headers: [String: String]
  ) -> Reading {
    guard let endpoint else {
      return .nothing(acceptsPages: headers["accept"]?.contains("text/html") == true)
    }
    do throws(BinanceError) {
      return .call(
        try BinanceCall(endpoint, query: query, timeUnit: headers["x-mbx-time-unit"], market))
    } catch {
      return .wrong(endpoint, error)
    }
  }

  /// What the meter and the faults say to a call.
  private struct Admission {
    /// The exchange's clock.
    var now: Int64
    var verdict: BinanceMeter.Verdict
    var fault: BinanceFault?
    /// Milliseconds until it is answered.
    var latency = 0
    /// As the header tells it.
    var usedWeight = 0
  }

  /// Decides about a call, counts its weight and writes it down.
  private func admit(_ read: Reading, _ entry: BinanceBooks.Call) -> Admission {
    let machineTime = configuration.now()
    return state.withLock { state in
      let now = state.conditions.exchangeTime(machineTime)
      let foreign = state.conditions.foreignWeight(at: now)
      var meter = state.meters[entry.address] ?? BinanceMeter()
      // A fault that turns a call away strikes only where the call would have been let in.
      var trial = meter
      var admission = Admission(now: now, verdict: verdict(&trial, read.weight, now, foreign))
      if admission.verdict == .admitted, case .call(let call) = read {
        admission.fault = state.faults.strike(call.endpoint)
      }
      var entry = entry
      if admission.fault?.kind.isRefusal == true {
        meter.advance(to: now)
      } else {
        if admission.verdict == .admitted { entry.weight = read.weight }
        meter = trial
      }
      state.remember(meter, of: entry.address, at: now)
      admission.usedWeight = meter.used + foreign
      if admission.verdict == .admitted {
        admission.latency =
          max(0, configuration.latency) + state.faults.addedLatency
          + (admission.fault?.delay ?? 0)
      }
      entry.at = now
      entry.fault = admission.fault?.kind
      entry.usedWeight = admission.usedWeight
      (entry.status, entry.outcome) = ending(admission, read)
      state.books.record(entry)
      return admission
    }
  }

  private func verdict(
    _ meter: inout BinanceMeter, _ weight: Int, _ now: Int64, _ foreign: Int
  ) -> BinanceMeter.Verdict {
    meter.admit(
      weight, at: now, foreign: foreign, limit: configuration.weightLimit,
      refusalsBeforeBan: configuration.refusalsBeforeBan)
  }

  /// How a call ends, for the books.
  private func ending(
    _ admission: Admission, _ read: Reading
  ) -> (status: Int, outcome: BinanceBooks.Outcome) {
    switch admission.verdict {
    case .refused: return (429, .refused)
    case .banned: return (418, .banned)
    case .admitted: break
    }
    switch read {
    case .nothing: return (404, .rejected)
    case .wrong(_, let error): return (error.status, .rejected)
    case .call: break
    }
    switch admission.fault?.kind {
    case .http451: return (451, .rejected)
    case .http403: return (403, .rejected)
    case .http429: return (429, .refused)
    case .http418: return (418, .banned)
    case .http500: return (500, .failed)
    case .http503: return (503, .failed)
    case .timeout, .drop: return (0, .dropped)
    case .cutBody: return (200, .dropped)
    default: return (200, .answered)
    }
  }

  // MARK: Answers

  private func answer(_ admission: Admission, _ read: Reading) -> BinanceReply {
    switch admission.verdict {
    case .refused(let seconds): return refusal(seconds)
    case .banned(let until, let seconds): return ban(until: until, seconds)
    case .admitted: break
    }
    switch read {
    case .nothing(let acceptsPages):
      return acceptsPages
        ? BinanceReply(status: 404, page: "404 Not found") : BinanceReply(status: 404)
    case .wrong(_, let error): return BinanceReply(error)
    case .call(let call): return answer(call, admission)
    }
  }

  private func answer(_ call: BinanceCall, _ admission: Admission) -> BinanceReply {
    switch admission.fault?.kind {
    case .http451: return BinanceReply(.restricted)
    case .http403: return BinanceReply(status: 403, page: "403 Forbidden")
    case .http429:
      let ofMinute = admission.now - admission.now.floorDivided(by: 60_000) * 60_000
      return refusal(Int(max(1, (60_999 - ofMinute) / 1_000)))
    case .http418:
      return ban(
        until: admission.now + BinanceMeter.shortestBan, Int(BinanceMeter.shortestBan / 1_000))
    case .http500: return BinanceReply(.internalError)
    case .http503: return BinanceReply(.overloaded)
    case .timeout, .drop:
      var answer = BinanceReply(status: 0)
      answer.delivery = .withheld
      return answer
    default: break
    }
    // The market goes on while a call takes its time.
    let now = state.withLock { $0.conditions.exchangeTime(configuration.now()) }
    let work = BinanceWork(
      market: market, now: now + (admission.fault?.clockOffset ?? 0),
      weightLimit: configuration.weightLimit, fault: admission.fault?.kind)
    var answer = BinanceReply(json: work.json(call))
    if admission.fault?.kind == .cutBody { answer.delivery = .cut }
    return answer
  }

  private func refusal(_ seconds: Int) -> BinanceReply {
    var answer = BinanceReply(.tooMuchWeight(limit: configuration.weightLimit))
    answer.retryAfter = seconds
    return answer
  }

  private func ban(until: Int64, _ seconds: Int) -> BinanceReply {
    var answer = BinanceReply(.banned(until: until))
    answer.retryAfter = seconds
    return answer
  }
}

extension BinanceSimulator.State {
  /// Keeps the meter of an address. When there are too many addresses, idle ones are forgotten, then all.
  fileprivate mutating func remember(_ meter: BinanceMeter, of address: String, at now: Int64) {
    if meters[address] == nil, meters.count >= BinanceSimulator.mostAddresses {
      meters = meters.filter { !$0.value.isIdle(at: now) }
      if meters.count >= BinanceSimulator.mostAddresses { meters = [:] }
    }
    meters[address] = meter
  }
}
