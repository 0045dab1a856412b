#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""caisson serve, from a configuration to answers, and what happens when things end.

serve_test.py CAISSON ECHO FAULTY LOAD BACKEND [PART ...]. Prints TAP.
"""
import contextlib
import hashlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

CAISSON, ECHO, FAULTY, LOAD = (os.path.abspath(path) for path in sys.argv[1:5])
BACKEND = sys.argv[5]
PARTS = sys.argv[6:] or ["check", "asks", "limits", "reload", "rotate", "extend", "crash", "hang",
                         "record", "killed", "drain", "notify", "instances"]
OHTTP = {"Content-Type": "message/ohttp-req"}
RECORDS = {"Content-Type": "application/vnd.caisson.records"}
KEY_PROBLEM = "https://iana.org/assignments/http-problem-types#ohttp-key"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
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


def call(*arguments, code=0):
    done = subprocess.run([CAISSON, *arguments], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode != code:
        raise RuntimeError(f"{arguments}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def write(path, text):
    with open(path, "w" if isinstance(text, str) else "wb") as file:
        file.write(text)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def wait_for(what, name, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    check(False, f"{name} within {seconds} s")
    return False


# ---- keys, configuration, gateway ----

def make_keys():
    public = {kind: call("keygen", kind, kind) for kind in ("signer", "root", "tenant")}
    public["a"] = call("keygen", "producer", "--tenant", "tenant", "--bearer", "--requests", "a")
    public["token"] = call("keygen", "bearer", "a").split()[-1]
    for image in (ECHO, FAULTY):
        call("sign", image, "--key", "signer", "-o", os.path.basename(image) + ".sig")
    return public


PUBLIC = {}


def service(name="echo", image=ECHO, **more):
    return {"name": name, "image": image, "signature": os.path.basename(image) + ".sig",
            "control": name + ".sock", "backend": BACKEND, "evidence": {"root": "root"}, **more}


def config(**more):
    return {"listeners": [{"port": 0}], "admin": {"port": 0}, "services": [service()],
            "access_log": {"path": "access.log"}, **more}


class Gateway:
    """A gateway that runs; ends with the block."""

    def __init__(self, settings, grants=("echo.sock",), image=ECHO, environment=None):
        write("gateway.json", json.dumps(settings))
        self.image = image
        self.granters = []
        self.loads = []
        self.grants = grants
        self.environment = environment
        self.errors = open("errors", "w+", encoding="utf-8")
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise

    def start(self):
        self.process = subprocess.Popen(
            [CAISSON, "serve", "gateway.json", "--json"], stdout=subprocess.PIPE,
            stderr=self.errors, text=True, env=dict(os.environ, **(self.environment or {})))
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("no start: " + read("errors").decode())
        self.report = json.loads(line)
        self.port = self.report["listeners"][0]["port"]
        self.admin = self.report.get("admin")
        while len(self.granters) < len(self.grants):
            self.granters.append(self.grant(self.grants[len(self.granters)]))
        if self.grants:
            wait_for(self.is_ready, "ready")

    def grant(self, control):
        return subprocess.Popen(
            [CAISSON, "grant", "--control", control, "--tenant", "tenant", "--no-policy",
             "--version", "1", "--image", self.image, "--insecure-dev", "--root", PUBLIC["root"],
             "--statement", "statement", "--serve"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def is_ready(self):
        return self.ask("GET", "/readyz", port=self.admin)[0] == 200

    def ask(self, method, path, body=None, headers=None, port=None):
        """Status, headers (names in lower case), body."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return (answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def problem(self, *arguments):
        status, headers, body = self.ask(*arguments)
        if headers.get("content-type") != "application/problem+json":
            return status, "", headers
        said = json.loads(body)
        return (status if said["status"] == status else 0), said["type"], headers

    def view(self):
        return json.loads(self.ask("GET", "/view.json", port=self.admin)[2])

    def say(self):
        self.errors.flush()
        return read("errors").decode()

    def load(self, clients):
        """Clients that ask until .stop(), which gives what they counted."""
        self.loads.append(Load([LOAD, str(self.port), "/gateway", PUBLIC["token"], str(clients)]))
        return self.loads[-1]

    def load_for(self, seconds, clients):
        load = self.load(clients)
        time.sleep(seconds)
        return load.stop()

    def enclaves(self):
        """Process numbers of what runs below it."""
        done = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True,
                              text=True, check=False)
        return [int(pid) for pid in done.stdout.split()]

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(40)
        self.process.stdout.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.granters + [load.process for load in self.loads]:
            child.kill()
            child.wait()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.errors.close()


