"""Kills a loaded Tollbook and checks what is left.

The simulator runs in a process of its own and keeps books of what it charged. After each kill the data directory must
verify, hold everything that was acknowledged exactly once, and its ledger must enclose the simulator's books. At the
end, when all is quiet, both must agree to the token.
"""

import argparse
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SAMPLE_RATE = 1_000
START_BALANCE = 30_000  # half of what a bucket of that rate holds


def fail(message):
    print(f"FAILED: {message}", file=sys.stderr)
    sys.exit(1)


def check(condition, message):
    if not condition:
        fail(message)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def call(port, method, path, body=None, timeout=60):
    """One request; returns status, headers, decoded body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if data else {}
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, answer.headers, json.loads(text) if text else None
    finally:
        connection.close()


class Program:
    """A tollbook process, started by this script and stopped by its id."""

    def __init__(self, binary, arguments, port, environment=None, prefix=()):
        self.port = port
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*prefix, binary, *arguments],
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )

    def wait_until_ready(self, path="/health", limit=60):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            try:
                call(self.port, "GET", path, timeout=5)
                return True
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.02)
        return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def output(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


class World:
    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.simulator_port = free_port()
        self.simulator = Program(
            binary,
            ["simulate", "keepa", "--port", str(self.simulator_port), "--rate", str(SAMPLE_RATE),
             "--balance", str(START_BALANCE)],
            self.simulator_port,
        )
        check(
            self.simulator.wait_until_ready("/_simulator/books"),
            "the simulator did not start:\n" + self.simulator.output(),
        )

    def serve(self, prefix=(), data=None):
        port = free_port()
        return Program(
            self.binary,
            ["serve", "--simulate", "--simulator", f"http://127.0.0.1:{self.simulator_port}",
             "--data-dir", data or self.data, "--port", str(port)],
            port,
            {},
            prefix,
        )

    def faults(self, rules, latency=0):
        status, _, _ = call(
            self.simulator_port, "POST", "/_simulator/faults",
            {"rules": rules, "latency_ms": latency},
        )
        check(status == 200, "the simulator does not take the faults")

    def books(self):
        return call(self.simulator_port, "GET", "/_simulator/books")[2]

    def verify(self, data=None):
        result = subprocess.run(
            [self.binary, "verify", "--data-dir", data or self.data],
            capture_output=True, text=True, check=False)
        check(result.returncode == 0, f"verify: {result.stdout}{result.stderr}")

    def events(self, after=0, data=None):
        result = subprocess.run(
            [self.binary, "events", "--data-dir", data or self.data, "--after", str(after),
             "--limit", "1000000000", "--format", "json"],
            capture_output=True, text=True, check=False)
        check(result.returncode == 0, f"events: {result.stderr}")
        return [json.loads(line) for line in result.stdout.splitlines() if line.strip()]

    def ledger(self, port):
        meters = call(port, "GET", "/ledger")[2]["meters"]
        return meters[0] if meters else None


class Load:
    """Clients that ask for random products and remember what they were told."""

    def __init__(self, port, seed, clients=8):
        self.port = port
        self.acknowledged = []
        self.stopping = False
        self.threads = [
            threading.Thread(target=self.run, args=(random.Random(f"{seed}/{number}"),))
            for number in range(clients)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, chance):
        while not self.stopping:
            count = chance.choice([1, 2, 3, 5, 8, 20])
            asins = [f"B{chance.randrange(5_000):09d}" for _ in range(count)]
            try:
                status, headers, body = call(
                    self.port, "POST", "/keepa/batch-analyze", {"asinList": asins})
            except (OSError, http.client.HTTPException, ValueError):
                if self.stopping:
                    return
                continue
            if status == 200:
                self.acknowledged.append((int(headers["Tollbook-Position"]), body["results"]))

    def stop(self):
        self.stopping = True

    def join(self):
        for thread in self.threads:
            thread.join()


def check_no_doubles(events):
    charges, written = set(), set()
    for event in events:
        data = event["data"]
        if event["type"] == "TokensCharged":
            key = (data["fetch"], data["attempt"])
            check(key not in charges, f"attempt {key} is charged twice")
            charges.add(key)
        elif event["type"] == "CacheWritten":
            key = (data["fetch"], data["resource"])
            check(key not in written, f"{key} is written twice")
            written.add(key)


def check_acknowledged(events, acknowledged):
    """Everything that an answer told is in the log, no later than the position that it named."""
    bought = {}
    for event in events:
        if event["type"] == "CacheWritten":
            asin = event["data"]["resource"].rsplit("/", 1)[1]
            bought.setdefault(asin, event["position"])
    head = events[-1]["position"] if events else 0
    for position, results in acknowledged:
        check(position <= head, f"position {position} was acknowledged, and the log ends at {head}")
        for result in results:
            if result["source"] in ("keepa", "cache"):
                first = bought.get(result["asin"])
                check(
                    first is not None and first <= position,
                    f"{result['asin']} was answered from the log at {position} and is not there")


def enclosed(meter, books, held=()):
    settled = meter["settled"] if meter else 0
    most = settled + sum(meter[name] for name in ("in_doubt", "unprovable", *held)) if meter else 0
    check(
        settled <= books["tokens"] <= most,
        f"the simulator charged {books['tokens']}, the ledger says {settled} to {most}")
    return settled, most


def run_cycles(world, cycles, seed):
    chance = random.Random(seed)
    known = []
    acknowledged = []
    for cycle in range(1, cycles + 1):
        world.faults(
            [
                {"kind": "drop", "probability": 0.06, "seed": chance.randrange(10**6)},
                {"kind": "cut_body", "probability": 0.04, "seed": chance.randrange(10**6)},
                {"kind": "http500", "probability": 0.04, "seed": chance.randrange(10**6)},
                {"kind": "http503", "probability": 0.02, "seed": chance.randrange(10**6)},
            ],
            latency=chance.choice([0, 5, 30]),
        )
        service = world.serve()
        check(service.wait_until_ready(), "serve did not start:\n" + service.output())
        meter = world.ledger(service.port)
        if known:
            enclosed(meter, world.books())
        load = Load(service.port, f"{seed}/{cycle}")
        time.sleep(chance.uniform(0.3, 1.5))
        load.stop()
        service.kill()
        load.join()
        acknowledged += load.acknowledged
        world.verify()
        new = world.events(after=len(known))
        check(
            [event["position"] for event in new]
            == list(range(len(known) + 1, len(known) + 1 + len(new))),
            "positions have a gap")
        known += new
        check_no_doubles(known)
        check_acknowledged(known, acknowledged)
        print(
            f"cycle {cycle:3}: {len(new):5} events more, {len(acknowledged):5} answers kept so far,"
            f" {world.books()['tokens']:6} tokens in the simulator's books", flush=True)
    finish(world, known)


def finish(world, known):
    """All quiet: wait for the reading that settles every doubt, then compare to the token."""
    world.faults([])
    service = world.serve()
    check(service.wait_until_ready(), "serve did not start:\n" + service.output())
    print("waiting for a reading at least a minute after the last doubt …", flush=True)
    end = time.monotonic() + 240
    while time.monotonic() < end:
        meter = world.ledger(service.port)
        if meter["in_doubt"] == 0 and meter["reserved"] == 0:
            break
        time.sleep(1)
    books = world.books()
    check(meter["in_doubt"] == 0, f"doubts stay open: {meter}")
    check(meter["unprovable"] == 0, f"doubts became unprovable: {meter}")
    check(
        meter["settled"] == books["tokens"],
        f"the ledger settled {meter['settled']}, the simulator charged {books['tokens']}")
    check(meter["residual"] == 0, f"conservation leaves {meter['residual']}")
    service.process.send_signal(signal.SIGTERM)
    check(service.process.wait(30) == 0, "SIGTERM did not end it with 0:\n" + service.output())
    world.verify()
    again = world.events()
    check(again[: len(known)] == known, "events that were read before have changed")
    in_doubt = sum(event["type"] == "ChargeInDoubt" for event in again)
    print(
        f"{len(again)} events verified; {in_doubt} charges were in doubt; the ledger and the"
        f" simulator's books agree: {books['tokens']} tokens")


# ------------------------------------------------------------------------------------- system calls


def one_purchase(port, number):
    try:
        status, headers, body = call(
            port, "POST", "/keepa/batch-analyze", {"asinList": [f"B{number:09d}"]}, timeout=30)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    if status != 200 or body["results"][0]["source"] != "keepa":
        return None
    return int(headers["Tollbook-Position"]), body["results"]


def check_order(world, rounds=6):
    """No answer is sent before the flushes of its own commit: seen with strace, one client at a time."""
    trace = os.path.join(world.folder, "order.trace")
    data = os.path.join(world.folder, "order")
    prefix = ["strace", "-f", "-yy", "-s", "48", "-o", trace, "-e",
              "trace=fdatasync,fsync,pwrite64,pwritev,write,writev,sendto,sendmsg,read,recvfrom,recvmsg,readv"]
    service = world.serve(prefix, data)
    check(service.wait_until_ready(limit=120), "serve did not start under strace:\n" + service.output())
    for number in range(rounds):
        check(one_purchase(service.port, 10_000 + number), "a purchase failed under strace")
    stop_traced(service)
    answers = 0
    dirty, commits, sockets = False, 0, set()
    # The file is opened twice: for pages, flushed by fdatasync, and with O_DSYNC for the page that seals a commit.
    with open(trace, encoding="utf-8", errors="replace") as lines:
        joined = join_unfinished(lines)
    seals = {line[1] for line in joined if line[0].startswith("pwrite") and "data.mdb" in line[2]}
    flushed = {line[1] for line in joined if line[0] in ("fdatasync", "fsync") and "data.mdb" in line[2]}
    for name, descriptor, rest in joined:
        if "data.mdb" in rest:
            if name.startswith("pwrite") and descriptor in flushed:
                dirty = True
            elif name in ("fdatasync", "fsync"):
                dirty = False
            elif name.startswith("pwrite") and descriptor in seals - flushed:
                check(not dirty, "a commit is sealed before its pages are flushed")
                commits += 1
        elif "POST /keepa/batch-analyze" in rest and name in ("read", "recvfrom", "recvmsg", "readv"):
            sockets.add(descriptor)
            commits = 0
        elif descriptor in sockets and "HTTP/1.1 200" in rest:
            sockets.discard(descriptor)
            answers += 1
            check(not dirty, "an answer is sent while pages of its commit are not flushed")
            check(commits >= 2, f"an answer is sent after {commits} commits; its purchase makes two")
    check(answers == rounds, f"{answers} answers of {rounds} were seen in the trace")
    check(flushed, "the data file is never flushed")
    print(f"order: {answers} answers, each after the flushes of both its commits")


def join_unfinished(lines):
    """(name, descriptor, text) of each call, at the place where it ended."""
    pending, calls = {}, []
    for line in lines:
        match = re.match(r"(\d+)\s+(.*)", line)
        if not match:
            continue
        thread, text = match.groups()
        if text.rstrip().endswith("<unfinished ...>"):
            begun = text.split("<unfinished")[0]
            pending[thread] = begun
            # An answer counts from when it begins to be sent; a flush from when it has ended.
            if begun.startswith(("write", "send")):
                calls.append(parse_call(begun))
                pending.pop(thread)
            continue
        resumed = re.match(r"<\.\.\. (\w+) resumed>(.*)", text)
        if resumed:
            begun = pending.pop(thread, None)
            if begun is None:
                continue
            text = begun + resumed.group(2)
        calls.append(parse_call(text))
    return [call for call in calls if call]


def parse_call(text):
    match = re.match(r"(\w+)\((\d+)(.*)", text)
    return match.groups() if match else None


def stop_traced(service):
    """Ends a program that runs under strace, by the id of the program itself."""
    with open(f"/proc/{service.process.pid}/task/{service.process.pid}/children", encoding="ascii") as file:
        for child in file.read().split():
            os.kill(int(child), signal.SIGTERM)
    service.process.wait(60)


def injected(world, template, call_name, injection, data):
    """Runs serve on a copy of a directory with a fault at one system call; returns what it acknowledged."""
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(template, data)
    prefix = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call_name}", "-e",
              f"inject={call_name}:{injection}"]
    service = world.serve(prefix, data)
    acknowledged = []
    survived = False
    if service.wait_until_ready(limit=60):
        for number in range(3):
            answer = one_purchase(service.port, 20_000 + number)
            if answer is None:
                break
            acknowledged.append(answer)
        survived = service.process.poll() is None and len(acknowledged) == 3
    if service.process.poll() is None and survived:
        stop_traced(service)
    else:
        try:
            service.process.wait(30)
        except subprocess.TimeoutExpired:
            stop_traced(service)
    return acknowledged, survived, service.process.returncode


def check_left(world, data, acknowledged):
    world.verify(data)
    events = world.events(data=data)
    check_no_doubles(events)
    check_acknowledged(events, acknowledged)


def check_injections(world):
    template = os.path.join(world.folder, "template")
    service = world.serve(data=template)
    check(service.wait_until_ready(), "serve did not start:\n" + service.output())
    one_purchase(service.port, 1)
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(30)
    data = os.path.join(world.folder, "injected")
    for call_name, injection, what in [
        ("fdatasync", "error=EIO:when={}", "EIO at flush"),
        ("fdatasync", "signal=SIGKILL:when={}", "SIGKILL at flush"),
        ("pwrite64", "error=EIO:when={}", "EIO at write"),
        ("pwrite64", "signal=SIGKILL:when={}", "SIGKILL at write"),
        ("pwritev", "signal=SIGKILL:when={}", "SIGKILL at vectored write"),
    ]:
        number = 0
        while True:
            number += 1
            acknowledged, survived, code = injected(
                world, template, call_name, injection.format(number), data)
            check_left(world, data, acknowledged)
            if survived:
                break
            if "EIO" in injection:
                check(code != 0, f"it ended with 0 after {what} {number}")
            check(number < 200, f"{what}: no end after {number}")
        print(f"{what}: {number - 1} places, each leaves a directory that verifies", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tollbook", required=True)
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--syscalls", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tollbook-crash-") as folder:
        world = World(options.tollbook, folder)
        try:
            if options.syscalls:
                check_order(world)
                check_injections(world)
            else:
                print(f"seed {options.seed}", flush=True)
                run_cycles(world, options.cycles, options.seed)
        finally:
            world.simulator.kill()
    print("passed")


if __name__ == "__main__":
    main()
