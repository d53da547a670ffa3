"""What the measurements of tools/bench have in common: servers, questions to them, and tables."""

import atexit
import http.client
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time


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
        # A run that breaks off leaves nothing behind.
        atexit.register(self.process.kill)
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


def allow_sockets(count):
    """Lets this process and those that it starts have so many: each is a file, here and there."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8 * count), hard))


def crowd(port, path, count):
    """The answers to so many who ask for the same at once, a socket each, as they came."""
    sockets = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(count)]
    ask = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    for client in sockets:
        client.sendall(ask)
    answers = []
    for client in sockets:
        parts = []
        while part := client.recv(1 << 16):
            parts.append(part)
        client.close()
        answers.append(b"".join(parts))
    return answers


def table(title, rows):
    print(f"\n{title}")
    width = max(len(row[0]) for row in rows)
    figures = max(len(row[1]) for row in rows)
    for name, figure, ratio in rows:
        print(f"  {name:{width}}  {figure:>{figures}}  {ratio}".rstrip(), flush=True)


def grouped(number):
    return f"{number:,.0f}".replace(",", " ")


def private_memory(port):
    metrics = request(port, "GET", "/metrics")[1].decode()
    return float(re.search(r"^tollbook_private_memory_bytes ([\d.e+]+)", metrics, re.M).group(1))
