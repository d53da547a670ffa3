"""Queues many jobs at a Tollbook that is killed every few seconds: each that was taken on must end exactly once.

The jobs scan a saved search of eBay's simulator that finds nothing: most are answered from the cache, so that what is
tried is the queue and not the market.
"""

import collections
import http.client
import random
import signal
import threading
import time

from crash_world import call, check

KIND = "ebay.scan"
MOST_OPEN = 20  # of one account
CLIENTS = 8
TIME = 480  # seconds for queueing all; half of that where nothing else runs
REST = 120  # seconds for what is still open at the end


class Queueing:
    """Clients that queue jobs until they are stopped, and remember which were taken on."""

    def __init__(self, port, most):
        self.port = port
        self.most = most
        self.taken = []
        self.refused = 0
        self.stopping = False
        self.threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.stopping and len(self.taken) < self.most:
            try:
                status, _, body = call(self.port, "POST", "/tasks/scan", {"search": "nothing"})
            except (OSError, http.client.HTTPException, ValueError):
                # It was killed, or will be.
                time.sleep(0.01)
                continue
            if status == 202:
                self.taken.append(int(body["id"]))
            else:
                check(status in (429, 503), f"POST /tasks/scan: {status} {body}")
                self.refused += 1
                time.sleep(0.03)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and len(self.taken) < self.most:
            time.sleep(0.02)

    def join(self):
        for thread in self.threads:
            thread.join()


def run_jobs(world, count, seed):
    chance = random.Random(seed)
    taken, refused, kills = [], 0, 0
    end = time.monotonic() + TIME
    while len(taken) < count:
        check(time.monotonic() < end, f"{len(taken)} jobs of {count} were taken on in {TIME} s")
        service = world.serve()
        try:
            check(service.wait_until_ready(), "serve did not start:\n" + service.output())
            if kills == 0:
                save_search(service.port)
            queueing = Queueing(service.port, count - len(taken))
            queueing.wait(chance.uniform(2, 6))
            queueing.stopping = True
        finally:
            service.kill()
        queueing.join()
        kills += 1
        taken += queueing.taken
        refused += queueing.refused
        print(
            f"kill {kills:3}: {len(taken):6} jobs taken on, {refused} refused since as many were open",
            flush=True)
    listed = finish_jobs(world)
    check_ends(world.events(), taken, listed)
    print(f"{len(listed)} jobs, {kills} kills: each ended once")


def save_search(port):
    status, _, body = call(
        port, "POST", "/searches",
        {"name": "nothing", "q": "zzqqxx yyvvww", "marketplace": "EBAY_US"})
    check(status == 201, f"POST /searches: {status} {body}")


def finish_jobs(world):
    """Lets what is open end; the state of each job by its id, as GET /jobs tells it."""
    service = world.serve()
    try:
        check(service.wait_until_ready(), "serve did not start:\n" + service.output())
        end = time.monotonic() + REST
        while is_any_open(service.port):
            check(time.monotonic() < end, f"jobs are still open after {REST} s")
            time.sleep(0.2)
        jobs, cursor = {}, ""
        while cursor is not None:
            page = call(service.port, "GET", f"/jobs?kind={KIND}&limit=1000{cursor}")[2]
            for job in page["jobs"]:
                check(job["id"] not in jobs, f"GET /jobs shows {job['id']} twice")
                jobs[job["id"]] = job["state"]
            cursor = f"&cursor={page['next']}" if page["next"] else None
        service.process.send_signal(signal.SIGTERM)
        check(service.process.wait(30) == 0, "SIGTERM did not end it with 0:\n" + service.output())
    finally:
        if service.process.poll() is None:
            service.kill()
    world.verify()
    return {int(name): state for name, state in jobs.items()}


def is_any_open(port):
    return any(
        job["state"] in ("queued", "running")
        for job in call(port, "GET", f"/jobs?kind={KIND}&limit=100")[2]["jobs"])


def check_ends(events, taken, listed):
    """Every job of the log ends once, no more were open than may be, and GET /jobs shows the same ones."""
    begun, ends, is_open = set(), collections.Counter(), set()
    most = 0
    for event in events:
        data = event["data"]
        if event["type"] == "JobQueued" and data["kind"] == KIND:
            begun.add(event["position"])
            is_open.add(event["position"])
            most = max(most, len(is_open))
        elif event["type"] == "JobFinished":
            ends[int(data["job"])] += 1
            is_open.discard(int(data["job"]))
    lost = [job for job in taken if job not in begun]
    check(not lost, f"jobs were taken on and are not in the log: {lost[:5]}")
    check(len(set(taken)) == len(taken), "two jobs were given one id")
    wrong = {job: ends[job] for job in begun if ends[job] != 1}
    check(not wrong, f"{len(wrong)} jobs did not end once: {list(wrong.items())[:5]}")
    check(most <= MOST_OPEN, f"{most} jobs were open at once; {MOST_OPEN} may be")
    check(set(listed) == begun, f"GET /jobs lists {len(listed)} jobs, the log has {len(begun)}")
    states = collections.Counter(listed.values())
    check(set(states) <= {"done", "failed"}, f"they ended as {dict(states)}")
    print(f"at most {most} were open at once; they ended as {dict(states)}")