class Load:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def stop(self):
        self.process.terminate()
        counts = json.loads(self.process.communicate(timeout=90)[0])
        print("# " + json.dumps(counts))
        return counts


# ---- parts ----

def part_check():
    write("gateway.json", json.dumps(config()))
    call("serve", "gateway.json", "--check")
    check(call("serve", "gateway.json", "--check", "--json") == '{"good":true}', "--check --json")
    for name, settings, code, says in [
            ("an unknown key", config(rotate=1), 1, "rotate: no such key"),
            ("no image", config(services=[service(image="none.elf")]), 1, "none.elf"),
            ("another image's signature",
             config(services=[dict(service(), signature=os.path.basename(FAULTY) + ".sig")]), 3,
             "not a signature of this image")]:
        write("gateway.json", json.dumps(settings))
        for arguments in (["--check"], []):
            done = subprocess.run([CAISSON, "serve", "gateway.json", *arguments],
                                  capture_output=True, text=True, timeout=30, check=False)
            check(done.returncode == code and says in done.stderr, f"{name} is refused {arguments}",
                  f"{done.returncode} {done.stderr}")
    write("gateway.json", json.dumps(config(services=[service(evidence={"name": "software"})])))
    done = subprocess.run([CAISSON, "serve", "gateway.json"], capture_output=True, text=True,
                          timeout=30, check=False)
    check(done.returncode == 1 and "evidence: root" in done.stderr, "evidence without its root",
          done.stderr)
    call("serve", code=2)
    call("serve", "no/such/file", code=1)


def records_of(content, operation="1"):
    """Sealed records of the tenant, as a body of /records."""
    write("content", content)
    call("seal", "--statement", "statement", "--tenant-id", PUBLIC["tenant"], "--credential", "a",
         "--operation", operation, "--whole", "content", "sealed")
    return read("sealed")


def part_asks():
    with Gateway(config()) as gateway:
        status, headers, keys = gateway.ask("GET", "/gateway")
        check(status == 200 and headers["content-type"] == "application/ohttp-keys" and
              headers["cache-control"] == "public, max-age=60" and len(keys) == 51, "keys", headers)
        check(all(gateway.ask("GET", path)[2] == keys for path in
                  ("/.well-known/ohttp-gateway", "/gateway/echo", "/gateway/echo?instance=1")),
              "the same keys on each path")
        view = gateway.view()["instances"][0]
        check(view["ohttp_keys_sha256"] == hashlib.sha256(keys).hexdigest(),
              "the evidence's hash is of these bytes")
        nonce = secrets.token_hex(32)
        status, headers, bundle = gateway.ask("GET", f"/.well-known/caisson/evidence?nonce={nonce}")
        check(status == 200 and headers["content-type"] == "application/vnd.caisson.evidence" and
              headers["cache-control"] == "no-store", "evidence", headers)
        write("bundle", bundle)
        said = call("verify", "bundle", "--nonce", nonce, "--image", ECHO, "--insecure-dev",
                    "--root", PUBLIC["root"])
        check(said.startswith("valid"), "which verifies", said)
        counts = gateway.load_for(1, 4)
        check(counts["good"] > 50 and counts["foreign"] + counts["broken"] == 0 and
              not counts["refused"], "sealed requests are answered, each to its sender", counts)
        refusals(gateway, keys)
        records(gateway)
        shown(gateway)


