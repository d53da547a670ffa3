"""The kind of program that Tollbook's market calls succeed: FastAPI over candles that are cached in memory, with TA-Lib.

Only there to be measured beside Tollbook; see tools/bench.
"""

import json
import sys
import urllib.request

import numpy
import talib
from fastapi import FastAPI

app = FastAPI()
base = sys.argv[1] if len(sys.argv) > 1 else ""
cache = {}


def fetched(path):
    """An answer of the exchange, from the cache if it was asked for before."""
    if path not in cache:
        with urllib.request.urlopen(f"{base}/api/v3/{path}") as answer:
            cache[path] = json.load(answer)
    return cache[path]


@app.get("/comprehensive_analysis")
def analysis(symbol: str, timeframe: str = "15m", limit: int = 500):
    rows = fetched(f"klines?symbol={symbol}&interval={timeframe}&limit={limit}")
    ticker = fetched(f"ticker/24hr?symbol={symbol}")
    columns = numpy.array([[float(number) for number in row[:11]] for row in rows]).T
    high, low, close, volume = columns[2], columns[3], columns[4], columns[5]
    last = lambda values: None if numpy.isnan(values[-1]) else float(values[-1])
    line, signal, histogram = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    before = volume[-21:-1]
    return {
        "success": True, "symbol": symbol, "timeframe": timeframe,
        "data": {
            "price": {"last": ticker["lastPrice"], "volume": ticker["volume"]},
            "indicators": {
                "ema": {str(n): last(talib.EMA(close, n)) for n in (9, 21, 50, 200)},
                "rsi": {"14": last(talib.RSI(close, 14))},
                "macd": {"line": last(line), "signal": last(signal), "histogram": last(histogram)},
                "bollinger": {"upper": last(upper), "middle": last(middle), "lower": last(lower)},
                "atr": {"14": last(talib.ATR(high, low, close, 14))},
            },
            "volume": {
                "relative": float(volume[-1] / before.mean()),
                "z_score": float((volume[-1] - before.mean()) / before.std()),
            },
            "cvd": {"base": float((2 * columns[9] - volume).sum())},
        },
    }


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
