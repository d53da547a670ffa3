"""Strikes the storage of a loaded Tollbook: each cycle in another way, and in between it is killed as always.

Each strike runs a service under load, leaves it killed, and returns what it saw in a few words. What it did to the
directory it has undone by then, but for a disk that may still be full.
"""

import contextlib
import hashlib
import os
import random
import signal
import struct
import subprocess
import time

from crash_world import History, call, check, finish, some_faults

PAGE = 4_096
MIB = 1 << 20
RESERVE = 64 * MIB  # what Tollbook keeps for calls already paid
DISK = 1 << 30  # memory is used for what is written alone


def run_storage_cycles(world, cycles, seed):
    chance = random.Random(seed)
    history = History(world)
    strikes = []
    with Disk(world) as disk:
        print("the disk is " + ("a tmpfs" if disk.is_mounted else "the machine's, a limit for files stands for its end"))
        for cycle in range(1, cycles + 1):
            if not strikes:
                strikes = list(STRIKES)
                chance.shuffle(strikes)
            strike = strikes.pop()
            some_faults(world, chance)
            before = len(history.known)
            told = strike(Scene(world, history, disk, chance, f"{seed}/{cycle}"))
            history.check()
            disk.free()
            history.report(cycle, len(history.known) - before, "; " + told)
        finish(world, history.known)