def refusals(gateway, keys):
    for name, arguments, status, kind in [
            ("an unknown key", ("POST", "/gateway", bytes([keys[2] ^ 1]) + bytes(60), OHTTP), 400,
             KEY_PROBLEM),
            ("what does not open", ("POST", "/gateway", keys[2:3] + b"\0\x20\0\1\0\1" + bytes(80),
                                    OHTTP), 400, "about:blank"),
            ("an unknown suite", ("POST", "/gateway", keys[2:3] + b"\0\x10\0\1\0\1" + bytes(80),
                                  OHTTP), 400, "about:blank"),
            ("what is cut off", ("POST", "/gateway", keys[2:9], OHTTP), 400, "about:blank"),
            ("an empty request", ("POST", "/gateway", b"", OHTTP), 400, "about:blank"),
            ("too large a request", ("POST", "/gateway", keys[2:3] + bytes(70000), OHTTP), 413,
             None),
            ("another type", ("POST", "/gateway", b"x", {"Content-Type": "text/plain"}), 415, None),
            ("records' type at /gateway", ("POST", "/gateway", b"x", RECORDS), 415, None),
            ("no such path", ("GET", "/nothing"), 404, None),
            ("no such service", ("GET", "/gateway/other"), 404, None),
            ("no such tenant", ("POST", "/gateway/echo/nobody", b"x", OHTTP), 404, None),
            ("GET of records", ("GET", "/records"), 405, None),
            ("POST of evidence", ("POST", "/.well-known/caisson/evidence", b"x", OHTTP), 405, None),
            ("no nonce", ("GET", "/.well-known/caisson/evidence"), 400, None),
            ("a short nonce", ("GET", "/.well-known/caisson/evidence?nonce=00"), 400, None),
            ("a long nonce", ("GET", "/.well-known/caisson/evidence?nonce=" + "00" * 33), 400,
             None),
            ("a gone worker", ("POST", "/gateway", keys[2:9], dict(
                OHTTP, **{"Caisson-Worker": "0123456789abcdef.00"})), 409,
             "urn:caisson:problem:worker-gone"),
            ("broken records", ("POST", "/records", b"\1\0\0", RECORDS), 400, None),
            ("records of nothing", ("POST", "/records", b"", RECORDS), 400, None),
            ("257 records", ("POST", "/records", b"\4\0\0\0CSNP" * 257, RECORDS), 400, None)]:
        got = gateway.problem(*arguments)
        check(got[0] == status and kind in (None, got[1]), f"{name}: {status}", got)
    status, _, headers = gateway.problem("GET", "/records")
    check(headers.get("allow") == "POST", "405 says what is allowed", headers)
    status, headers, _ = gateway.ask("GET", "/gateway", None, {"traceparent": TRACE})
    check(headers.get("traceparent") == TRACE, "traceparent comes back", headers)
    status, headers, _ = gateway.ask("GET", "/gateway", None, {"traceparent": TRACE + "x"})
    check("traceparent" not in headers, "one that is none does not", headers)


def records(gateway):
    content = b"a plaintext that nobody but the enclave sees"
    body = records_of(content)
    status, headers, answers = gateway.ask("POST", "/records/echo", body, RECORDS)
    worker = headers.get("caisson-worker", "")
    check(status == 200 and headers["content-type"] == "application/vnd.caisson.answers" and
          worker != "", "records", (status, headers))
    count = sum(1 for _ in frames(answers))
    check(count == sum(1 for _ in frames(body)) and
          all(struct.unpack("<I", frame[:4])[0] in (0, 0x80000000) or frame[3] & 0x80
              for frame in frames(answers)), "one answer for each, none refused", answers[:64])
    pings = b"".join(struct.pack("<I", 8 + i) + b"CSNP" + bytes([i] * (4 + i)) for i in range(200))
    status, headers, answers = gateway.ask("POST", "/records", pings,
                                           dict(RECORDS, **{"Caisson-Worker": worker}))
    pongs = list(frames(answers))
    check(status == 200 and headers["caisson-worker"] == worker and len(pongs) == 200 and
          all(pong[-1] == i and len(pong) == 16 + i or pong[-1] == i
              for i, pong in enumerate(pongs)), "200 messages at a worker, answers in their order")
    status, _, answers = gateway.ask("POST", "/records", b"\4\0\0\0CSNQ", RECORDS)
    check(status == 200 and struct.unpack_from("<I", answers, 4)[0] == 33, "a challenge")


