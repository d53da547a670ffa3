"""What market data costs: analyses and prices that are there, and many who ask for the same at once.

Binance is simulated in a process of its own, but for the day that is played with no socket in between.
"""

import http.client
import json
import os
import re
import subprocess
import sys

from bench_world import Server, allow_sockets, crowd, free_port, grouped, request, table

WARM, LONG = 2, 6  # seconds
CONNECTIONS = 32


def rate(url, seconds=LONG, connections=CONNECTIONS, *arguments):
    """Requests a second, and the latency of the slowest in a hundred, in milliseconds."""
    for length in (WARM, seconds):
        result = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{length}s", "--latency", *arguments, url],
            capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in result:
            sys.exit(f"wrk saw errors from {url}:\n{result}")
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", result)
    factor = {"us": 0.001, "ms": 1, "s": 1_000}[slow.group(2)]
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", result).group(1)),
            float(slow.group(1)) * factor)


def bench_market(binaries, folder, python):
    """Market data: warm analyses and prices, and one cold key that a thousand ask for.

    python: an interpreter with FastAPI and TA-Lib.
    """
    exchange_port = free_port()
    exchange = Server(
        [f"{binaries}/tollbook", "simulate", "binance", "--port", str(exchange_port)],
        exchange_port, "/_simulator/books")
    port = free_port()
    tollbook = Server(
        [f"{binaries}/tollbook", "serve", "--simulate", "--port", str(port), "--data-dir",
         os.path.join(folder, "market"), "--binance-simulator",
         f"http://127.0.0.1:{exchange_port}"], port, "/health")
    reference_port = free_port()
    reference = Server(
        [python, os.path.join(os.path.dirname(__file__), "predecessor_market.py"),
         f"http://127.0.0.1:{exchange_port}", str(reference_port)],
        reference_port, "/comprehensive_analysis?symbol=BTCUSDT")
    asin = "B000000001"
    status, _ = request(
        port, "POST", "/keepa/batch-analyze", json.dumps({"asinList": [asin]}).encode())
    assert status == 200, status

    question = "/comprehensive_analysis?symbol=BTCUSDT"
    ours, slow = rate(f"http://127.0.0.1:{port}{question}")
    # A client that is alone takes its turns; with two the load is about half.
    _, half = rate(f"http://127.0.0.1:{port}{question}", LONG, 1)
    theirs, their_slow = rate(f"http://127.0.0.1:{reference_port}{question}")
    price, _ = rate(f"http://127.0.0.1:{port}/price?symbol=BTCUSDT")
    product, _ = rate(f"http://127.0.0.1:{port}/keepa/products/1/{asin}")
    table(
        f"Market calls that are answered from the cache, wrk with {CONNECTIONS} connections",
        [
            ("/comprehensive_analysis, 500 candles", f"{grouped(ours)}/s",
             f"p99 {slow:.1f} ms"),
            ("the same by one connection, p99", f"{half:.2f} ms", "limit: 5 ms"),
            ("FastAPI and TA-Lib, its candles in memory", f"{grouped(theirs)}/s",
             f"Tollbook {ours / theirs:.1f} ×, limit: 10; p99 {their_slow:.1f} ms"),
            ("/price", f"{grouped(price)}/s",
             f"{price / product:.2f} × a stored product, limit: 0.90"),
        ])
    for server in (reference, tollbook, exchange):
        server.stop()
    bench_one_cold_key(binaries, folder)
    # They say themselves if they miss their limits.
    subprocess.run([f"{binaries}/tollbook-bench", "market-trace"], check=False)
    subprocess.run([f"{binaries}/tollbook-bench", "reads"], check=False)


def calls(exchange_port, endpoint):
    connection = http.client.HTTPConnection("127.0.0.1", exchange_port, timeout=30)
    connection.request("GET", "/_simulator/books")
    books = json.loads(connection.getresponse().read())
    connection.close()
    return books["by_endpoint"].get(endpoint, {"calls": 0})["calls"]


def bench_one_cold_key(binaries, folder, count=1_000):
    allow_sockets(count)
    exchange_port, port = free_port(), free_port()
    exchange = Server(
        [f"{binaries}/tollbook", "simulate", "binance", "--port", str(exchange_port),
         "--latency-ms", "2000"], exchange_port, "/_simulator/books")
    tollbook = Server(
        [f"{binaries}/tollbook", "serve", "--simulate", "--port", str(port), "--data-dir",
         os.path.join(folder, "cold-key"), "--binance-simulator",
         f"http://127.0.0.1:{exchange_port}"], port, "/health")
    # Which markets there are is known before.
    request(port, "GET", "/binance/api/v3/exchangeInfo")
    answers = crowd(port, "/binance/api/v3/depth?symbol=ETHUSDT&limit=20", count)
    good = sum(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    table(
        f"{grouped(count)} who ask for the same cold key at once, a socket each",
        [
            ("answered with 200", grouped(good), f"limit: {grouped(count)}"),
            ("calls to the exchange", str(calls(exchange_port, "depth")), "limit: 1"),
        ])
    for server in (tollbook, exchange):
        server.stop()
