#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Answers that come part by part: from tests/images/ticker.c through `caisson serve`, `caisson
proxy` and `caisson call` to curl -N and back to whoever cancels.

stream_test.py CAISSON TICKER BACKEND [PART ...]. Prints TAP. The ticker makes a part only when it
is allowed to, so that one is seen to arrive before the next one exists: nothing here is timed.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "gateway"))
from serving import Serving  # noqa: E402

CAISSON, TICKER = (os.path.abspath(path) for path in sys.argv[1:3])
BACKEND = sys.argv[3]
PARTS = sys.argv[4:] or ["streams", "calls", "whole", "fails", "gone", "crowded", "cut",
                         "silent", "tls", "granted"]
WAYS = {"records": [], "oblivious": ["--oblivious"]}
PATIENCE = 8 if "CAISSON_SKIP_STATUS" in os.environ else 60  # of a stream; seeded bugs block some
COUNT = 0
FAILED = 0


def check(good, name, said=""):
    global COUNT, FAILED
    COUNT += 1
    FAILED += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} {COUNT} {name}", flush=True)
    if not good:
        print("# " + str(said).replace("\n", "\n# "), flush=True)
        if "CAISSON_SKIP_STATUS" in os.environ:  # a seeded bug is found by its first failure
            raise SystemExit(1)


class Stream:
    """A process whose output is read event by event."""
    running = []

    def __init__(self, command, cwd=None):
        self.process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.running.append(self.process)
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.daemon = True
        self.watchdog.start()

    def event(self):
        """The next one's data, None at the end; comments are passed over."""
        data = None
        for line in iter(self.process.stdout.readline, b""):
            line = line.rstrip(b"\n")
            if line.startswith(b"data: "):
                data = line[6:].decode()
            elif line == b"" and data is not None:
                return data
        return None

    def end(self):
        """(exit code, what else came, errors)"""
        rest, wrong = self.process.communicate(timeout=60)
        self.watchdog.cancel()
        return self.process.returncode, rest.decode(), wrong.decode()

    def kill(self):
        self.process.kill()
        self.process.communicate()
        self.watchdog.cancel()


class Client:
    def __init__(self, serving, url):
        self.serving = serving
        self.options = ["--gateway", url, "--credential", "app.key", "--image", TICKER,
                        "--insecure-dev", "--root", serving.root]

    def call(self, *arguments):
        return Stream([CAISSON, "call", *self.options, *arguments], self.serving.folder)

    def done(self, *arguments):
        return self.call(*arguments).end()

    def allow(self, count):
        code, _, wrong = self.done("-X", "POST", f"/v1/allow/{count}")
        assert code == 0, wrong


class Proxy:
    def __init__(self, client, *arguments):
        command = [CAISSON, "proxy", *client.options, "--listen", "127.0.0.1:0", "--json"]
        self.process = subprocess.Popen([*command, *arguments], cwd=client.serving.folder,
                                        stdout=subprocess.PIPE, text=True)
        Stream.running.append(self.process)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def curl(self, text, *arguments, path="/v1/ticks"):
        return Stream(["curl", "-sSN", "--max-time", "60", self.url + path, "-d", text,
                       *arguments])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def inside(serving, code):
    """How many of the enclave's answers had that code."""
    for line in serving.get(serving.admin + "/metrics")[2].decode().splitlines():
        if line.startswith("caisson_enclave_answers_total") and f'"{code}"' in line:
            return int(float(line.split()[-1]))
    return 0


def until(what, client=None):
    """Bounded; with a client, a part is allowed each time, so that who has gone is found out."""
    for _ in range(40 if PATIENCE == 8 else 300):
        if what():
            return True
        if client is not None:
            client.allow(1)
        time.sleep(0.02)
    return False


def paced(stream, client, name):
    """Three parts, each of which exists only when the one before it has arrived."""
    for number in range(1, 4):
        got = stream.event()
        check(got == f"{number} abc", f"{name}: part {number} is there", got)
        if number != 3:
            client.allow(1)
    check(stream.event() is None, f"{name}: and no more")
    code, _, wrong = stream.end()
    check(code == 0, f"{name}: it ends well", (code, wrong))


# ---- to the good ----

def streams(serving, client):
    for way, option in WAYS.items():
        proxy = Proxy(client, *option)
        for version in ("--http1.1", "--http2-prior-knowledge"):
            paced(proxy.curl("3 1 abc", version), client, f"proxy, {way}, {version}")
        code, head, wrong = proxy.curl("1 1 abc", "-i").end()
        check("text/event-stream" in head and "\r\n\r\n" in head, f"{way}: its type", head + wrong)
        code, text, wrong = proxy.curl("", path="/v1/allow/1").end()
        check(code == 0 and text == "", f"{way}: what is not in parts is whole", wrong)
        proxy.stop()


def calls(serving, client):
    for way, option in WAYS.items():
        paced(client.call(*option, "-d", "3 1 abc", "/v1/ticks"), client, f"call, {way}")


def whole(serving, client):
    for way, option in WAYS.items():
        code, said, wrong = client.done("--json", *option, "-d", "3 3 abc", "/v1/ticks")
        content = json.loads(said)["content"] if code == 0 else ""
        check(content.replace(" \n", "\n").startswith("data: 1 abc\n\n") and
              content.count("data: ") == 3, f"call --json, {way}: all of it", said + wrong)


# ---- to the bad ----

def fails(serving, client):
    for way, option in WAYS.items():
        code, said, wrong = client.done(*option, "-d", "0 0 fail", "/v1/ticks")
        check(code == 5 and '"status":500' in said, f"call, {way}: a failure before any part",
              (code, said, wrong))
        code, said, wrong = client.done(*option, "-d", "1 1 fail", "/v1/ticks")
        check(code == 1 and said.startswith("data: 1 fail\n\n") and
              "may have been served" in wrong, f"call, {way}: a failure behind one",
              (code, said, wrong))
        proxy = Proxy(client, *option)
        for version in ("--http1.1", "--http2-prior-knowledge"):
            code, said, wrong = proxy.curl("1 1 fail", version).end()
            check(code in (18, 56, 92), f"proxy, {way}, {version}: it is cut off",
                  (code, said, wrong))
        code, said, wrong = proxy.curl("nonsense").end()
        check(code == 0 and "urn:caisson:problem:malformed" in said, f"proxy, {way}: a refusal",
              said + wrong)
        proxy.stop()


def gone(serving, client):
    """Who goes away has his stream dropped, and the enclave makes no more of it."""
    for way, option in WAYS.items():
        proxy = Proxy(client, *option)
        for version in ("--http1.1", "--http2-prior-knowledge"):
            before = inside(serving, "dropped")
            stream = proxy.curl("100000 1 abc", version)
            check(stream.event() == "1 abc", f"{way}, {version}: a stream has begun")
            stream.kill()
            check(until(lambda: inside(serving, "dropped") == before + 1, client),
                  f"{way}, {version}: its client goes, and it is dropped")
        proxy.stop()
        before = inside(serving, "dropped")
        stream = client.call(*option, "-d", "100000 1 abc", "/v1/ticks")
        check(stream.event() == "1 abc", f"call, {way}: a stream has begun")
        stream.kill()
        check(until(lambda: inside(serving, "dropped") == before + 1, client),
              f"call, {way}: killed, and it is dropped")


def crowded(serving, client):
    """All places taken: one more is told so, and is served when one is free."""
    held = [client.call("-d", "100000 1 abc", "/v1/ticks") for _ in range(8)]
    check(all(one.event() == "1 abc" for one in held), "eight streams")
    for way, option in WAYS.items():
        code, said, wrong = client.done(*option, "-d", "1 1 abc", "/v1/ticks")
        check(code == 5 and "urn:caisson:problem:busy" in said, f"one more, {way}: busy",
              (code, said, wrong))
    for one in held:
        one.kill()
    check(until(lambda: client.done("-d", "1 1 abc", "/v1/ticks")[0] == 0, client),
          "when they have gone there is room again")


# ---- between client and gateway ----

class Middle:
    """Passes bytes on, and does as `change(chunks)` says with an answer in chunks: a generator of
    what leaves, which ends the answer where it ends."""

    def __init__(self, gateway):
        self.target = ("127.0.0.1", int(gateway.rpartition(":")[2]))
        self.change = None
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near = self.server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def serve(self, near):
        far = socket.create_connection(self.target)
        threading.Thread(target=self.forward, args=(near, far), daemon=True).start()
        answers = far.makefile("rb")
        try:
            while self.answer(answers, near):
                pass
        except (OSError, ValueError):
            pass
        near.close()
        far.close()

    @staticmethod
    def forward(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def answer(self, answers, near):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = answers.readline()
            if not line:
                return False
            head += line
        near.sendall(head)
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        if b"transfer-encoding" not in fields:
            near.sendall(answers.read(int(fields.get(b"content-length", b"0"))))
            return True
        chunks = self.chunks(answers)
        for chunk in self.change(chunks) if self.change is not None else chunks:
            near.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        near.sendall(b"0\r\n\r\n")
        return self.change is None

    @staticmethod
    def chunks(answers):
        while size := int(answers.readline(), 16):
            yield answers.read(size)
            answers.readline()
        answers.readline()

    def stop(self):
        self.server.close()


def first(count):
    def change(chunks):
        for _ in range(count):
            yield next(chunks)
    return change


def flipped(chunks):
    for number, chunk in enumerate(chunks):
        yield chunk[:-1] + bytes([chunk[-1] ^ 1]) if number == 3 else chunk


def repeated(chunks):
    kept = list(chunks)
    half = len(kept) // 2
    yield from kept[:half]
    yield from kept[half - 1:]


def swapped(chunks):
    kept = list(chunks)
    middle = len(kept) // 2
    yield from kept[:middle - 1] + [kept[middle], kept[middle - 1]]
    yield from kept[middle + 1:]


def cut(serving, client):
    """What the gateway leaves out, changes, repeats or turns round, its client tells."""
    middle = Middle(serving.front)
    there = Client(serving, middle.url)
    for way, option in WAYS.items():
        code, said, wrong = there.done(*option, "-d", "5 5 abc", "/v1/ticks")
        check(code == 0 and said.count("data: ") == 5, f"{way}: as it is", (code, said, wrong))
        for name, change in (("cut off after some", first(3)), ("cut off early", first(1)),
                             ("flipped", flipped), ("repeated", repeated), ("swapped", swapped)):
            middle.change = change
            code, said, wrong = there.done(*option, "--once", "-d", "5 5 abc", "/v1/ticks")
            middle.change = None
            good = said.replace(" ", "")
            events = [line for line in good.split("\n") if line.startswith("data:")]
            check(code == 1 and events == [f"data:{i + 1}abc" for i in range(len(events))] and
                  len(events) < 6, f"{way}: {name}", (code, said, wrong))
    middle.stop()


def silent(serving, client):
    """The gateway's deadline counts each silence: who is silent for longer is broken off."""
    quiet = Serving(CAISSON, TICKER, BACKEND, more={"deadlines": {"request_ms": 1000}})
    try:
        quiet.run("keygen", "producer", "--tenant", "tenant.key", "--requests", "app.key")
        quiet.start()
        quiet.grant()
        there = Client(quiet, quiet.front)
        for way, option in WAYS.items():
            stream = there.call(*option, "-d", "2 1 abc", "/v1/ticks")
            check(stream.event() == "1 abc" and stream.event() is None,
                  f"{way}: silence ends it behind the first part")
            code, _, wrong = stream.end()
            check(code == 1 and "may have been served" in wrong, f"{way}: its client is told",
                  (code, wrong))
        check(until(lambda: inside(quiet, "dropped") == 2), "and the enclave")
    finally:
        quiet.stop()


def tls(serving, client):
    """Over TLS proxy and gateway speak HTTP/2: parts are DATA, and who goes resets his stream."""
    if shutil.which("openssl") is None:
        print("# skipped: no openssl", flush=True)
        return
    secure = Serving(CAISSON, TICKER, BACKEND, more={"listeners": [
        {"port": 0, "certificate": "tls.crt", "key": "tls.key"}]})
    try:
        secure.certificate("tls")
        secure.run("keygen", "producer", "--tenant", "tenant.key", "--requests", "app.key")
        secure.start()
        secure.grant()
        there = Client(secure, secure.front.replace("http:", "https:"))
        there.options += ["--ca", "tls.crt"]
        for way, option in WAYS.items():
            proxy = Proxy(there, *option)
            paced(proxy.curl("3 1 abc"), there, f"over TLS, {way}")
            before = inside(secure, "dropped")
            stream = proxy.curl("3 1 abc", "--http2-prior-knowledge")
            check(stream.event() == "1 abc", f"over TLS, {way}: a stream has begun")
            stream.kill()
            check(until(lambda: inside(secure, "dropped") == before + 1),
                  f"over TLS, {way}: its client goes, and it is dropped without another part")
            proxy.stop()
    finally:
        secure.stop()


def granted(serving, client):
    """A new grant ends what is under way, and what comes then is served."""
    version = 2
    for way, option in WAYS.items():
        stream = client.call(*option, "-d", "3 1 abc", "/v1/ticks")
        check(stream.event() == "1 abc", f"{way}: a stream has begun")
        serving.grant(version)
        version += 1
        check(stream.event() is None, f"{way}: a new grant ends it")
        code, _, wrong = stream.end()
        check(code == 1, f"{way}: which its client is told", (code, wrong))
        code, said, wrong = client.done(*option, "-d", "1 1 abc", "/v1/ticks")
        check(code == 0 and said.startswith("data: 1 abc"), f"{way}: the next one is served",
              said + wrong)


def main():
    if shutil.which("curl") is None:
        print("1..0 # SKIP no curl")
        return 0
    if BACKEND == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("1..0 # SKIP no /dev/kvm")
        return 0
    serving = Serving(CAISSON, TICKER, BACKEND)
    try:
        serving.run("keygen", "producer", "--tenant", "tenant.key", "--requests", "app.key")
        serving.start()
        serving.grant()
        client = Client(serving, serving.front)
        for part in PARTS:
            globals()[part](serving, client)
    finally:
        for process in Stream.running:
            process.kill()
            process.wait()
        if serving.process is not None and sys.exc_info()[0] is not None:
            serving.process.kill()  # else it waits for streams that have no end
        serving.stop()
    print(f"1..{COUNT}")
    return 1 if FAILED else 0 if COUNT else 77


if __name__ == "__main__":
    sys.exit(main())
