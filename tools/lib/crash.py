"""Kills a loaded Tollbook and checks what is left.

The simulator runs in a process of its own and keeps books of what it charged. After each kill the data directory must
verify, hold everything that was acknowledged exactly once, and an audit of it must enclose the simulator's books. At the
end, when all is quiet, both must agree to the token.
"""

import argparse
import http.client
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

from crash_jobs import run_jobs
from crash_storage import run_storage_cycles
from crash_world import (
    History, World, call, check, check_acknowledged, check_no_doubles, finish, some_faults)


def run_cycles(world, cycles, seed):
    chance = random.Random(seed)
    history = History(world)
    for cycle in range(1, cycles + 1):
        some_faults(world, chance)
        with history.load(f"{seed}/{cycle}"):
            time.sleep(chance.uniform(0.3, 1.5))
        history.report(cycle, history.check())
    finish(world, history.known)


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
    parser.add_argument("--syscalls", action="store_true", help="faults at each flush and write instead")
    parser.add_argument(
        "--storage", action="store_true",
        help="each cycle also strikes the storage: a full disk, a limit for files, a cut file, flipped bits, a dead reader")
    parser.add_argument(
        "--jobs", type=int, nargs="?", const=10_000, metavar="N",
        help="so many jobs are queued while it is killed every few seconds, 10,000 by default: each must end once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tollbook-crash-") as folder:
        world = World(options.tollbook, folder)
        try:
            if options.syscalls:
                check_order(world)
                check_injections(world)
            elif options.jobs:
                print(f"seed {options.seed}", flush=True)
                run_jobs(world, options.jobs, options.seed)
            elif options.storage:
                print(f"seed {options.seed}", flush=True)
                run_storage_cycles(world, options.cycles, options.seed)
            else:
                print(f"seed {options.seed}", flush=True)
                run_cycles(world, options.cycles, options.seed)
        finally:
            world.simulator.kill()
    print("passed")


if __name__ == "__main__":
    main()
