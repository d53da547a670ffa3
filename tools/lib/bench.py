"""Runs the measurements of tools/bench and prints their tables."""

import argparse
import gzip
import http.client
import json
import os
import platform
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

WARM, LONG = 2, 6  # seconds
CONNECTIONS = 32


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Server:
    """A program of this run, stopped by its id."""

    def __init__(self, command, port, path="/"):
        self.port = port
        self.began = time.monotonic()
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        while True:
            try:
                request(port, "GET", path)
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > self.began + 120:
                    self.log.seek(0)
                    sys.exit(f"{command[0]} did not start: {self.log.read().decode()}")
                time.sleep(0.002)
        self.first_answer = time.monotonic() - self.began

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(60)


def wrk(url, seconds, *arguments):
    result = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *arguments, url],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in result:
        sys.exit(f"wrk saw errors from {url}:\n{result}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", result).group(1))


def measured(url, *arguments):
    wrk(url, WARM, *arguments)
    return wrk(url, LONG, *arguments)


def table(title, rows):
    print(f"\n{title}")
    width = max(len(row[0]) for row in rows)
    figures = max(len(row[1]) for row in rows)
    for name, figure, ratio in rows:
        print(f"  {name:{width}}  {figure:>{figures}}  {ratio}".rstrip(), flush=True)


def grouped(number):
    return f"{number:,.0f}".replace(",", " ")


def bench_log(binaries, _):
    subprocess.run([f"{binaries}/tollbook-bench", "log"], check=True)


def bench_history(binaries, _):
    for part in ("audit", "verify", "snapshots", "what-if", "views"):
        subprocess.run([f"{binaries}/tollbook-bench", part], check=True)


