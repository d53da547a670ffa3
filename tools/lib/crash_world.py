"""What the crash tools share: programs, the simulator's books, load, and what must hold of a directory that is left."""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SAMPLE_RATE = 1_000
LIMIT = 300  # seconds for a command that reads the whole directory
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
            capture_output=True, text=True, check=False, timeout=LIMIT)
        check(result.returncode == 0, f"verify: {result.stdout}{result.stderr}")

    def audit(self):
        """The total of an audit of all tokens; the sums of hours must say the same as all events."""
        place = ["--data-dir", self.data]
        proof = subprocess.run(
            [self.binary, "audit", "--replay", *place], capture_output=True, text=True, check=False, timeout=LIMIT)
        check(proof.returncode == 0, f"audit --replay: {proof.stdout}{proof.stderr}")
        result = subprocess.run(
            [self.binary, "audit", "--format", "json", *place], capture_output=True, text=True, check=False, timeout=LIMIT)
        check(result.returncode == 0, f"audit: {result.stderr}")
        amounts = json.loads(result.stdout)["total"]["amounts"]
        return next(amount for amount in amounts if amount["unit"] == "tokens")

    def events(self, after=0, data=None):
        result = subprocess.run(
            [self.binary, "events", "--data-dir", data or self.data, "--after", str(after),
             "--limit", "1000000000", "--format", "json"],
            capture_output=True, text=True, check=False, timeout=LIMIT)
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
            else:
                time.sleep(0.01)

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


def check_enclosed(who, low, tokens, high):
    check(low <= tokens <= high, f"the simulator charged {tokens}, the {who} says {low} to {high}")


class History:
    """What a directory was seen to hold, and what clients were told, from cycle to cycle."""

    def __init__(self, world):
        self.world = world
        self.known = []
        self.acknowledged = []

    @contextlib.contextmanager
    def load(self, seed, prefix=()):
        """A service under load; at the end it is killed."""
        service = self.world.serve(prefix)
        try:
            check(service.wait_until_ready(), "serve did not start:\n" + service.output())
            if self.known:
                meter = self.world.ledger(service.port)
                held = sum(meter[name] for name in ("in_doubt", "unprovable", "reserved"))
                check_enclosed(
                    "ledger", meter["settled"], self.world.books()["tokens"], meter["settled"] + held)
            load = Load(service.port, seed)
            try:
                yield service, load
            finally:
                load.stop()
                service.kill()
                load.join()
                self.acknowledged += load.acknowledged
        finally:
            if service.process.poll() is None:
                service.kill()

    def check(self):
        """All that must hold of the directory between a kill and the next start; returns how many events are new."""
        self.world.verify()
        new = self.world.events(after=len(self.known))
        check(
            [event["position"] for event in new]
            == list(range(len(self.known) + 1, len(self.known) + 1 + len(new))),
            "positions have a gap")
        self.known += new
        check_no_doubles(self.known)
        check_acknowledged(self.known, self.acknowledged)
        amount = self.world.audit()
        check_enclosed("audit", amount["low"], self.world.books()["tokens"], amount["high"])
        return len(new)

    def report(self, cycle, new, more=""):
        print(
            f"cycle {cycle:3}: {new:5} events more, {len(self.acknowledged):5} answers kept so far,"
            f" {self.world.books()['tokens']:6} tokens in the simulator's books{more}", flush=True)


def some_faults(world, chance):
    """Has the simulator fail now and then until it is told otherwise."""
    world.faults(
        [
            {"kind": "drop", "probability": 0.06, "seed": chance.randrange(10**6)},
            {"kind": "cut_body", "probability": 0.04, "seed": chance.randrange(10**6)},
            {"kind": "http500", "probability": 0.04, "seed": chance.randrange(10**6)},
            {"kind": "http503", "probability": 0.02, "seed": chance.randrange(10**6)},
        ],
        latency=chance.choice([0, 5, 30]),
    )


def finish(world, known):
    """All quiet: wait for the reading that settles every doubt, then compare to the token."""
    world.faults([])
    service = world.serve()
    try:
        settle(world, service)
    finally:
        if service.process.poll() is None:
            service.kill()
    world.verify()
    again = world.events()
    check(again[: len(known)] == known, "events that were read before have changed")
    in_doubt = sum(event["type"] == "ChargeInDoubt" for event in again)
    print(
        f"{len(again)} events verified; {in_doubt} charges were in doubt; the ledger and the"
        f" simulator's books agree: {world.books()['tokens']} tokens")


def settle(world, service):
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
