#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may do what, by the command alone: modes of key files, grants that count, purposes,
revocation, who may send requests. Prints TAP.
access_test.py CAISSON TOKENIZE BACKEND [PART ...]"""
import base64
import hmac
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

CAISSON, IMAGE, BACKEND = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]
PARTS = sys.argv[4:] or ["modes", "service", "serve", "requests"]
LINE = b'{"id":7}\n'
COUNT = 0
FAILED = 0


def check(good, name, said=""):
    global COUNT, FAILED
    COUNT += 1
    FAILED += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} {COUNT} {name}", flush=True)
    if not good:
        print("# " + str(said).replace("\n", "\n# "))


def expect(code, name, *arguments, says=""):
    done = subprocess.run([CAISSON, *arguments], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)
    check(done.returncode == code and says in done.stdout + done.stderr, name,
          f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def make_keys():
    """Tenant t with consumers c and d; producer a for purposes 3 and 5, b for general ones."""
    public = {}
    for kind in ("signer", "root", "tenant"):
        public[kind] = expect(0, f"keygen {kind}", "keygen", kind, kind)
    for name in ("d", "c"):
        expect(0, "keygen consumer", "keygen", "consumer", "--tenant", "tenant", "--name", name,
               name)
    common = ("keygen", "producer", "--tenant", "tenant", "--consumer", "c")
    public["a"] = expect(0, "keygen producer --purposes", *common, "a", "--purposes", "3,5")
    public["b"] = expect(0, "keygen producer", *common, "b")
    expect(2, "a purpose beyond 63", *common, "x", "--purposes", "64")
    expect(2, "no purpose at all", *common, "x", "--purposes", "")
    expect(0, "sign", "sign", IMAGE, "--key", "signer", "-o", "sig")
    return public


# ---- modes ----

def modes():
    """Whoever reads a secret refuses one that others may use, and says how to mend it."""
    secrets = ("signer", "root", "tenant", "a", "c")
    check(all(os.stat(name).st_mode & 0o777 == 0o600 for name in secrets),
          "keygen makes files of mode 0600, whatever the umask")
    os.chmod("signer", 0o666)
    expect(0, "keygen --force", "keygen", "signer", "signer", "--force")
    check(os.stat("signer").st_mode & 0o777 == 0o600, "--force over a wider one: 0600")
    readers = {
        "signer": ("sign", IMAGE, "--key", "signer", "-o", "sig"),
        "root": ("run", IMAGE, "--signature", "sig", "--root", "root", "--control", "s",
                 "--grants", "0", "--backend", BACKEND, "--input", "/dev/null", "--output", "o"),
        "tenant": ("keygen", "list", "tenant"),
        "a": ("seal", "--statement", "none", "--tenant-id", "00" * 32, "--credential", "a"),
        "c": ("open", "--consumer", "c", "/dev/null", "o"),
    }
    good = {"a": 3, "c": 1}  # another tenant's credential; no stream in nothing: the key was read
    for name, arguments in readers.items():
        for mode in (0o640, 0o604, 0o620, 0o610):
            os.chmod(name, mode)
            expect(1, f"{arguments[0]}: a key of mode {mode:o}", *arguments,
                   says=f"chmod 600 {name}")
        for mode in (0o400, 0o600):
            os.chmod(name, mode)
            expect(good.get(name, 0), f"{arguments[0]}: a key of mode {mode:o}", *arguments)
    os.chmod("tenant", 0o644)
    expect(1, "grant: a tenant's file that all may read", "grant", "--check", POLICY, "--tenant",
           "tenant", says="chmod 600")
    expect(1, "keygen: the same", "keygen", "producer", "--tenant", "tenant", "x",
           says="chmod 600")
    os.chmod("tenant", 0o600)


# ---- requests ----

def requests():
    """Who may send requests is said when the producer is made, and stands in the list."""
    made = {}
    for name, options in {"plain": (), "asker": ("--requests",), "browser": ("--bearer",)}.items():
        made[name] = expect(0, f"a producer: {name}", "keygen", "producer", "--tenant", "tenant",
                            name, *options)
    for option in ("--requests", "--bearer"):
        expect(2, f"{option} with a consumer", "keygen", "producer", "--tenant", "tenant",
               "--consumer", "c", "x", option, says="go without --consumer")
    listed = json.loads(expect(0, "keygen list", "keygen", "list", "tenant", "--json"))
    rights = {one["credential"]: (one["requests"], one["bearer"]) for one in listed["producers"]}
    check([rights[made[name]] for name in ("plain", "asker", "browser")]
          == [(False, False), (True, False), (False, True)], "the list says who", listed)
    expect(0, "keygen list", "keygen", "list", "tenant", says="sends requests")
    with open("browser", "rb") as file:
        secret = file.read()[16:-32]
    tenant, number, key = secret[:32], secret[32:40], secret[40:72]
    proof = hmac.new(key, b"caisson-bearer-v1" + tenant + number, "sha256").digest()
    token = base64.urlsafe_b64encode(tenant + number + proof).decode().rstrip("=")
    printed = expect(0, "keygen bearer", "keygen", "bearer", "browser")
    check(printed == token, "the token is that of the credential", printed)
    printed = json.loads(expect(0, "keygen bearer --json", "keygen", "bearer", "browser", "--json"))
    check(printed == {"bearer": token}, "as JSON, too", printed)
    expect(1, "a token of another kind of file", "keygen", "bearer", "root",
           says="not a credential")
    os.chmod("browser", 0o644)
    expect(1, "a token that all may read", "keygen", "bearer", "browser", says="chmod 600")


# ---- a service, its grants and who they let in ----

class Service:
    """A running `caisson run` that waits for two grants; records go in piece by piece."""

    def __init__(self, public):
        self.public = public
        self.process = subprocess.Popen(
            [CAISSON, "run", IMAGE, "--signature", "sig", "--root", "root", "--control", "sock",
             "--backend", BACKEND, "--grants", "2", "--output", "answers", "--stats", "stats"],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.sealed = 0

    def grant(self, code, name, version, *arguments, tenant="tenant", says=""):
        return expect(code, name, "grant", "--control", "sock", "--tenant", tenant, "--version",
                      str(version), "--image", IMAGE, "--insecure-dev", "--root",
                      self.public["root"], "--statement", f"statement.{version}", *arguments,
                      says=says)

    def send(self, who, purpose, version):
        """One record and the end of its stream."""
        expect(0, f"seal for purpose {purpose}", "seal", "--statement", f"statement.{version}",
               "--tenant-id", self.public["tenant"], "--credential", who, "--purpose",
               str(purpose), "line", "sealed")
        with open("sealed", "rb") as file:
            self.process.stdin.write(file.read())
        self.process.stdin.flush()
        self.sealed += 2

    def answers(self):
        """The frames that came, each with its size in front."""
        with open("answers", "rb") as file:
            data = file.read()
        found = []
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:4], "little"):
            found.append(data[:4 + int.from_bytes(data[:4], "little")])
            data = data[len(found[-1]):]
        return found

    def settle(self):
        """All that was sent is answered: what comes next meets the next grant."""
        deadline = time.monotonic() + 30
        while len(self.answers()) < self.sealed and time.monotonic() < deadline:
            time.sleep(0.02)
        check(len(self.answers()) == self.sealed, "all is answered", len(self.answers()))


def opened(frames, *arguments, code):
    """The summary of `caisson open` over these answers."""
    with open("some", "wb") as file:
        file.write(b"".join(frames))
    return json.loads(expect(code, "open", "open", "--consumer", "c", "--json", *arguments, "some",
                             "lines"))


def first_grants(service):
    """Refused and rejected ones do not count: nothing is served before the second that is taken."""
    for _ in range(2):
        service.grant(1, "a grant that the enclave refuses", 1, "--no-policy",
                      says="the enclave refuses the grant")
    expect(0, "another tenant", "keygen", "tenant", "other")
    service.grant(0, "a grant of another tenant", 1, "--policy", POLICY, tenant="other")
    service.grant(1, "the same version again: rejected", 1, "--policy", POLICY, tenant="other",
                  says="does not rise")
    with open("line", "wb") as file:
        file.write(LINE)
    service.process.stdin.write(b"\x04\0\0\0CSNP")  # a ping, which needs no grant
    service.process.stdin.flush()
    time.sleep(0.5)
    check(service.answers() == [], "one accepted of two: nothing is served", service.answers())
    service.grant(0, "a grant for purpose 3", 1, "--policy", POLICY, "--purpose", "3")
    service.sealed = 1
    service.settle()


def purposes(service):
    """A record is for one purpose: its credential's and, if it has one, its grant's."""
    service.send("a", 3, 1)
    service.send("a", 5, 1)
    service.send("b", 0, 1)
    service.settle()
    frames = service.answers()[1:]
    check(opened(frames[:2], code=0)["opened"] == 1, "the grant's purpose is served")
    for which in (2, 4):
        summary = opened(frames[which:which + 2], code=1)
        check(summary["refused"] == 1 and summary["opened"] == 0, "another one is refused", summary)


def revoke(service):
    """Out of the tenant's file, and the next grant shuts them out, wherever it came to."""
    expect(1, "a consumer that producers deliver to", "keygen", "revoke-consumer", "--tenant",
           "tenant", "c", says="revoke those first")
    expect(1, "nobody of that id", "keygen", "revoke-producer", "--tenant", "tenant", "00" * 8)
    expect(2, "not an id", "keygen", "revoke-producer", "--tenant", "tenant", "b")
    expect(1, "nobody of that name", "keygen", "revoke-consumer", "--tenant", "tenant", "e")
    expect(2, "whose?", "keygen", "revoke-consumer", "e")
    expect(0, "revoke-producer", "keygen", "revoke-producer", "--tenant", "tenant",
           service.public["b"])
    expect(0, "revoke-consumer", "keygen", "revoke-consumer", "--tenant", "tenant", "d")
    listed = json.loads(expect(0, "keygen list", "keygen", "list", "tenant", "--json"))
    check([one["name"] for one in listed["consumers"]] == ["c"], "only c is left", listed)
    check([(one["credential"], one["consumer"], one["purposes"])
           for one in listed["producers"]] == [(service.public["a"], "c", [3, 5])],
          "a still delivers to c", listed)
    expect(0, "keygen list", "keygen", "list", "tenant", says="delivers to c, purposes 3,5")
    check(os.stat("tenant").st_mode & 0o777 == 0o600, "the tenant's file is still 0600")