def frames(body):
    at = 0
    while at < len(body):
        size = struct.unpack_from("<I", body, at)[0]
        yield body[at + 4:at + 4 + size]
        at += 4 + size


def shown(gateway):
    """What administrators see, and what the log has: no content, no key, no exact size."""
    status, _, metrics = gateway.ask("GET", "/metrics", port=gateway.admin)
    check(status == 200 and b"caisson_requests_total" in metrics, "/metrics")
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True,
                              timeout=30, check=False)
        check(done.returncode == 0, "promtool finds nothing", done.stderr.decode())
    else:
        print("# no promtool here: metrics are not checked by it")
    status, headers, page = gateway.ask("GET", "/", port=gateway.admin)
    check(status == 200 and headers["content-type"].startswith("text/html") and b"echo" in page,
          "the page")
    check(gateway.ask("GET", "/healthz", port=gateway.admin)[0] == 200, "/healthz")
    check(gateway.ask("GET", "/metrics")[0] == 404, "not on the other listener")
    view = gateway.view()
    check(view["ready"] and view["requests"]["records"]["by_status"]["2xx"] == 3 and
          view["requests"]["ohttp"]["by_status"]["2xx"] > 50, "requests are counted",
          view["requests"])
    gateway.ask("GET", "/gateway/echo", None, {"traceparent": TRACE})
    wait_for(lambda: TRACE[3:35].encode() in read("access.log"), "the log has the trace")
    log = read("access.log").decode()
    lines = [json.loads(line) for line in log.splitlines()]
    known = {"time", "method", "route", "status", "ms", "http", "tls", "in", "out", "service",
             "tenant", "trace"}
    check(all(set(line) <= known for line in lines), "no field that is not meant")
    sizes = {line[key] for line in lines for key in ("in", "out")}
    check(all(size == 0 or size >= 256 and size & (size - 1) == 0 for size in sizes),
          "sizes are classes", sizes)
    secret = [PUBLIC["token"], PUBLIC["tenant"], "plaintext", "127.0.0.1", "nobody"]
    everything = log + metrics.decode() + page.decode() + gateway.say() + json.dumps(view)
    check(not [word for word in secret if word in everything.replace("http://127.0.0.1", "").
               replace("listens on 127.0.0.1", "")], "nothing secret anywhere",
          [word for word in secret if word in everything])


def part_limits():
    tenants = [{"label": "slow", "rate": 0.01, "burst": 2}, {"label": "few", "quota": 3}]
    settings = config(tenants=tenants, unlabelled={"rate": 0.01, "burst": 4},
                      limits={"body_size": 4096})
    with Gateway(settings) as gateway:
        for label, allowed in (("slow", 2), ("few", 3)):
            got = [gateway.problem("POST", f"/gateway/echo/{label}", b"x", OHTTP)
                   for _ in range(allowed + 2)]
            check([status for status, _, _ in got] == [400] * allowed + [429] * 2,
                  f"{label}: {allowed} and no more", got)
            check(1 <= int(got[-1][2]["retry-after"]) <= 86400, "and when to come again", got[-1])
        got = [gateway.ask("POST", "/gateway", b"x", OHTTP)[0] for _ in range(6)]
        check(got == [400] * 4 + [429] * 2, "without a label, by address", got)
        nonce = secrets.token_hex(32)
        check(gateway.ask("GET", f"/.well-known/caisson/evidence?nonce={nonce}")[0] == 429,
              "evidence costs as well")
        check(gateway.ask("GET", "/gateway")[0] == 200, "keys do not")
        shown_tenants = {tenant["label"]: tenant for tenant in gateway.view()["tenants"]}
        check(shown_tenants["slow"]["refused_rate"] == 2 and
              shown_tenants["few"]["refused_quota"] == 2, "refusals are counted", shown_tenants)
        check(gateway.ask("POST", "/records/echo/slow", bytes(5000), RECORDS)[0] in (413, 429),
              "a body above the limit")


