import Hummingbird
import JSONText
import TollbookEvents
package import TollbookGateway
import TollbookHTTP

/// Candles that are to be fresh in the cache: what `POST /cache/warm` asks for, and what the log keeps of it.
///
/// Members: `symbols`, 1 to 200 markets in any spelling; `timeframes`, `15m` if left out; `limit_units`, the most weight
/// that it may cost. Of each the newest 500 closed candles are fetched.
struct CandleWarming: Hashable {
  static let mostSymbols = 200
  static let candles: Int64 = 500
  static let names = ["symbols", "timeframes", "limit_units"]

  /// As the exchange writes them.
  var symbols: [String]
  var timeframes: [BinanceInterval]
  /// Candles that ended before are closed, by the exchange's clock; in milliseconds since 1970 UTC.
  var settled: Int64
  var limit: Int64?

  /// What is to be bought, as far as it is not there.
  var demand: ResourceDemand {
    var resources: [ResourceKey] = []
    for symbol in symbols {
      for interval in timeframes {
        let series = CandleSeries(symbol: symbol, interval: interval)
        let open = interval.number(at: settled)
        let first = max(
          interval.number(at: BinanceTime.range.lowerBound), open - Self.candles)
        let blocks =
          CandlePiece.floor(first, CandlePiece.size)...CandlePiece.floor(open - 1, CandlePiece.size)
        resources += blocks.map { CandlePiece.block(series, number: $0).resource }
      }
    }
    return ResourceDemand(BinanceEndpoint.klines.operation, resources, limit: limit).warming
  }

  // MARK: As the log keeps it

  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.array("symbols", symbols) { json, symbol in json.string(symbol) }
      json.array("timeframes", timeframes) { json, interval in json.string(interval.rawValue) }
      json.field("settled_ms", settled)
      if let limit { json.field("limit_units", limit) }
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  init?(_ bytes: [UInt8]) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 3, maximumValues: 4_096).root,
      let symbols = root["symbols"]?.array?.compactMap(\.string), !symbols.isEmpty,
      let names = root["timeframes"]?.array?.compactMap(\.string),
      let settled = root["settled_ms"]?.int64, BinanceTime.range.contains(settled)
    else { return nil }
    self.symbols = symbols
    timeframes = names.compactMap { BinanceInterval(rawValue: $0) }
    self.settled = settled
    limit = root["limit_units"]?.int64
  }

  init(symbols: [String], timeframes: [BinanceInterval], settled: Int64, limit: Int64?) {
    self.symbols = symbols
    self.timeframes = timeframes
    self.settled = settled
    self.limit = limit
  }

  // MARK: As it is asked for

  /// - Parameter resolve: the name of the market that a text means.
  /// - Throws: a `Problem`: a member is wrong, or one of them is no market.
  init(
    _ fields: JSONFields, settled: () -> Int64, resolve: (String) async throws -> String
  ) async throws {
    let spelled = try JSONFields.require(
      fields.strings("symbols", limit: Self.mostSymbols), "symbols",
      "name 1 to \(Self.mostSymbols) markets such as BTC/USDT")
    guard !spelled.isEmpty else {
      throw Problem(.invalidField, "symbols is empty: name a market", field: "symbols")
    }
    let intervals = try fields.strings("timeframes", limit: 16) ?? ["15m"]
    let all = BinanceInterval.allCases.filter { $0 != .threeDays }
    timeframes = []
    for (index, text) in intervals.enumerated() {
      guard let interval = all.first(where: { $0.rawValue == text }) else {
        throw Problem(
          .invalidField,
          "timeframes[\(index)] is “\(text.inOneLine(atMost: 50))”; it must be one of"
            + " \(all.map(\.rawValue).joined(separator: ", "))", field: "timeframes[\(index)]")
      }
      if !timeframes.contains(interval) { timeframes.append(interval) }
    }
    guard !timeframes.isEmpty else {
      throw Problem(
        .invalidField, "timeframes is empty: name one, or leave it out",
        field: "timeframes")
    }
    limit = try fields.integer("limit_units", in: 1 ... .max)
    symbols = []
    for (index, text) in spelled.enumerated() {
      guard (1...MarketQuestion.longestSymbol).contains(text.utf8.count) else {
        throw Problem(
          .invalidField, "symbols[\(index)] is no market", field: "symbols[\(index)]")
      }
      let name: String
      do { name = try await resolve(text) } catch var problem as Problem
        where problem.kind == .unknownSymbol
      {
        problem.field = "symbols[\(index)]"
        throw problem
      }
      if !symbols.contains(name) { symbols.append(name) }
    }
    self.settled = settled()
  }
}

extension PurchaseJobKind {
  /// Candles that are to be fresh in the cache.
  package static let warmBinance = PurchaseJobKind("binance.warm", unit: BinanceUpstream.unit) {
    CandleWarming($0)?.demand
  }
}

extension Warming {
  /// Candles of markets.
  static func candles(_ system: MarketParts) -> Warming {
    Warming(["symbols"], of: CandleWarming.names) { fields, request, context, service in
      let asking = try MarketAsking(service, system, request, context, wait: 10_000)
      func settled() -> Int64 { system.state.settled(at: asking.now) }
      if try HTTPService.isDryRun(request.headers) {
        var demands: [ResourceDemand] = []
        let order = try await CandleWarming(fields, settled: settled) { text in
          let (name, list) = try system.symbols.ahead(text, asking)
          // The list is asked for once.
          if demands.isEmpty { demands = list }
          return name
        }
        var demand = order.demand
        demand.principal = context.principal
        return try service.dryRun(demands + [demand])
      }
      var reading = MarketReading()
      let order = try await CandleWarming(fields, settled: settled) { text in
        try await system.symbols.symbol(text, asking, &reading).name
      }
      var demand = order.demand
      demand.principal = context.principal
      return try await service.queueJob(
        .warmBinance, request: order.bytes, total: demand.resources.count, demand)
    }
  }
}
