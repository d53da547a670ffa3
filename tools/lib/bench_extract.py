"""What it costs to have documents read through Tollbook: uploads, streamed answers, and memory.

A drawn invoice is made as long as a scan by a stream that no page shows. Gemini is simulated in a process of its own.
All of it ends within three minutes.
"""

import base64
import collections
import contextlib
import hashlib
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from bench_world import Server, free_port, grouped, private_memory, table

LIMIT = 170  # seconds for all parts together
BOUNDARY = "a-line-that-no-invoice-has"


def bench_extract(binaries, folder):
    """Documents: an upload that is answered from the cache, a stream in passing, and many uploads at once."""
    end = time.monotonic() + LIMIT
    subprocess.run(
        [f"{binaries}/tollbook", "simulate", "invoices", os.path.join(folder, "invoices"), "--count",
         "1"], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "invoices", "invoice-00001.pdf"), "rb") as file:
        invoice = file.read()
    bench_cached_upload(binaries, folder, invoice)
    bench_stream(binaries, folder, invoice)
    bench_uploads_at_once(binaries, folder, invoice, end)


@contextlib.contextmanager
def running(*arguments, path="/"):
    """A program that listens on a free port while the block runs. What has failed is killed."""
    port = free_port()
    server = Server([*arguments, "--port", str(port)], port, path)
    how = signal.SIGKILL
    try:
        yield server
        how = signal.SIGTERM
    finally:
        server.stop(how)


def gemini(binaries):
    return running(f"{binaries}/tollbook", "simulate", "gemini", path="/_simulator/books")


def tollbook(binaries, data, gemini_port):
    return running(
        f"{binaries}/tollbook", "serve", "--simulate", "--data-dir", data, "--gemini-simulator",
        f"http://127.0.0.1:{gemini_port}", path="/health")


def quantile(values, share):
    return sorted(values)[int(len(values) * share)]


class Upload:
    """A form with one PDF, in parts of which the long last one is always the same object."""

    def __init__(self, invoice, size):
        """An invoice with one more stream, behind its end and with a table of its own, as what is added later stands in
        a PDF (ISO 32000-1, section 7.5.6). The bytes of the stream are arbitrary, like those of a picture.

        size: of the PDF, in bytes.
        """
        previous = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", invoice).group(1))
        number = int(re.search(rb"/Size (\d+) ", invoice).group(1))

        def parts(length):
            start = b"%d 0 obj\n<< /Length %d >>\nstream\n" % (number, length)
            close = b"\nendstream\nendobj\n"
            table_at = len(invoice) + len(start) + length + len(close)
            return start, close + (
                b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root 1 0 R /Prev %d >>\n"
                b"startxref\n%d\n%%%%EOF\n"
                % (number, len(invoice), number + 1, previous, table_at))

        # The figures in it have as many digits with the length that is found as with this one.
        length = size - len(invoice) - sum(map(len, parts(size - 2 * len(invoice))))
        start, close = parts(length)
        self.size = len(invoice) + len(start) + length + len(close)
        assert self.size == size, self.size
        digits = 8
        self.head = (
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"companyID\"\r\n\r\ndefault\r\n"
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"scan.pdf\"\r\n"
            "Content-Type: application/pdf\r\n\r\n").encode() + invoice + start
        self.rest = (
            random.Random(1).randbytes(length - digits) + close + f"\r\n--{BOUNDARY}--\r\n".encode())
        self.headers = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(len(self.head) + digits + len(self.rest)),
        }

    def parts(self, number):
        """The body with a PDF that no other number has."""
        return [self.head, b"%08d" % number, self.rest]


def ask(connection, path, body, headers):
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        sys.exit(f"POST {path} was answered with {answer.status}: {content[:500].decode()}")
    return answer, content


# ------------------------------------------------------------------------------------- cached