def part_reload():
    with Gateway(config(tenants=[{"label": "old"}])) as gateway:
        def reload(settings, says):
            write("gateway.json", json.dumps(settings))
            before = gateway.say().count("\n")
            gateway.process.send_signal(signal.SIGHUP)
            wait_for(lambda: gateway.say().count("\n") > before, "an answer to SIGHUP")
            said = "\n".join(gateway.say().splitlines()[before:])
            check(says in said, f"reload: {says}", said)

        check(gateway.ask("POST", "/gateway/echo/new", b"x", OHTTP)[0] == 404, "a label to come")
        reload(config(tenants=[{"label": "new"}]), "was read again")
        check(gateway.ask("POST", "/gateway/echo/new", b"x", OHTTP)[0] == 400, "is there")
        check(gateway.ask("POST", "/gateway/echo/old", b"x", OHTTP)[0] == 404, "the old one is not")
        reload(config(listeners=[{"port": 1}]), "listeners or admin have changed")
        reload(config(services=[service(instances=2)]), "service echo: control, backend, instances")
        os.rename("access.log", "access.log.1")
        reload(config(tenants=[{"label": "new"}]), "was read again")
        gateway.ask("GET", "/gateway")
        wait_for(lambda: os.path.exists("access.log") and b"keys" in read("access.log"),
                 "the log goes on in a new file")
        reload(config(limits={"connections": 9}), "access_log or limits.connections have changed")
        reload(config(services=[service("other")]), "service echo is not there any more")
        reload(config(tenant=[]), "tenant: no such key")
        write("gateway.json", "{")
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "not JSON" in gateway.say(), "a broken file is refused")
        check(gateway.ask("POST", "/gateway/echo/new", b"x", OHTTP)[0] == 400,
              "what was refused changed nothing")
        reload(config(services=[service(), service("second", grants=0)],
                      deadlines={"head_ms": 200}), "was read again")
        idle = socket.create_connection(("127.0.0.1", gateway.port), timeout=5)
        check(idle.recv(1) == b"", "a silent connection is closed, by the new deadline")
        idle.close()
        wait_for(lambda: gateway.ask("GET", "/gateway/second")[0] == 200, "a new service serves")
        check(gateway.ask("GET", "/gateway")[2] != gateway.ask("GET", "/gateway/second")[2],
              "with keys of its own")
        settings = config(services=[service(), service("second", grants=0),
                                    service("third", grants=0, control="no/third.sock")])
        for _ in range(9):
            reload(settings, "service third: not started")
        check(gateway.is_ready(), "a service that does not start leaves the others ready")
        check(gateway.ask("GET", "/gateway/third")[0] == 404, "and is not there")
        os.mkdir("no")
        reload(settings, "was read again")
        wait_for(lambda: gateway.ask("GET", "/gateway/third")[0] == 200, "until it starts")


