"""Makes calls of the PyPI client `ccxt`, as it is, and prints what came of each: one JSON object a line.

    python ccxt_calls.py TOLLBOOK DIRECT SIMULATOR sync|async

Each call is made twice over: through TOLLBOOK, and of DIRECT, another simulator of the same market, which stands for the
exchange. What does not move must be equal; what moves is asked of DIRECT before and after, and must be equal where the two
agree. SIMULATOR is the one behind TOLLBOOK: faults are set there. All that changes for the client is one address.
"""

import asyncio
import inspect
import json
import sys
import time
import urllib.request

import ccxt
import ccxt.async_support

TOLLBOOK, DIRECT, SIMULATOR, MODE = sys.argv[1:5]
PAIRS = [
    "BNB/ETH", "TUSD/USDT", "BTC/BRL", "BNB/BTC", "BTC/EUR", "BTC/TRY", "DOT/USDT", "EUR/USDT", "LINK/USDT", "LTC/USDT",
    "TRX/USDT", "ETH/BTC", "SHIB/USDT", "AVAX/USDT", "ADA/USDT", "DOGE/USDT", "XRP/USDT", "BNB/USDT", "SOL/USDT",
    "ETH/USDT", "BTC/USDT",
]
HOUR = 3_600_000


def client(base, **options):
    kind = ccxt.async_support.binance if MODE == "async" else ccxt.binance
    return kind({
        "urls": {"api": {"public": base + "/api/v3"}},
        "options": {"fetchMarkets": {"types": ["spot"]}},
        **options,
    })


led, exchange = client(TOLLBOOK + "/binance"), client(DIRECT, enableRateLimit=False)


async def of(who, name, *arguments, **named):
    value = getattr(who, name)(*arguments, **named)
    return await value if inspect.isawaitable(value) else value


def told(name):
    """A header of the last answer, by its name in any case."""
    headers = {key.lower(): value for key, value in (led.last_response_headers or {}).items()}
    return headers.get(name.lower())


def tell(name, ok, **value):
    print(json.dumps({"call": name, "ok": bool(ok), "charge": told("Tollbook-Charge"), **value}), flush=True)


def still(value):
    """The same without the instants at which it was told."""
    if isinstance(value, dict):
        moving = {"timestamp", "datetime", "nonce", "openTime", "closeTime", "serverTime"}
        return {key: still(part) for key, part in value.items() if key not in moving}
    return [still(part) for part in value] if isinstance(value, list) else value