def bench_cached_upload(binaries, folder, invoice, pairs=200, limit=45):
    """The same PDF again and again, in turns with a server that does the least that tells whether it is the same."""
    upload = Upload(invoice, 2_000_000)
    body = b"".join(upload.parts(0))
    took = {"/hash": [], "/extract": []}
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(gemini(binaries))
        server = stack.enter_context(
            tollbook(binaries, os.path.join(folder, "cached-upload"), upstream.port))
        ours = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        ask(ours, "/extract", body, upload.headers)
        _, content = ask(ours, "/extract", body, upload.headers)
        bare_server = stack.enter_context(
            running(f"{binaries}/tollbook-bench", "bare-route", "--bytes", str(len(content))))
        bare = http.client.HTTPConnection("127.0.0.1", bare_server.port, timeout=30)
        answer, _ = ask(bare, "/hash", body, upload.headers)
        assert answer.headers["ETag"] == f'"{hashlib.sha256(body).hexdigest()}"', answer.headers
        end = time.monotonic() + limit
        while len(took["/hash"]) < pairs and time.monotonic() < end:
            for connection, path in ((bare, "/hash"), (ours, "/extract")):
                began = time.monotonic()
                _, again = ask(connection, path, body, upload.headers)
                took[path].append(time.monotonic() - began)
                assert len(again) == len(content), (path, len(again), len(content))
            read = json.loads(again)
            assert read["cache_hit"] is True and read["pages"] == 1, again
        ours.close()
        bare.close()
    middle = {path: quantile(values, 0.5) * 1_000 for path, values in took.items()}
    table(
        f"A PDF of {grouped(upload.size)} bytes that was read before,"
        f" {len(took['/hash'])} uploads each in turns, medians",
        [
            ("a bare Hummingbird route that hashes it", f"{middle['/hash']:.2f} ms", ""),
            ("POST /extract", f"{middle['/extract']:.2f} ms",
             f"Tollbook {middle['/hash'] / middle['/extract']:.2f} ×, limit: 0.50"),
        ])


# ------------------------------------------------------------------------------------- streams


class HeldApart:
    """Plays an answer of the simulator to whoever asks, its events so far apart as a model writes them.

    The simulator writes a whole stream at once. Here it is known when each event was let go.
    """

    GAP = 0.005  # seconds

    def __init__(self, answer):
        head, self.end, body = answer.partition(b"\r\n\r\n")
        self.head = head + self.end
        events = re.findall(rb"[0-9a-fA-F]+\r\n.*?}\r\n\r\n\r\n", body, re.S)
        self.events = events[:-1] + [body[sum(map(len, events[:-1])):]]
        assert len(self.events) > 1 and self.events[-1].endswith(b"\r\n0\r\n\r\n"), answer[-200:]
        # When the events of the last answer were let go.
        self.times = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as reader:
            while reader.readline():
                length = 0
                while (line := reader.readline().lower()) not in (b"\r\n", b""):
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                reader.read(length)
                self.times = []
                connection.sendall(self.head)
                for event in self.events:
                    time.sleep(self.GAP)
                    self.times.append(time.monotonic())
                    connection.sendall(event)

    def close(self):
        # Wakes up who waits there.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


# The last chunk of a body and the trailer fields behind it (RFC 9112, section 7.1).
STREAM_END = re.compile(rb"\r\n0\r\n(?:[^\r\n:]+:[^\r\n]*\r\n)*\r\n\Z")


def read_stream(connection, question):
    """Asks, and reads an answer as it arrives.

    Returns the answer and when the end of each event was there.
    """
    connection.sendall(question)
    answer, times = bytearray(), []
    while not STREAM_END.search(answer):
        part = connection.recv(1 << 16)
        now = time.monotonic()
        if not part:
            break
        answer += part
        times += [now] * (answer.count(b"}\r\n\r\n") - len(times))
    if not answer.startswith(b"HTTP/1.1 200 "):
        sys.exit(f"a stream was answered with {bytes(answer[:500]).decode()}")
    return bytes(answer), times


