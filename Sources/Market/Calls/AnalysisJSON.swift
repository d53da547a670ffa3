import JSONText

extension BinanceTicker {
  /// Writes what the calls tell of 24 hours: the exchange's own texts.
  func write(to json: inout JSONWriter) {
    json.field("last", last.text)
    json.field("change", change?.price.text)
    json.field("change_percent", change?.percent.text)
    json.field("high", high.text)
    json.field("low", low.text)
    json.field("volume", volume.text)
    json.field("quote_volume", quoteVolume.text)
    json.field("bid", quotes?.bid?.text)
    json.field("ask", quotes?.ask?.text)
  }
}

extension Analysis {
  /// Writes its members; null is what cannot be told of so few candles.
  func write(to json: inout JSONWriter) {
    json.object("indicators") { json in
      json.object("ema") { json in
        json.field("9", ema9)
        json.field("21", ema21)
        json.field("50", ema50)
        json.field("200", ema200)
      }
      json.object("rsi") { json in json.field("14", rsi14) }
      json.object("macd") { json in
        json.field("line", macd?.line)
        json.field("signal", macd?.signal)
        json.field("histogram", macd?.histogram)
      }
      json.object("bollinger") { json in
        json.field("upper", bollinger?.upper)
        json.field("middle", bollinger?.middle)
        json.field("lower", bollinger?.lower)
        json.field("percent_b", bollinger?.percentB)
        json.field("width", bollinger?.width)
      }
      json.object("atr") { json in
        json.field("14", atr?.range)
        json.field("percent", atr?.percent)
      }
      json.field("vwap", vwap)
    }
    json.object("trend") { json in
      json.field("direction", trend?.direction.rawValue)
      json.field("rule", trend?.rule)
    }
    json.object("levels") { json in
      json.array("support", levels.support) { json, level in json.value(level.price) }
      json.array("resistance", levels.resistance) { json, level in json.value(level.price) }
      json.field("rule", SupportAndResistance.rule)
    }
    json.object("volume") { json in
      json.field("relative", volume.relative)
      json.field("z_score", volume.zScore)
      json.field("window", volume.window)
      json.field("is_spike", volume.isSpike)
    }
    json.object("cvd") { json in
      json.field("base", cvd?.base)
      json.field("quote", cvd?.quote)
    }
  }
}
