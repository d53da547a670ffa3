#!/usr/bin/env python3
"""A stand-in for the service that Tollbook takes over from: the 24 hours of a market and its candles, no cache.

    tools/nginx/old_service.py 8001 http://127.0.0.1:9002
"""

import http.server
import json
import sys
import urllib.request


class OldService(http.server.BaseHTTPRequestHandler):
    """Each question is a call of the exchange."""

    exchange = ""

    def do_GET(self):
        if self.path == "/health":
            self.answer({"status": "ok", "service": "market-data"})
        else:
            self.send_error(404)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        symbol = asked["symbol"].replace("/", "").replace("-", "").upper()
        if self.path == "/price":
            ticker = self.ask(f"ticker/24hr?symbol={symbol}")
            self.answer({"success": True, "symbol": asked["symbol"], "data": {"last": ticker["lastPrice"]}})
        elif self.path == "/cvd":
            interval, limit = asked.get("timeframe", "15m"), asked.get("limit", 500)
            candles = self.ask(f"klines?symbol={symbol}&interval={interval}&limit={limit}")
            deltas = [2 * float(candle[9]) - float(candle[5]) for candle in candles]
            self.answer({"success": True, "symbol": asked["symbol"], "data": {"cvd": sum(deltas)}})
        else:
            self.send_error(404)

    def ask(self, what):
        with urllib.request.urlopen(f"{self.exchange}/api/v3/{what}", timeout=10) as answer:
            return json.load(answer)

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    OldService.exchange = sys.argv[2]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), OldService)
    print(f"The old service is at http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
