"""What questions for deals cost among many listings: in the process, and over HTTP with saved searches to look up."""

import http.client
import json
import os
import subprocess
import time

from bench_world import Server, free_port, grouped, private_memory, request, table

SEARCHES = 40
LISTINGS = 200_000


def bench_deals(binaries, folder):
    """Scoring and questions in the process, then the same questions over HTTP."""
    subprocess.run([f"{binaries}/tollbook-bench", "deals", "--listings", str(LISTINGS)], check=True)
    port = free_port()
    lines = os.path.join(folder, "questions")
    server = Server(
        [f"{binaries}/tollbook-bench", "serve-deals", "--port", str(port), "--listings",
         str(LISTINGS), "--into", lines], port, "/health")
    for number in range(SEARCHES):
        search = {"name": f"search {number}", "q": f"search {number}", "marketplace": "EBAY_US"}
        status, answer = request(port, "POST", "/searches", json.dumps(search))
        assert status == 201, answer
    with open(lines, encoding="utf-8") as file:
        questions = file.read().splitlines()
    status, answer = request(port, "GET", "/buyer/deals?limit=1")
    assert status == 200 and len(json.loads(answer)["deals"]) == 1, answer
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took, rows = [], 0
    for question in questions:
        began = time.monotonic()
        connection.request("GET", f"/buyer/deals?{question}")
        answer = connection.getresponse()
        body = answer.read()
        took.append(time.monotonic() - began)
        assert answer.status == 200, (question, body)
        rows += body.count(b'"item_id"')
    connection.close()
    took.sort()
    p50, p99 = (took[int(len(took) * share)] * 1_000 for share in (0.5, 0.99))
    # The same server's answer that looks nothing up tells what the way there and back costs.
    bare = []
    for _ in range(500):
        began = time.monotonic()
        request(port, "GET", "/health")
        bare.append(time.monotonic() - began)
    table(
        f"GET /buyer/deals among {grouped(LISTINGS)} listings of {SEARCHES} searches,"
        f" {grouped(len(questions))} questions one after the other",
        [
            ("p99", f"{p99:.2f} ms", f"p50 {p50:.2f} ms, goal: 20 ms"),
            ("/health, p99", f"{sorted(bare)[495] * 1_000:.2f} ms",
             f"p50 {sorted(bare)[250] * 1_000:.2f} ms"),
            ("rows in an answer, on the average", f"{rows / len(questions):.0f}", ""),
            ("private memory", f"{private_memory(port) / 1e6:.0f} MB",
             "the standard limit: 419 MB"),
        ])
    server.stop()
