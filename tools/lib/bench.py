"""Runs the measurements of tools/bench and prints their tables."""

import argparse
import gzip
import http.client
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from bench_deals import bench_deals
from bench_extract import bench_extract
from bench_market import bench_market
from bench_world import (
    Server, allow_sockets, crowd, free_port, grouped, private_memory, request, table)

WARM, LONG = 2, 6  # seconds
CONNECTIONS = 32


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
    subprocess.run([f"{binaries}/tollbook-bench", "eviction"], check=True)


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
    allow_sockets(count)
    keepa_port, port = free_port(), free_port()
    keepa = Server(
        [f"{binaries}/tollbook", "simulate", "keepa", "--port", str(keepa_port), "--latency-ms",
         "2000"], keepa_port)
    tollbook = Server(
        [f"{binaries}/tollbook", "serve", "--simulate", "--port", str(port), "--data-dir",
         os.path.join(folder, "crowd"), "--simulator", f"http://127.0.0.1:{keepa_port}"],
        port, "/health")
    answers = crowd(port, "/keepa/product?key=none&domain=1&asin=B000000001", count)
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


def predecessor_python(folder, *packages):
    """A Python with FastAPI, in an environment of its own.

    packages: what else it has.
    """
    home = os.path.join(folder, "-".join(["venv", *packages]))
    if os.path.exists(home):
        return f"{home}/bin/python"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    subprocess.run(
        [f"{home}/bin/pip", "install", "-q", "--disable-pip-version-check", "fastapi", "uvicorn",
         "httptools", "uvloop", *packages], check=True)
    return f"{home}/bin/python"


def bench_accounts(binaries, folder):
    """What budgets and accounts cost: decisions, the books of many, the start, and a purchase over HTTP."""
    subprocess.run([f"{binaries}/tollbook-bench", "accounts"], check=True)
    subprocess.run([f"{binaries}/tollbook-bench", "books"], check=True)
    bench_many_accounts(binaries, folder)
    bench_metered_miss(binaries, folder)


def bench_many_accounts(binaries, folder):
    folders = {name: os.path.join(folder, name) for name in ("few", "many")}
    subprocess.run(
        [f"{binaries}/tollbook-bench", "fill-accounts", folders["few"], "--accounts", "1"], check=True,
        stdout=subprocess.DEVNULL)
    subprocess.run(
        [f"{binaries}/tollbook-bench", "fill-accounts", folders["many"]], check=True,
        stdout=subprocess.DEVNULL)
    took = {name: [] for name in folders}
    memory = {}
    for _ in range(9):
        for name, data in folders.items():
            port = free_port()
            server = Server(
                [f"{binaries}/tollbook", "serve", "--simulate", "--port", str(port), "--data-dir",
                 data], port, "/health")
            took[name].append(server.first_answer)
            memory[name] = private_memory(port)
            server.stop()
    few, many = (sorted(took[name])[4] for name in ("few", "many"))
    table(
        "10 000 accounts, each with a budget",
        [
            ("start with one account, median of nine", f"{few * 1_000:.0f} ms", ""),
            ("start with 10 000", f"{many * 1_000:.0f} ms", f"{many / few:.2f} ×, limit: 1.20"),
            ("private memory", f"{memory['many'] / 1e6:.0f} MB",
             f"with one account {memory['few'] / 1e6:.0f} MB, limit: 150 MB"),
        ])


def flush_seconds(folder, rounds=200):
    """How long a flush of one page takes, each."""
    found = []
    path = os.path.join(folder, "flush")
    with open(path, "wb", buffering=0) as file:
        for number in range(rounds):
            file.seek(number * 4_096)
            file.write(b"x" * 4_096)
            began = time.monotonic()
            os.fdatasync(file.fileno())
            found.append(time.monotonic() - began)
    os.unlink(path)
    return sorted(found)


def bench_metered_miss(binaries, folder, rounds=1_000):
    """A product that is bought through Tollbook, on a balance and three budgets, beside the bare call."""
    keepa_port, port = free_port(), free_port()
    keepa = Server(
        [f"{binaries}/tollbook", "simulate", "keepa", "--port", str(keepa_port), "--balance",
         "1000000", "--rate", "1000"], keepa_port, "/_simulator/books")
    data = os.path.join(folder, "metered")
    tollbook = Server(
        [f"{binaries}/tollbook", "serve", "--simulate", "--port", str(port), "--data-dir", data,
         "--simulator", f"http://127.0.0.1:{keepa_port}"], port, "/health")
    for window in ("total", "day", "hour"):
        status, _ = request(
            port, "POST", "/admin/budgets",
            json.dumps({"name": window, "unit": "tokens", "limit": 1_000_000, "window": window}))
        assert status == 201, status
    key = "simulated" * 6 + "-key-0" + "0000"
    bare = http.client.HTTPConnection("127.0.0.1", keepa_port, timeout=30)
    metered = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    flush = flush_seconds(data)
    took = {"bare": [], "metered": []}
    for number in range(rounds):
        for name, connection, path in (
                ("bare", bare, f"/product?key={key}&domain=1&asin=B{number + 100_000_000}"),
                ("metered", metered, f"/keepa/product?domain=1&asin=B{number + 200_000_000}")):
            began = time.monotonic()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            took[name].append(time.monotonic() - began)
            assert answer.status == 200, (name, answer.status)
    bare.close()
    metered.close()
    tollbook.stop()
    keepa.stop()
    p99 = {name: sorted(values)[int(len(values) * 0.99)] * 1_000 for name, values in took.items()}
    p50 = {name: sorted(values)[len(values) // 2] * 1_000 for name, values in took.items()}
    added = p99["metered"] - p99["bare"]
    middle, late = (flush[int(len(flush) * share)] * 1_000 for share in (0.5, 0.99))
    table(
        f"A product that is bought on four meters, {grouped(rounds)} one after the other",
        [
            ("the bare call, p99", f"{p99['bare']:.2f} ms", f"p50 {p50['bare']:.2f} ms"),
            ("through Tollbook, p99", f"{p99['metered']:.2f} ms", f"p50 {p50['metered']:.2f} ms"),
            ("added, p99", f"{added:.2f} ms",
             f"limit: {10 + 8 * late:.2f} ms, which is 10 ms and eight flushes"),
            ("a flush of that disk, p99", f"{late:.2f} ms", f"p50 {middle:.2f} ms"),
        ])


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
            memory = private_memory(port)
            entries = json.loads(request(port, "GET", "/health")[1])["cache_stats"]["entries"]
            rows.append(
                (f"private memory with {grouped(entries)} cached products, after 2 000 reads",
                 f"{memory / 1e6:.0f} MB", ""))
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
    "accounts": bench_accounts, "extract": bench_extract,
    "deals": bench_deals,
    "market": lambda binaries, folder: bench_market(
        binaries, folder, predecessor_python(folder, "TA-Lib")),
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