def part_rotate():
    with Gateway(config(services=[service(overlap_s=2)])) as gateway:
        load = gateway.load(8)
        time.sleep(0.5)
        first = gateway.ask("GET", "/gateway")[2]
        gateway.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: gateway.ask("GET", "/gateway")[2] != first, "new keys are published")
        stale = ("POST", "/gateway", first[2:3] + b"\0\x20\0\1\0\1" + bytes(80), OHTTP)
        check(gateway.problem(*stale)[:2] == (400, "about:blank"), "the old key is still taken")
        fresh = gateway.load_for(0.5, 2)
        check(fresh["good"] > 10 and not fresh["refused"], "and the new one", fresh)
        states = sorted(one["state"] for one in gateway.view()["instances"])
        check(states == ["current", "retiring"], "the old one is still there", states)
        gateway.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: "does not rotate now" in gateway.say(), "not twice at a time")
        wait_for(lambda: len(gateway.view()["instances"]) == 1, "then it ends")
        check(gateway.problem(*stale)[:2] == (400, KEY_PROBLEM), "and its key is not any more")
        time.sleep(0.5)
        counts = load.stop()
        check(counts["good"] > 200 and counts["foreign"] + counts["broken"] == 0 and
              list(counts["refused"]) == ["400"] and counts["refused"]["400"] <= 8,
              "meanwhile nobody lost a request but for the answer that the key has retired", counts)
        print(f"# longest time between two good answers of a client: {counts['gap_ms']} ms")


def part_extend():
    """A register gets an image once, whatever starts it; what says which outlives a reload."""
    os.mkfifo("register")
    shutil.copy(ECHO, "image.elf")
    shutil.copy(os.path.basename(ECHO) + ".sig", "image.elf.sig")
    echo = service(image="image.elf", grants=0, overlap_s=0, instances=2,
                   evidence={"root": "root", "extend": "rtmr:" + os.path.abspath("register")})
    register = os.open("register", os.O_RDWR | os.O_NONBLOCK)

    def extended():
        try:
            return os.read(register, 4096)
        except BlockingIOError:
            return b""

    def are_current():
        return [one["state"] for one in gateway.view()["instances"]] == ["current", "current"]

    def rotate(what):
        before = gateway.ask("GET", "/gateway?instance=0")[2]
        said = gateway.say().count("its overlap is over")
        gateway.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: gateway.say().count("its overlap is over") == said + 2 and are_current(),
                 f"{what}: the ones before end")
        check(gateway.ask("GET", "/gateway?instance=0")[2] != before, f"{what}: new keys")

    with Gateway(config(services=[echo]), ()) as gateway:
        wait_for(are_current, "two instances")
        measured = gateway.view()["instances"][0]["measurement"]
        check(extended().hex() == measured, "two instances of an image: it is extended by it once")
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "was read again" in gateway.say(), "a reload")
        rotate("the same image")
        check(extended() == b"", "and its register stays as it was")
        shutil.copy(FAULTY, "image.elf")
        shutil.copy(os.path.basename(FAULTY) + ".sig", "image.elf.sig")
        rotate("another image")
        measured = gateway.view()["instances"][0]["measurement"]
        check(extended().hex() == measured, "and its register is extended by that")
    os.close(register)


def part_crash():
    with Gateway(config()) as gateway:
        load = gateway.load(8)
        time.sleep(1)
        victims = gateway.enclaves()
        check(len(victims) == 1 or BACKEND != "process", "one enclave below it", victims)
        if BACKEND != "process":
            load.stop()
            return
        os.kill(victims[0], signal.SIGKILL)
        begin = time.monotonic()
        wait_for(lambda: gateway.view()["instances"][0]["restarts"] == 1, "it starts again")
        print(f"# started again after {time.monotonic() - begin:.3f} s")
        wait_for(gateway.is_ready, "it is granted again")
        print(f"# current again after {time.monotonic() - begin:.3f} s")
        check(gateway.load_for(0.5, 2)["good"] > 0, "it answers again")
        counts = load.stop()
        wrong = counts["foreign"] + counts["broken"] + counts["inside"]
        check(counts["good"] > 100 and wrong == 0,
              "each request has its own answer or an error", counts)
        check(set(counts["refused"]) <= {"400", "502", "503"}, "and the error is clear", counts)
        check("SIGKILL" in gateway.say(), "why it stopped is said", gateway.say())
        print(f"# longest time between two good answers of a client: {counts['gap_ms']} ms")


