# SPDX-License-Identifier: Apache-2.0
"""What the tests with other people's clients share: TAP, programs that answer line by line, and a
gateway or a relay in a thread that hands bodies on, unharmed or not."""
import contextlib
import http.server
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
AEADS = {1: "AES-128-GCM", 2: "AES-256-GCM", 3: "ChaCha20-Poly1305"}
KEY_PROBLEM = "https://iana.org/assignments/http-problem-types#ohttp-key"
SEEDED = "CAISSON_SKIP_STATUS" in os.environ  # a bug is seeded: the first failure is enough
COUNT = FAILED = 0


def check(good, name, seen=None):
    global COUNT, FAILED
    COUNT += 1
    FAILED += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} {COUNT} {name}", flush=True)
    if not good and seen is not None:
        print(f"# {seen}"[:400].replace("\n", " "), flush=True)
    if not good and SEEDED:
        sys.exit(1)


def skip(name, reason, count=1):
    """So many checks that cannot be made here."""
    global COUNT
    for _ in range(count):
        COUNT += 1
        print(f"ok {COUNT} {name} # SKIP {reason}", flush=True)


class Missing(Exception):
    """Why it cannot run here."""


def main(run):
    """The program: run(closing), which opens things by closing(thing) and makes the checks."""
    with contextlib.ExitStack() as stack:
        try:
            run(lambda thing: stack.enter_context(contextlib.closing(thing)))
        except Missing as reason:
            print(f"1..0 # SKIP {reason}")
            # Seeded bugs are to fail, so for them it is said by the status.
            sys.exit(int(os.environ.get("CAISSON_SKIP_STATUS", "0")))
    print(f"1..{COUNT}")
    sys.exit(1 if FAILED else 0)


class Scratch:
    """A folder of its own, gone with all that is in it when closed."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="caisson-clients-")

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)  # a browser's last files may come late


def end(process, seconds=10, group=False):
    """A program of ours that is to stop: asked first, then made to; and what it left of its own
    process group. Its exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if group:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode


class Lines:
    """A program that answers each line with a line."""

    def __init__(self, *command, **how):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        **how)
        self.rest = b""
        self.lock = threading.Lock()

    def ask(self, line, seconds=30):
        with self.lock:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
            return self.line(time.monotonic() + seconds)

    def line(self, deadline):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.rest:
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise TimeoutError(f"{self.process.args[0]} does not answer")
                more = os.read(self.process.stdout.fileno(), 1 << 16)
                if not more:
                    raise EOFError(f"{self.process.args[0]} ended")
                self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def close(self):
        self.process.stdin.close()
        end(self.process)
        self.process.stdout.close()


class Peer(Lines):
    """peer.c: our own ends of Oblivious HTTP."""

    def call(self, *words):
        word, _, rest = self.ask(" ".join(words)).partition(" ")
        if word != "ok":
            raise ValueError(rest)
        return bytes.fromhex(rest)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *where):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a browser that is closed
            super().handle_error(*where)


class Posts:
    """An HTTP server on loopback: answer(path, body) to what is posted, get(path) to what is asked
    for, give (status, type, body), and may give more fields. with_fields: they take those of the
    request, too."""

    def __init__(self, answer, get=None, with_fields=False):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one segment

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                self.say(*answer(self.path, body, **self.more()))

            def do_GET(self):
                self.say(*get(self.path, **self.more()) if get else (404, "text/plain", b""))

            def more(self):
                return {"fields": {name.lower(): value for name, value in self.headers.items()}
                        } if with_fields else {}

            def say(self, status, kind, made, fields=None):
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(made)))
                for name, value in (fields or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(made)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/gateway"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Bare:
    """peer.c or inside.c as a gateway. Its refusals are what RFC 9458 says, and no more."""

    sizes = (0, 1, 26, 1000, 40000)
    echo = "/v1/echo"
    typed = ("", "/v1/echo")  # a service, by its path behind the gateway's, that takes one type

    def __init__(self, program):
        self.peer = Peer(program)
        self.token = self.peer.call("token").decode()
        self.token_without_right = None  # only inside.c has one
        with contextlib.suppress(ValueError):
            self.token_without_right = self.peer.call("token-asker").decode()
            self.echo, self.typed = "/echo", ("", "/json")
        self.posts = Posts(self.answer)
        self.url = self.posts.url

    def keys(self, _=""):
        return self.peer.call("keys")

    def answer(self, _, body):
        try:
            return 200, "message/ohttp-res", self.peer.call("answer", body.hex())
        except ValueError as error:
            kind = KEY_PROBLEM if str(error) == "unknown" else "about:blank"
            return 400, "application/problem+json", json.dumps({"type": kind}).encode()

    def close(self):
        self.posts.close()
        self.peer.close()


class Relay:
    """Between a client and its gateway, as RFC 9458 has it. What it must not be able to do is what
    it tries, by the name in `does`; `seen` are the statuses and types that passed."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.does = None
        self.seen = []
        self.kept = None
        self.posts = Posts(self.answer, self.get)
        self.url = self.posts.url

    def get(self, _):
        return 404, "text/plain", b""

    def answer(self, path, body):
        if self.does == "flip a bit of the request":
            body = flipped(body, len(body) - 20)
        status, kind, made = self.gateway.answer(path, body)
        self.seen.append((status, kind))
        if self.does == "flip a bit of the answer":
            made = flipped(made, len(made) - 20)
        if self.does == "cut the answer short":
            made = made[:-1]
        if self.does == "give the answer of another request":
            made = self.kept
        self.kept = made
        return status, kind, made

    def close(self):
        self.posts.close()


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def only(keys, aead):
    """Of a list with one configuration: the configuration (without its length), with one suite."""
    config = keys[2:]
    return config[:35] + bytes([0, 4, 0, 1, 0, aead])
