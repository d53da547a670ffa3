import JSONText

/// Writes the body of `exchangeInfo`.
struct BinanceExchangeInfo: Sendable {
  let symbols: [BinanceSymbol]
  /// Request weight of a minute.
  let weightLimit: Int
  let showsPermissions: Bool
  /// In the unit of the answer.
  let serverTime: Int64

  /// The permissions that a symbol has. Every symbol has the same ones.
  static let permissions = ["SPOT", "MARGIN"]

  func json() -> [UInt8] {
    var json = JSONWriter(capacity: 1_024 + 1_024 * symbols.count)
    json.object { json in
      json.field("timezone", "UTC")
      json.field("serverTime", serverTime)
      json.array("rateLimits") { json in
        writeLimit("REQUEST_WEIGHT", minutes: 1, weightLimit, to: &json)
        writeLimit("RAW_REQUESTS", minutes: 5, 300_000, to: &json)
      }
      json.array("exchangeFilters") { _ in }
      json.array("symbols", symbols) { json, symbol in write(symbol, to: &json) }
    }
    return json.bytes
  }

  private func writeLimit(_ type: String, minutes: Int, _ limit: Int, to json: inout JSONWriter) {
    json.object { json in
      json.field("rateLimitType", type)
      json.field("interval", "MINUTE")
      json.field("intervalNum", minutes)
      json.field("limit", limit)
    }
  }

  private func write(_ symbol: BinanceSymbol, to json: inout JSONWriter) {
    json.object { json in
      json.field("symbol", symbol.name)
      json.field("status", symbol.status.rawValue)
      json.field("baseAsset", symbol.base)
      json.field("baseAssetPrecision", 8)
      json.field("quoteAsset", symbol.quote)
      for name in [
        "quotePrecision", "quoteAssetPrecision", "baseCommissionPrecision",
        "quoteCommissionPrecision",
      ] {
        json.field(name, 8)
      }
      json.array("orderTypes", ["LIMIT", "LIMIT_MAKER", "MARKET"])
      for name in [
        "icebergAllowed", "ocoAllowed", "otoAllowed", "opoAllowed", "quoteOrderQtyMarketAllowed",
        "allowTrailingStop", "cancelReplaceAllowed", "amendAllowed", "pegInstructionsAllowed",
        "isSpotTradingAllowed", "isMarginTradingAllowed",
      ] {
        json.field(name, true)
      }
      writeFilters(symbol, to: &json)
      json.array("permissions", [String]())
      json.array("permissionSets") { json in
        if showsPermissions { json.array(Self.permissions) }
      }
      json.field("defaultSelfTradePreventionMode", "EXPIRE_MAKER")
      json.array(
        "allowedSelfTradePreventionModes", ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"])
    }
  }

  private func writeFilters(_ symbol: BinanceSymbol, to json: inout JSONWriter) {
    json.array("filters") { json in
      json.object { json in
        json.field("filterType", "PRICE_FILTER")
        json.decimal("minPrice", Int64(1), symbol.priceDecimals)
        json.decimal("maxPrice", symbol.middle * 100, symbol.priceDecimals)
        json.decimal("tickSize", Int64(1), symbol.priceDecimals)
      }
      json.object { json in
        json.field("filterType", "LOT_SIZE")
        json.decimal("minQty", Int64(1), symbol.quantityDecimals)
        json.decimal("maxQty", symbol.unit * 1_000, symbol.quantityDecimals)
        json.decimal("stepSize", Int64(1), symbol.quantityDecimals)
      }
    }
  }
}