def part_hang():
    """A worker that stops to answer: 504, then it is started again, and served once more."""
    with Gateway(config(deadlines={"request_ms": 1000})) as gateway:
        message = (RECORDS, b"\4\0\0\0CSNP")
        check(gateway.ask("POST", "/records", message[1], message[0])[0] == 200, "it answers")
        for pid in gateway.enclaves():
            os.kill(pid, signal.SIGSTOP)
        begin = time.monotonic()
        check(gateway.ask("POST", "/records", message[1], message[0])[0] == 504,
              "no answer: 504 at the deadline")
        granter = gateway.grant("echo.sock")  # whom the worker does not answer either
        gateway.granters.append(granter)
        wait_for(lambda: gateway.view()["instances"][0]["restarts"] == 1, "it is started again", 8)
        wait_for(gateway.is_ready, "and is granted again")
        print(f"# current again after {time.monotonic() - begin:.3f} s")
        check("a worker has stopped to answer" in gateway.say(), "why is said", gateway.say())
        check(gateway.ask("POST", "/records", message[1], message[0])[0] == 200, "it answers again")
        granter.kill()
        granter.wait()
        time.sleep(2.5)
        check(gateway.view()["instances"][0]["restarts"] == 1, "one without work is let alone")


def part_record():
    """A record that kills: one clear error, once; others are served after the restart."""
    name = os.path.basename(FAULTY)
    settings = config(services=[service("faulty", FAULTY)])
    with Gateway(settings, ["faulty.sock"], FAULTY) as gateway:
        for kill in range(2):
            killer = records_of(b"x", "2")
            status, kind, headers = gateway.problem("POST", "/records", killer, RECORDS)
            check(status == 502 and headers.get("retry-after") == "1",
                  f"{name}: a record that divides by zero: 502", (status, kind, headers))
            wait_for(lambda count=kill + 1:
                     gateway.view()["instances"][0]["restarts"] == count and gateway.is_ready(),
                     "it starts again, and is granted again")
        status, _, answers = gateway.ask("POST", "/records", records_of(b"x"), RECORDS)
        check(status == 200 and len(answers) > 100, "and serves again", status)


def part_killed():
    """The gateway itself, by SIGKILL: its enclaves end with it; the next one finds its place."""
    settings = config()
    with Gateway(settings) as gateway:
        settings["listeners"][0]["port"] = gateway.port
        write("gateway.json", json.dumps(settings))
        load = gateway.load(8)
        time.sleep(1)
        enclaves = gateway.enclaves()
        gateway.process.kill()
        gateway.process.wait()
        begin = time.monotonic()
        wait_for(lambda: not [pid for pid in enclaves if os.path.exists(f"/proc/{pid}")],
                 "its enclaves end, too")
        gateway.start()
        print(f"# serves again after {time.monotonic() - begin:.3f} s")
        check(gateway.load_for(0.5, 2)["good"] > 0, "it answers again")
        counts = load.stop()
        check(counts["good"] > 100 and counts["foreign"] == 0, "each answer is its asker's own",
              counts)
        check(counts["broken"] > 0, "a broken connection is what others got", counts)


def part_drain():
    with Gateway(config()) as gateway:
        load = gateway.load(8)
        time.sleep(1)
        idle = socket.create_connection(("127.0.0.1", gateway.port))
        slow = socket.create_connection(("127.0.0.1", gateway.port))
        slow.sendall(b"POST /gateway HTTP/1.1\r\nHost: x\r\nContent-Type: message/ohttp-req\r\n"
                     b"Content-Length: 4\r\n\r\nab")
        time.sleep(0.2)
        begin = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        status = gateway.ask("GET", "/readyz", port=gateway.admin)[0]
        check(status == 503, "who watches hears that it drains", status)
        slow.sendall(b"cd")
        check(slow.recv(4096).startswith(b"HTTP/1.1 400 "), "what is under way comes to its end")
        slow.close()
        check(gateway.process.wait(40) == 0, "SIGTERM: exit code 0")
        took = time.monotonic() - begin
        check(took < 10, f"within {took:.3f} s", took)
        check(idle.recv(1) == b"", "an idle connection is closed")
        idle.close()
        counts = load.stop()
        check(counts["good"] > 50 and counts["foreign"] == 0, "answers until the end", counts)
        check(not os.path.exists("echo.sock"), "its control socket is gone")
        check(not gateway.enclaves(), "and its enclaves")