def next_grant(service):
    service.grant(0, "a grant for any purpose", 2, "--policy", POLICY)
    service.send("a", 5, 2)
    service.send("a", 0, 2)
    service.send("b", 0, 1)  # b has no other statement than the first
    service.settle()
    frames = service.answers()[7:]
    check(opened(frames[:2], "--min-version", "2", code=0)["opened"] == 1, "a is still served")
    summary = opened(frames[2:4], code=1)
    check(summary["refused"] == 1, "not for what its credential does not list", summary)
    summary = opened(frames[4:], code=1)
    check(summary["rejected"] == 2 and summary["opened"] == 0, "b is shut out", summary)
    # A host that keeps an old instance, or holds the grant back, serves b: consumers see it.
    summary = opened(service.answers()[1:3], "--min-version", "2", code=3)
    check(summary["opened"] == 0, "the floor refuses what an older grant made", summary)


def service():
    running = Service(PUBLIC)
    try:
        first_grants(running)
        purposes(running)
        revoke(running)
        next_grant(running)
    finally:
        running.process.stdin.close()
        said = running.process.stderr.read().decode(errors="replace")
        running.process.wait(timeout=60)
    with open("stats", encoding="ascii") as file:
        stats = json.load(file)
    check(stats["grants"] == 3 and stats["grants_refused"] == 3, "grants are counted", stats)
    check("a grant was refused" in said and "accepted, 2 of 2" in said, "and told", said)


