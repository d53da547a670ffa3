"""Reckons indicators with the package TA-Lib, to hold others against.

    python talib_series.py CANDLES ANSWER

CANDLES is a file with a JSON object of the arrays "high", "low" and "close", the oldest candle first. ANSWER is the
file that is written: a JSON object with one array for each indicator, as long as those; null where TA-Lib gives none.
"""

import json
import sys

import numpy
import talib

with open(sys.argv[1]) as file:
    candles = json.load(file)
# TA-Lib takes floating-point numbers only.
high, low, close = (numpy.array(candles[name], dtype=float) for name in ("high", "low", "close"))

series = {f"ema{length}": talib.EMA(close, timeperiod=length) for length in (9, 10, 21, 50, 200)}
series["rsi14"] = talib.RSI(close, timeperiod=14)
line, signal, histogram = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
series |= {"macd_line": line, "macd_signal": signal, "macd_histogram": histogram}
upper, middle, lower = talib.BBANDS(close, timeperiod=20, nbdevup=2.0, nbdevdn=2.0, matype=0)
series |= {"bollinger_upper": upper, "bollinger_middle": middle, "bollinger_lower": lower}
series["atr14"] = talib.ATR(high, low, close, timeperiod=14)

answer = {}
for name, values in series.items():
    answer[name] = [float(value) if numpy.isfinite(value) else None for value in values]
with open(sys.argv[2], "w") as file:
    json.dump(answer, file, allow_nan=False)