def shape(value):
    """Names and kinds of what is there, of a list those of the first."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value[:1]]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


async def same(name, method, *arguments, **named):
    """A call whose answer never changes."""
    own, other = await of(led, method, *arguments, **named), await of(exchange, method, *arguments, **named)
    tell(name, own == other and len(own) > 0, count=len(own))
    return own


async def agrees(name, method, choices, **named):
    """A call whose answer moves: that of the first choice during which nothing moved."""
    for choice in choices:
        before = await of(exchange, method, *choice, **named)
        own = await of(led, method, *choice, **named)
        after = await of(exchange, method, *choice, **named)
        if still(before) == still(after):
            return tell(name, still(own) == still(after) and shape(own) == shape(after), of=str(choice))
    tell(name, False, error="everything moved")


async def alike(name, method, *arguments, **named):
    """A call about so much that something always moves: its names and kinds."""
    own, other = await of(led, method, *arguments, **named), await of(exchange, method, *arguments, **named)
    tell(name, own.keys() == other.keys() and shape(own) == shape(other), count=len(own))


async def closed(name, *arguments, **named):
    """Candles, of which those that have closed never change."""
    interval, pair = 60_000, "LTC/USDT"
    own = await of(led, "fetch_ohlcv", pair, "1m", *arguments, **named)
    other = await of(exchange, "fetch_ohlcv", pair, "1m", *arguments, **named)
    end = time.time() * 1000 - interval - 10_000
    one, two = ([row for row in rows if row[0] < end] for rows in (own, other))
    # A minute may have begun between the two.
    shared = {row[0] for row in one} & {row[0] for row in two}
    one, two = ([row for row in rows if row[0] in shared] for rows in (one, two))
    tell(name, one == two and len(one) > 0 and abs(len(own) - len(other)) <= 1, count=len(own))


async def refused(name, error, method, *arguments, asked=True):
    """A call that ends with an error of just this class; asked: whether Tollbook was asked at all."""
    led.last_response_headers = None
    try:
        await of(led, method, *arguments)
        return tell(name, False, error="no error")
    except ccxt.BaseError as caught:
        right = type(caught) is error and (led.last_response_headers is not None) == asked
        tell(name, right, error=f"{type(caught).__name__}: {caught}", retry_after=told("Retry-After"))


def fault(kind, count):
    rules = json.dumps({"rules": [{"kind": kind, "next": count}]}).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{SIMULATOR}/_simulator/faults", rules, headers)).read()


async def run():
    markets = await of(led, "load_markets")
    tell("load_markets", markets == await of(exchange, "load_markets"), count=len(markets))
    singles = [(pair,) for pair in PAIRS]
    # From the other end: what was asked for one by one is known for two seconds.
    threes = [(PAIRS[at - 3:at],) for at in range(len(PAIRS), 0, -3)]
    await agrees("fetch_ticker", "fetch_ticker", singles)
    await agrees("fetch_ticker of a rolling window", "fetch_ticker", singles, params={"rolling": True})
    await agrees("fetch_tickers of three", "fetch_tickers", threes)
    await alike("fetch_tickers", "fetch_tickers")
    await agrees("fetch_last_prices of three", "fetch_last_prices", threes)
    await alike("fetch_last_prices", "fetch_last_prices")
    await agrees("fetch_bids_asks of three", "fetch_bids_asks", threes)
    await alike("fetch_bids_asks", "fetch_bids_asks")
    await agrees("fetch_order_book", "fetch_order_book", singles)
    await agrees("fetch_order_book of five", "fetch_order_book", [(pair, 5) for pair in PAIRS])
    await agrees("fetch_trades", "fetch_trades", singles)
    await agrees("fetch_trades one by one", "fetch_trades", singles, params={"fetchTradesMethod": "publicGetTrades"})

    now = int(time.time() * 1000)
    # Candles are kept by the hundred.
    since = (now // (100 * HOUR) - 11) * 100 * HOUR
    await same("fetch_trades of an hour", "fetch_trades", "BTC/USDT", since=since, limit=100)
    for turn in ["first", "second"]:
        name = f"{turn}: fetch_ohlcv"
        await same(f"{name} of 1,000 hours", "fetch_ohlcv", "BTC/USDT", "1h", since=since, limit=1_000)
        await same(f"{name} within them", "fetch_ohlcv", "BTC/USDT", "1h", since=since + 100 * HOUR, limit=20)
    await same("fetch_ohlcv of days", "fetch_ohlcv", "ETH/USDT", "1d", since=since, limit=30)
    await same("fetch_ohlcv of months", "fetch_ohlcv", "ETH/USDT", "1M", since=since - 4_000 * HOUR, limit=3)
    await closed("fetch_ohlcv of the newest")
    await closed("fetch_ohlcv of the newest ten", limit=10)
    await closed("fetch_ohlcv up to now", since=now - 20 * 60_000)
    raw = {"symbol": "BTCUSDT", "interval": "1h", "startTime": since, "limit": 50}
    rows = await same("publicGetKlines", "publicGetKlines", raw)
    await same("publicGetUiKlines", "publicGetUiKlines", raw)
    tell("volume delta of candles", all(len(row) == 12 and 0 <= float(row[9]) <= float(row[5]) for row in rows))

    before = await of(exchange, "fetch_time")
    between = await of(led, "fetch_time")
    tell("fetch_time", before <= between <= await of(exchange, "fetch_time"))
    tell("publicGetPing", await of(led, "publicGetPing") == {})

    await refused("a symbol that there is not", ccxt.BadSymbol, "fetch_ticker", "NO/PE", asked=False)
    await refused(
        "a symbol that the exchange does not have", ccxt.BadSymbol, "publicGetKlines", {"symbol": "NOPEUSDT", "interval": "1h"})
    await refused("an interval that there is not", ccxt.BadRequest, "fetch_ohlcv", "BTC/USDT", "7m")
    await refused("a limit that there is not", ccxt.BadRequest, "fetch_ohlcv", "BTC/USDT", "1h", None, 0)

    fault("http500", 1)
    book = await of(led, "fetch_order_book", "LTC/USDT", 7)
    tell("an error of the exchange's, tried again", len(book["bids"]) == 7)
    fault("http418", 1)
    await refused("a ban", ccxt.DDoSProtection, "fetch_order_book", "LTC/USDT", 8)
    await refused("in the ban", ccxt.DDoSProtection, "fetch_order_book", "LTC/USDT", 9)
    await same("in the ban, what is known", "fetch_ohlcv", "BTC/USDT", "1h", since=since, limit=1_000)


async def run_and_close():
    try:
        await run()
    finally:
        if MODE == "async":
            await led.close()
            await exchange.close()


asyncio.run(run_and_close())