# ---- a granter that stays ----


def children(pid):
    """Those of each thread of it."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            found += [int(child) for child in file.read().split()]
    return found


def run_once(crash):
    """A run that waits for its grant and ends; its counters."""
    with subprocess.Popen([CAISSON, "run", IMAGE, "--signature", "sig", "--root", "root",
                           "--control", "sock", "--backend", BACKEND, "--output", "answers",
                           "--stats", "stats"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        bound = threading.Timer(20, process.kill)  # nobody grants: not for ever
        bound.start()
        for grants in range(1 + crash):
            line = None
            while line != "" and "accepted, 1 of 1" not in (line or ""):
                line = process.stderr.readline()
            check(line != "", "granted without being asked for")
            if crash and grants == 0:
                for child in children(process.pid):
                    os.kill(child, signal.SIGKILL)
        bound.cancel()
        process.communicate(input="", timeout=60)
        check(process.returncode == 0, "run ends well")
    if process.returncode != 0:
        return {"grants": None, "restarts": None}
    with open("stats", encoding="ascii") as file:
        return json.load(file)


def serve():
    """`grant --serve` grants again to each new instance."""
    with open("granted", "w", encoding="ascii") as log:
        granter = subprocess.Popen(
            [CAISSON, "grant", "--control", "sock", "--tenant", "tenant", "--version", "1",
             "--policy", POLICY, "--image", IMAGE, "--insecure-dev", "--root", PUBLIC["root"],
             "--statement", "statement.s", "--serve", "--json"], stdout=log, stderr=log)
    try:
        crash = BACKEND == "process"  # the other backend's enclave is a thread of the host
        stats = run_once(crash)
        check(stats["grants"] == 1 + crash and stats["restarts"] == crash, "after a crash, too",
              stats)
        if FAILED:
            return
        stats = run_once(False)
        check(stats["grants"] == 1, "the next run as well", stats)
        check(granter.poll() is None, "it stays")
    finally:
        granter.terminate()
        granter.wait(timeout=30)
    with open("granted", encoding="ascii") as file:
        lines = [json.loads(line) for line in file if line.startswith("{")]
    check(len(lines) == 2 + crash and len({line["digest"] for line in lines}) == len(lines),
          "one grant for each instance", lines)


def skipped():
    return BACKEND == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK)


if skipped():
    print("1..0 # SKIP no /dev/kvm here")
    sys.exit(0)
os.umask(0)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    POLICY = "policy.json"
    with open(POLICY, "w", encoding="ascii") as stream:
        stream.write('{"version":1,"default":"keep","fields":[]}')
    PUBLIC = make_keys()
    for part in PARTS:
        {"modes": modes, "service": service, "serve": serve,
         "requests": requests}[part]()
    os.chdir("/")
print(f"1..{COUNT}")
sys.exit(1 if FAILED else 0)