def stream_question(base, invoice):
    body = json.dumps({
        "contents": [{"parts": [
            {"inlineData": {
                "mimeType": "application/pdf", "data": base64.b64encode(invoice).decode()}},
            {"text": "What does this invoice say?"},
        ]}],
        "generationConfig": {"responseMimeType": "application/json"},
    }).encode()
    return (
        f"POST {base}/v1beta/models/gemini-3.5-flash-lite:streamGenerateContent?alt=sse HTTP/1.1\r\n"
        "Host: localhost\r\nContent-Type: application/json\r\n"
        f"x-goog-api-key: simulated-gemini-key-0001\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def bench_stream(binaries, folder, invoice, rounds=60, limit=45):
    """The same stream through Tollbook and past it, in turns: when each event was let go, and when it was read."""
    late = {"past": [], "through": []}
    gaps = {"past": [], "through": []}
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(gemini(binaries))
        with socket.create_connection(("127.0.0.1", upstream.port), timeout=30) as connection:
            answer, _ = read_stream(connection, stream_question("", invoice))
        slow = stack.enter_context(contextlib.closing(HeldApart(answer)))
        server = stack.enter_context(
            tollbook(binaries, os.path.join(folder, "stream"), slow.port))
        ways = [
            (name, stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)),
             stream_question(base, invoice))
            for name, port, base in (("past", slow.port, ""), ("through", server.port, "/gemini"))
        ]
        end = time.monotonic() + limit
        done = 0
        while done < rounds and time.monotonic() < end:
            for name, connection, question in ways:
                _, times = read_stream(connection, question)
                assert len(times) == len(slow.times) == len(slow.events), (name, len(times))
                if done > 0:  # The first one is to warm up.
                    late[name] += [here - there for here, there in zip(times, slow.times)]
                    gaps[name] += [after - before for before, after in zip(times, times[1:])]
            done += 1
    p99 = {name: quantile(values, 0.99) * 1_000 for name, values in late.items()}
    p50 = {name: quantile(values, 0.5) * 1_000 for name, values in late.items()}
    gap = {name: quantile(values, 0.99) * 1_000 for name, values in gaps.items()}
    table(
        f"A stream of {len(slow.events)} events of the simulator, held"
        f" {HeldApart.GAP * 1_000:.0f} ms apart, {done - 1} each in turns",
        [
            ("from letting go of an event to reading it, p99", f"{p99['past']:.2f} ms",
             f"p50 {p50['past']:.2f} ms"),
            ("the same through /gemini/, p99", f"{p99['through']:.2f} ms",
             f"p50 {p50['through']:.2f} ms"),
            ("added to an event, p99", f"{p99['through'] - p99['past']:.2f} ms", "limit: 1 ms"),
            ("added to the gap between two, p99", f"{gap['through'] - gap['past']:.2f} ms",
             f"limit: 1 ms; {gap['past']:.2f} ms and {gap['through']:.2f} ms"),
        ])


# ------------------------------------------------------------------------------------- at once


def bench_uploads_at_once(binaries, folder, invoice, end, count=100):
    """Many long PDFs that were never seen, all on their way at the same time."""
    upload = Upload(invoice, 20_000_000 - 1_000)
    outcomes = {}
    samples = []
    finished = threading.Event()
    gate = threading.Barrier(count + 1)

    def post(number, port):
        gate.wait()
        outcomes[number] = outcome_of_post(port, upload, number, end)

    def watch(port):
        while not finished.wait(0.05):
            with contextlib.suppress(OSError, http.client.HTTPException):
                samples.append(private_memory(port))

    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(gemini(binaries))
        server = stack.enter_context(
            tollbook(binaries, os.path.join(folder, "at-once"), upstream.port))
        before = private_memory(server.port)
        threads = [
            threading.Thread(target=post, args=(number, server.port), daemon=True)
            for number in range(count)]
        watcher = threading.Thread(target=watch, args=(server.port,), daemon=True)
        for thread in (*threads, watcher):
            thread.start()
        gate.wait()
        began = time.monotonic()
        for thread in threads:
            thread.join(max(0, end - time.monotonic()))
        took = time.monotonic() - began
        finished.set()
        watcher.join(10)
        told = [outcomes.get(number, "no answer in time") for number in range(count)]
        if told.count("no answer in time"):
            # It would wait for them.
            server.stop(signal.SIGKILL)
    good = told.count("200")
    others = collections.Counter(outcome for outcome in told if outcome != "200").most_common()
    table(
        f"{count} PDFs of {grouped(upload.size)} bytes at once, each a different one,"
        " none of them read before",
        [
            ("answered with 200", f"{good}",
             "; ".join(
                 [f"limit: {count}", f"in {took:.0f} s"]
                 + [f"{times} not: {outcome}" for outcome, times in others])),
            ("most private memory", f"{max([before, *samples]) / 1e6:.0f} MB",
             f"limit: 200 MB; {before / 1e6:.0f} MB before, seen {len(samples)} times"),
        ])


def outcome_of_post(port, upload, number, end):
    """What became of an upload: 200, another status with its reason, or what went wrong."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=max(1, end - time.monotonic()))
    try:
        # A server may answer before it has read it all.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", "/extract", upload.parts(number), upload.headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status == 200:
            return "200"
        with contextlib.suppress(ValueError, KeyError):
            return f"{answer.status}, {json.loads(content)['detail']}"
        return f"{answer.status}, {answer.reason}"
    except TimeoutError:
        return "no answer in time"
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