def bench_http(binaries, folder):
    port = free_port()
    tollbook = Server(
        [f"{binaries}/tollbook", "serve", "--simulate", "--port", str(port), "--data-dir",
         os.path.join(folder, "http")], port, "/health")
    asins = [f"B{number:09d}" for number in range(50)]
    question = json.dumps({"asinList": asins}).encode()
    status, _ = request(port, "POST", "/keepa/batch-analyze", question)
    assert status == 200, status
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(
        "GET", f"/keepa/products/1/{asins[0]}", headers={"Accept-Encoding": "gzip"})
    size = len(connection.getresponse().read())
    connection.close()

    script = os.path.join(folder, "batch.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n')
        file.write(f"wrk.body = '{question.decode()}'\n")
    bare_port, bare = free_port(), None
    bare = Server(
        [f"{binaries}/tollbook-bench", "bare-route", "--port", str(bare_port), "--bytes", str(size)],
        bare_port)
    reference_port = free_port()
    reference = Server(
        [predecessor_python(folder), os.path.join(os.path.dirname(__file__), "predecessor.py"),
         os.path.join(folder, "products.sqlite"), str(reference_port), str(size)],
        reference_port)
    product = f"/keepa/products/1/{asins[0]}"
    ours = measured(f"http://127.0.0.1:{port}{product}", "-H", "Accept-Encoding: gzip")
    theirs = measured(f"http://127.0.0.1:{bare_port}/")
    predecessor = measured(f"http://127.0.0.1:{reference_port}{product}")
    batches = measured(f"http://127.0.0.1:{port}/keepa/batch-analyze", "-s", script)
    table(
        f"HTTP, wrk with {CONNECTIONS} connections on the same cores",
        [
            (f"GET /keepa/products, stored body of {grouped(size)} bytes", f"{grouped(ours)}/s", ""),
            ("a bare Hummingbird route of that size", f"{grouped(theirs)}/s",
             f"Tollbook {ours / theirs:.2f} ×"),
            ("FastAPI and SQLite, sync", f"{grouped(predecessor)}/s",
             f"Tollbook {ours / predecessor:.1f} ×"),
            ("batch-analyze of 50 cached products", f"{grouped(batches)}/s",
             f"{grouped(50 * batches)} products/s"),
        ])
    for server in (tollbook, bare, reference):
        server.stop()


def bench_keepa(binaries, folder):
    """What a client of Keepa gets: many products in an answer, and many clients that want the same."""
    bench_drop_in(binaries, folder)
    subprocess.run([f"{binaries}/tollbook-bench", "joins"], check=True)
    bench_crowd(binaries, folder)
    subprocess.run([f"{binaries}/tollbook-bench", "trace"], check=True)


def bench_drop_in(binaries, folder):
    asins = [f"B{number:09d}" for number in range(100)]
    question = "/product?key=none&domain=1&asin=" + ",".join(asins)
    port = free_port()
    tollbook = Server(
        [f"{binaries}/tollbook", "serve", "--simulate", "--port", str(port), "--data-dir",
         os.path.join(folder, "drop-in")], port, "/health")
    request(port, "GET", f"/keepa{question}")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", f"/keepa{question}", headers={"Accept-Encoding": "gzip"})
    packed = connection.getresponse().read()
    connection.close()
    answer = json.loads(gzip.decompress(packed))
    assert answer["tokensConsumed"] == 0 and len(answer["products"]) == len(asins), answer.keys()
    lines = os.path.join(folder, "texts")
    with open(lines, "w", encoding="utf-8") as file:
        for product in answer["products"]:
            file.write(f"{product['asin']}\t{json.dumps(product, separators=(',', ':'))}\n")
    reference_port = free_port()
    reference = Server(
        [predecessor_python(folder), os.path.join(os.path.dirname(__file__), "predecessor.py"),
         os.path.join(folder, "texts.sqlite"), str(reference_port), "100", lines], reference_port)
    packing = ("-H", "Accept-Encoding: gzip")
    ours = measured(f"http://127.0.0.1:{port}/keepa{question}", *packing)
    theirs = measured(f"http://127.0.0.1:{reference_port}{question}", *packing)
    table(
        f"Drop-in answers of {len(asins)} cached products, {grouped(len(packed))} bytes packed,"
        f" wrk with {CONNECTIONS} connections",
        [
            ("GET /keepa/product", f"{grouped(ours)}/s",
             f"{grouped(ours * len(asins))} products/s, limit: 20 000"),
            ("FastAPI and SQLite, packed at level 1", f"{grouped(theirs)}/s",
             f"Tollbook {ours / theirs:.1f} ×, limit: 10"),
        ])
    for server in (tollbook, reference):
        server.stop()


def bench_crowd(binaries, folder):
    """A thousand clients that ask for the same product while it is being bought."""
    count = 1_000
    # Each connection is a file, here and there.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8 * count), hard))
    keepa_port, port = free_port(), free_port()
    keepa = Server(
        [f"{binaries}/tollbook", "simulate", "keepa", "--port", str(keepa_port), "--latency-ms",
         "2000"], keepa_port)
    tollbook = Server(
        [f"{binaries}/tollbook", "serve", "--simulate", "--port", str(port), "--data-dir",
         os.path.join(folder, "crowd"), "--simulator", f"http://127.0.0.1:{keepa_port}"],
        port, "/health")
    sockets = []
    for _ in range(count):
        sockets.append(socket.create_connection(("127.0.0.1", port), timeout=60))
    ask = (b"GET /keepa/product?key=none&domain=1&asin=B000000001 HTTP/1.1\r\nHost: localhost\r\n"
           b"Connection: close\r\n\r\n")
    for client in sockets:
        client.sendall(ask)
    answers = []
    for client in sockets:
        parts = []
        while part := client.recv(1 << 16):
            parts.append(part)
        client.close()
        answers.append(b"".join(parts))
    good = sum(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    metrics = request(port, "GET", "/metrics")[1].decode()
    tokens = sum(
        float(value) for value in re.findall(
            r"^tollbook_charged_total{[^}]*} ([\d.e+]+)", metrics, re.M))
    table(
        f"{grouped(count)} clients that ask for the same product at once, a socket each",
        [("answered with 200", grouped(good), f"{tokens:.0f} token charged")])
    for server in (tollbook, keepa):
        server.stop()


def predecessor_python(folder):
    """A Python with FastAPI, in an environment of its own."""
    home = os.path.join(folder, "venv")
    if os.path.exists(home):
        return f"{home}/bin/python"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    subprocess.run(
        [f"{home}/bin/pip", "install", "-q", "--disable-pip-version-check", "fastapi", "uvicorn",
         "httptools", "uvloop"], check=True)
    return f"{home}/bin/python"


def bench_start(binaries, folder):
    data = os.path.join(folder, "large")
    subprocess.run(
        [f"{binaries}/tollbook-bench", "fill", data, "--events", "10000000"], check=True,
        stdout=subprocess.DEVNULL)
    rows = []
    for name in ("after filling", "after kill -9"):
        port = free_port()
        server = Server(
            [f"{binaries}/tollbook", "serve", "--simulate", "--port", str(port), "--data-dir",
             data], port, "/health")
        rows.append((f"start with 10 million events, {name}", f"{server.first_answer:.2f} s", ""))
        if name == "after kill -9":
            for number in range(2_000):
                request(port, "GET", f"/cache/entries/shared/keepa.product/1/B{number:09d}")
            memory = re.search(
                r"^tollbook_private_memory_bytes ([\d.e+]+)",
                request(port, "GET", "/metrics")[1].decode(), re.M)
            entries = json.loads(request(port, "GET", "/health")[1])["cache_stats"]["entries"]
            rows.append(
                (f"private memory with {grouped(entries)} cached products, after 2 000 reads",
                 f"{float(memory.group(1)) / 1e6:.0f} MB", ""))
        server.stop(signal.SIGKILL)
    size = sum(os.stat(os.path.join(data, name)).st_blocks for name in os.listdir(data)) * 512
    rows.append(("on the disk", f"{size / 1e9:.2f} GB", f"{size / 1e7:.0f} bytes an event"))
    table("Start and memory", rows)
    # The past of single rows, at that size.
    subprocess.run([f"{binaries}/tollbook-bench", "views", "--only-past", data], check=True)
    shutil.rmtree(data)


def machine():
    with open("/proc/cpuinfo", encoding="ascii") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return (
        f"{os.cpu_count()} cores, {model.group(1) if model else platform.machine()},"
        f" Linux {platform.release()}, commit {commit.stdout.strip() or 'unknown'}")


PARTS = {
    "log": bench_log, "history": bench_history, "http": bench_http, "keepa": bench_keepa,
    "start": bench_start,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binaries", required=True)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="tollbook-bench-") as folder:
        for name in options.parts or PARTS:
            PARTS[name](options.binaries, folder)


if __name__ == "__main__":
    main()