def part_notify():
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind("notify")
    server.settimeout(20)
    environment = {"NOTIFY_SOCKET": os.path.abspath("notify"), "WATCHDOG_USEC": "600000"}

    def expect(text):
        while True:
            got = server.recv(4096).decode()
            if got.startswith(("WATCHDOG", "STATUS")) and not got.startswith(text):
                continue
            check(got.startswith(text), f"systemd is told {text.splitlines()[0]}", got)
            return

    with Gateway(config(), (), environment=environment) as gateway:
        expect("READY=1")
        expect("STATUS=waits for grants")
    with contextlib.closing(server), Gateway(config(), environment=environment) as gateway:
        expect("READY=1")
        expect("STATUS=serves")
        expect("WATCHDOG=1")
        expect("WATCHDOG=1")
        gateway.process.send_signal(signal.SIGHUP)
        expect("RELOADING=1\nMONOTONIC_USEC=")
        expect("READY=1")
        threading.Thread(target=gateway.end).start()
        expect("STOPPING=1")


def part_instances():
    settings = config(services=[service(instances=2)])
    with Gateway(settings, ["echo.sock", "echo.sock.1"]) as gateway:
        wait_for(lambda: [one["state"] for one in gateway.view()["instances"]] ==
                 ["current", "current"], "both are current")
        keys = [gateway.ask("GET", f"/gateway?instance={i}")[2] for i in range(2)]
        check(len(set(keys)) == 2 and keys[0][2] != keys[1][2], "two, with keys of their own")
        check(gateway.ask("GET", "/gateway")[2] == gateway.ask("GET", "/gateway")[2],
              "a client is told of the same one")
        check(gateway.ask("GET", "/gateway?instance=x")[0] == 400, "an instance is a number")
        workers = {gateway.ask("POST", "/records", b"\4\0\0\0CSNP", RECORDS)[1]["caisson-worker"]
                   for _ in range(4)}
        check(len(workers) == 2, "records go to both", workers)
        hashes = {one["ohttp_keys_sha256"] for one in gateway.view()["instances"]}
        check(hashes == {hashlib.sha256(key).hexdigest() for key in keys}, "and both are shown")
        if BACKEND == "process":
            os.kill(gateway.enclaves()[0], signal.SIGKILL)
            wait_for(lambda: sorted(one["state"] for one in gateway.view()["instances"]) !=
                     ["current", "current"], "one dies")
            check(gateway.is_ready() and gateway.ask("GET", "/gateway")[0] == 200,
                  "the other one serves")
            wait_for(lambda: [one["state"] for one in gateway.view()["instances"]] ==
                     ["current", "current"], "it comes back")


def main():
    with tempfile.TemporaryDirectory(prefix="csn-") as folder:
        os.chdir(folder)
        PUBLIC.update(make_keys())
        for part in PARTS:
            print(f"# {part}", flush=True)
            try:
                globals()["part_" + part]()
            except (RuntimeError, OSError, ValueError, KeyError, TimeoutError,
                    http.client.HTTPException, subprocess.SubprocessError) as error:
                check(False, f"{part} came to its end", repr(error))
            for name in ("access.log", "statement"):
                if os.path.exists(name):
                    os.unlink(name)
        os.chdir("/")
    print(f"1..{COUNT}")
    return 1 if FAILED else 0


sys.exit(main())