class Disk:
    """Where the data directory is: a tmpfs whose size can be changed, if one can be mounted."""

    def __init__(self, world):
        self.place = os.path.join(world.folder, "disk")
        os.mkdir(self.place)
        self.is_mounted = self.mount(f"size={DISK},mode=700")
        world.data = os.path.join(self.place, "data")

    def mount(self, options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tollbook-crash", self.place]
        try:
            return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
        except OSError:
            return False

    def fill(self, left):
        """Leaves so many bytes."""
        status = os.statvfs(self.place)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        check(self.mount(f"remount,size={used + left}"), "the disk cannot be made smaller")

    def free(self):
        if self.is_mounted:
            check(self.mount(f"remount,size={DISK}"), "the disk cannot be made larger")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_mounted:
            subprocess.run(["umount", self.place], capture_output=True, check=False, timeout=30)


class Scene:
    """What a strike has at hand."""

    def __init__(self, world, history, disk, chance, seed):
        self.world = world
        self.history = history
        self.disk = disk
        self.chance = chance
        self.seed = seed

    @property
    def file(self):
        return os.path.join(self.world.data, "data.mdb")

    def load(self, limit=None):
        """A service under load, killed at the end; `limit`: how long its files may become, in bytes."""
        # In a shell as POSIX has it a block is 512 bytes.
        prefix = [] if limit is None else ["/bin/sh", "-c", 'ulimit -f "$0" && exec "$@"', str(limit // 512)]
        return self.history.load(self.seed, prefix)

    def wait(self, least, most):
        time.sleep(self.chance.uniform(least, most))


def health(service):
    return call(service.port, "GET", "/health")[2]


def wait_until(is_so, what, limit=30):
    end = time.monotonic() + limit
    while not is_so():
        check(time.monotonic() < end, f"{what}: not within {limit} s")
        time.sleep(0.05)


def check_buys(scene, service, what):
    """Something more is settled soon."""
    before = scene.world.ledger(service.port)["settled"]
    wait_until(lambda: scene.world.ledger(service.port)["settled"] > before, what)


def check_lives(service, what):
    check(service.process.poll() is None, f"{what} ended the service:\n{service.output()}")


# ------------------------------------------------------------------------------------------- strikes


def full_disk(scene):
    """It stays up, read-only, and starts so; when there is room again it goes on."""
    if not scene.disk.is_mounted:
        return end_of_files(scene, RESERVE + MIB, "a limit for files instead of a full disk")
    left = scene.chance.choice([0, PAGE, MIB, RESERVE // 2])
    with scene.load() as (service, _):
        scene.wait(0.2, 0.8)
        scene.disk.fill(left)
        wait_until(lambda: health(service)["status"] == "read_only", "read_only on a full disk")
        scene.wait(0.1, 0.5)
        check_lives(service, "a full disk")
        goes_on = scene.chance.random() < 0.5
        if goes_on:
            scene.disk.free()
            wait_until(lambda: health(service)["status"] != "read_only", "an end of read_only")
            check_buys(scene, service, "a purchase after room was made")
    told = f"disk full but for {left >> 10} KiB, "
    if goes_on:
        return told + "then room again"
    scene.history.check()
    with scene.load() as (service, _):
        check(health(service)["status"] == "read_only", "a start on a full disk is not read_only")
        scene.wait(0.1, 0.5)
        check_lives(service, "a start on a full disk")
    return told + "killed and started so"


def file_limit(scene):
    """Files may become a little longer, or the reserve and a little."""
    return end_of_files(scene, scene.chance.choice([PAGE, RESERVE // 2, RESERVE + MIB]), "a limit for files")


def end_of_files(scene, more, what):
    """The data file may become only so much longer: it is or becomes read-only, and lives."""
    size = os.path.getsize(scene.file) if os.path.exists(scene.file) else 0
    # Less than that does not take an empty log.
    limit = max(size + more, MIB)
    with scene.load(limit) as (service, _):
        wait_until(lambda: health(service)["status"] == "read_only", f"read_only under {what}", limit=60)
        scene.wait(0.1, 0.5)
        check_lives(service, what)
    return f"{what}, {limit >> 10} KiB"


def dead_reader(scene):
    """A `verify` beside the service is stopped amid its reading, and killed before the service or after it."""
    with scene.load() as (service, _):
        scene.wait(0.2, 0.6)
        reader = stopped_reader(scene)
        with contextlib.ExitStack() as stack:
            stack.callback(end_reader, reader)
            check_buys(scene, service, "a purchase beside a reader that is stopped")
            check_lives(service, "a stopped reader")
            dies_first = scene.chance.random() < 0.5
            if dies_first:
                end_reader(reader)
                check_buys(scene, service, "a purchase after a reader died")
            else:
                service.kill()
    return "a reader died " + ("beside it" if dies_first else "after it")


def stopped_reader(scene):
    """A `verify` that is stopped before its end, with the processes that it started."""
    for _ in range(50):
        reader = subprocess.Popen(
            [scene.world.binary, "verify", "--data-dir", scene.world.data], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True)
        scene.wait(0.02, 0.2)
        if reader.poll() is None:
            os.killpg(reader.pid, signal.SIGSTOP)
            if reader.poll() is None:
                return reader
    check(False, "verify was never caught amid its reading")


def end_reader(reader):
    if reader.returncode is None:
        os.killpg(reader.pid, signal.SIGKILL)
        reader.wait()


def cut_file(scene):
    """A data file that lost its end is refused with one sentence, and nothing is touched; put back, it is as it was."""
    with scene.load():
        scene.wait(0.3, 1.0)
    size = os.path.getsize(scene.file)
    needed = (newest_meta(scene.file)[1] + 1) * PAGE
    check(size >= needed, f"the data file has {size} bytes, and its pages need {needed}")
    length = scene.chance.choice([0, needed - 1, needed - PAGE, scene.chance.randrange(needed)])
    with open(scene.file, "r+b") as file:
        file.seek(length)
        tail = file.read()
        file.truncate(length)
    try:
        before = fingerprints(scene.world.data)
        service = scene.world.serve()
        try:
            service.process.wait(30)
        except subprocess.TimeoutExpired:
            service.kill()
            check(False, f"serve starts with a data file cut from {size} to {length} bytes")
        said = [line for line in service.output().splitlines() if line.strip()]
        check(service.process.returncode == 1, f"a cut file: status {service.process.returncode}: {said}")
        check(len(said) == 1 and said[0].startswith("Error: "), f"a cut file: not one sentence: {said}")
        after = fingerprints(scene.world.data)
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        check(not changed, f"a start that refused a cut file changed {', '.join(changed)}")
    finally:
        with open(scene.file, "r+b") as file:
            file.seek(length)
            file.write(tail)
    return f"data file cut from {size} to {length} bytes, refused, put back"


def newest_meta(path):
    """Number of the last transaction, and of the last page, by LMDB's newer meta page (lmdb 0.9, mdb.c, MDB_meta)."""
    metas = []
    with open(path, "rb") as file:
        for number in (0, 1):
            file.seek(number * PAGE + 16)
            magic, _, _, _ = struct.unpack("<IIQQ", file.read(24))
            check(magic == 0xBEEFC0DE, "the data file has no meta page")
            file.seek(number * PAGE + 16 + 24 + 2 * 48)
            last, transaction = struct.unpack("<QQ", file.read(16))
            metas.append((transaction, last))
    return max(metas)


def fingerprints(folder):
    """What each file of a folder is: its size and digest, and when it was written.

    LMDB's table of readers is left out: whoever opens the log first sets it up anew, also to read alone.
    """
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if name == "lock.mdb" or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            status = os.stat(path)
            found[os.path.relpath(path, folder)] = (status.st_size, digest, status.st_mtime_ns)
    return found


def flipped_bits(scene, count=8):
    """Each bit by itself: `verify` finds it, or no answer changes. Then it is flipped back."""
    with scene.load():
        scene.wait(0.3, 1.0)
    before = fingerprints(scene.world.data)["data.mdb"][:2]
    answers = all_answers(scene.world)
    found = 0
    for _ in range(count):
        with written_byte(scene) as offset:
            result = subprocess.run(
                [scene.world.binary, "verify", "--data-dir", scene.world.data],
                capture_output=True, check=False, timeout=120)
            check(result.returncode in (0, 1), f"a bit at {offset} was flipped: verify ended with {result.returncode}")
            if result.returncode == 1:
                check(result.stdout or result.stderr, f"verify says nothing of a flipped bit at {offset}")
                found += 1
            else:
                check(all_answers(scene.world) == answers, f"a bit at {offset} was flipped: found by nobody, other answers")
    check(fingerprints(scene.world.data)["data.mdb"][:2] == before, "the bits were not all flipped back")
    return f"{found} of {count} flipped bits found, the others change no answer"


@contextlib.contextmanager
def written_byte(scene):
    """Flips a bit of a byte that is not zero, as most of those are that nothing uses, and flips it back at the end."""
    size = os.path.getsize(scene.file)
    with open(scene.file, "r+b", buffering=0) as file:
        value = 0
        while value == 0:
            offset = scene.chance.randrange(size)
            file.seek(offset)
            value = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([value ^ 1 << scene.chance.randrange(8)]))
        try:
            yield offset
        finally:
            file.seek(offset)
            file.write(bytes([value]))


def all_answers(world):
    """What can be asked of a directory that nobody serves."""
    answers = []
    for question in (
        ["events", "--limit", "1000000000", "--format", "json"], ["audit", "--format", "json", "--by", "resource"],
        ["audit", "--format", "json"],
    ):
        result = subprocess.run(
            [world.binary, *question, "--data-dir", world.data], capture_output=True, check=False, timeout=120)
        answers.append((result.returncode, result.stdout))
    return answers


STRIKES = (full_disk, file_limit, dead_reader, cut_file, flipped_bits)
